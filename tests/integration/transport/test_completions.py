"""What is read is handed on at once, in order, and not kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.output_parsers import (
    StrOutputParser,
)
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._transport.decoders import CompletionStreamDecoder, ProtocolError
from langchain_asi_one.errors import (
    ASIOneBadRequestError,
    ASIOneError,
    IncompleteStreamError,
    InvalidResponseError,
)
from langchain_asi_one.testing import LocalASIOne, fault, raw
from tests.support.gated_server import HEAD, GatedServer, read_request
from tests.support.model import MakeModel
from tests.support.patience import PATIENCE
from tests.support.ways import WAYS, ask

SSE = "text/event-stream"
DONE = b"data: [DONE]\n\n"


class City(BaseModel):
    """A city."""

    name: str
    sights: list[str] | None = None


def event(delta: dict[str, Any], **choice: Any) -> bytes:
    chunk = {"id": "r1", "choices": [{"index": 0, "delta": delta, **choice}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def text_event(text: str) -> bytes:
    return event({"content": text})


def call_delta(arguments: str, **begun: Any) -> dict[str, Any]:
    name = {"name": begun.pop("name")} if "name" in begun else {}
    call = {"index": 0, **begun, "function": {**name, "arguments": arguments}}
    return {"tool_calls": [call]}


END = event({}, finish_reason="stop") + DONE


# --- The first chunk is there before the second is sent ---


TEXTS = (text_event("Hel"), text_event("lo"), END)
THOUGHTS = (event({"thought": "Hm"}), text_event("lo"), END)
JSONS = (text_event('{"name": "Ro'), text_event('me"}'), END)
CALLS = (
    event(call_delta('{"name": "Ro', id="c1", name="City")),
    event(call_delta('me"}')),
    END,
)
PROMPT = ChatPromptTemplate.from_messages([("user", "{question}")])


def upper(pieces: Iterator[str]) -> Iterator[str]:
    for piece in pieces:
        yield piece.upper()


async def aupper(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    async for piece in pieces:
        yield piece.upper()


def shout() -> RunnableGenerator[str, str]:
    return RunnableGenerator(upper, aupper)


Chain = Callable[[ChatASIOne], Any]
# What is asked, what the server sends, and the first and the last value that come of it.
FIRST: dict[str, tuple[Chain, tuple[bytes, ...], Any, Any]] = {
    "text": (lambda model: model | StrOutputParser(), TEXTS, "Hel", "lo"),
    "sequence": (lambda model: PROMPT | model | StrOutputParser() | shout(), TEXTS, "HEL", "LO"),
    "json_schema": (
        lambda model: model.with_structured_output(City, method="json_schema"),
        JSONS,
        City(name="Ro"),
        City(name="Rome"),
    ),
    "json_mode": (
        lambda model: PROMPT | model.with_structured_output(method="json_mode"),
        JSONS,
        {"name": "Ro"},
        {"name": "Rome"},
    ),
    "function_calling": (
        lambda model: model.with_structured_output(City),
        CALLS,
        City(name="Ro"),
        City(name="Rome"),
    ),
    "function_calling a dict": (
        lambda model: model.with_structured_output(
            {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}}
        ),
        CALLS,
        {"name": "Ro"},
        {"name": "Rome"},
    ),
}


def asked(name: str) -> Any:
    return {"question": "x"} if name in ("sequence", "json_mode") else "x"


@pytest.mark.parametrize("name", FIRST)
def test_the_first_value_comes_before_the_second_is_sent(name: str, make_model: MakeModel) -> None:
    chain, parts, first, last = FIRST[name]
    with GatedServer(*parts) as gated:
        values = chain(make_model(base_url=gated.base_url)).stream(asked(name))
        assert (next(values), gated.sent) == (first, 1)
        gated.release()
        assert (next(values), gated.sent) == (last, 2)
        gated.release()
        list(values)
        assert not gated.timed_out


@pytest.mark.parametrize("name", FIRST)
async def test_the_first_value_comes_before_the_second_is_sent_async(
    name: str, make_model: MakeModel
) -> None:
    chain, parts, first, last = FIRST[name]
    with GatedServer(*parts) as gated:
        values = chain(make_model(base_url=gated.base_url)).astream(asked(name))
        assert (await anext(values), gated.sent) == (first, 1)
        gated.release()
        assert (await anext(values), gated.sent) == (last, 2)
        gated.release()
        async for _value in values:
            pass
        assert not gated.timed_out


def test_a_thought_comes_before_the_text_is_sent(make_model: MakeModel) -> None:
    with GatedServer(*THOUGHTS) as gated:
        chunks = make_model(base_url=gated.base_url).stream("x")
        assert (next(chunks).additional_kwargs, gated.sent) == ({"thought": "Hm"}, 1)
        gated.release()
        assert (next(chunks).text, gated.sent) == ("lo", 2)
        gated.release()
        assert next(chunks).chunk_position == "last"
        assert not gated.timed_out
        assert list(chunks) == []


def test_an_event_is_read_when_its_blank_line_has_come(make_model: MakeModel) -> None:
    """Cut in the middle of an event, with others whole before it."""
    whole = text_event("a") + text_event("b") + text_event("c")
    with GatedServer(whole[:-1], whole[-1:] + text_event("d")[:20], text_event("d")[20:], END) as (
        gated
    ):
        chunks = make_model(base_url=gated.base_url).stream("x")
        assert ([next(chunks).text, next(chunks).text], gated.sent) == (["a", "b"], 1)
        gated.release()
        assert (next(chunks).text, gated.sent) == ("c", 2)
        gated.release()
        assert (next(chunks).text, gated.sent) == ("d", 3)
        gated.release()
        assert [chunk.text for chunk in chunks] == [""]
        assert not gated.timed_out


# --- What came before a failure in the same read ---

GOOD = event({"thought": "Hm"}) + text_event("Hel") + text_event("lo")
FAILURES: dict[str, tuple[bytes, type[ASIOneError], str]] = {
    "malformed": (b'data: {"choices": [}\n\n', InvalidResponseError, "is not JSON"),
    "no object": (b"data: [1]\n\n", InvalidResponseError, "not a JSON object"),
    "error": (b'data: {"error": {"message": "Boom"}}\n\n', ASIOneError, "Boom"),
    "error event": (b'event: error\ndata: {"message": "Boom"}\n\n', ASIOneError, "Boom"),
    "bare error event": (b"event: error\n\n", ASIOneError, "no explanation"),
    "invalid UTF-8": (b'data: {"x": "\xff"}\n\n', InvalidResponseError, "not UTF-8"),
    "invalid UTF-8 in a name": (b"event: \xff\ndata: {}\n\n", InvalidResponseError, "not UTF-8"),
    "cut off": (b'data: {"choi', IncompleteStreamError, "broke off"),
    "cut in UTF-8": ("data: é".encode()[:-1], InvalidResponseError, "not UTF-8"),
}


@pytest.mark.parametrize("behind", [b"", text_event("never"), DONE], ids=["", "events", "done"])
@pytest.mark.parametrize("name", FAILURES)
def test_what_came_before_a_failure_is_handed_on(
    name: str, behind: bytes, make_model: MakeModel, server: LocalASIOne
) -> None:
    bad, kind, words = FAILURES[name]
    if name.startswith("cut"):
        behind = b""
    server.enqueue(*[raw(GOOD + bad + behind, content_type=SSE)] * 2)
    model = make_model()
    seen: list[Any] = []
    with pytest.raises(kind, match=words) as caught:
        seen.extend(model.stream("x"))

    async def turn() -> None:
        async for chunk in model.astream("x"):
            aseen.append(chunk)  # noqa: PERF401 - what came before the error is wanted

    aseen: list[Any] = []
    with pytest.raises(kind, match=words) as acaught:
        asyncio.run(turn())
    # `extend` keeps nothing of an iterator that raises.
    for chunks, failure in ((aseen, caught), (aseen, acaught)):
        assert [(c.text, c.additional_kwargs) for c in chunks] == [
            ("", {"thought": "Hm"}),
            ("Hel", {}),
            ("lo", {}),
        ]
        assert type(failure.value) is kind or kind is ASIOneError
        assert (failure.value.partial_text, failure.value.partial_thought) == ("Hello", "Hm")


@pytest.mark.parametrize("name", FAILURES)
def test_a_decoder_hands_on_what_came_before_a_failure_in_one_read(name: str) -> None:
    bad, kind, words = FAILURES[name]
    decoder, seen = CompletionStreamDecoder(SSE), list[Any]()
    with pytest.raises(ProtocolError, match=words) as caught:  # noqa: PT012 - wherever it raises
        for chunk in decoder.feed(GOOD + bad):
            seen.append(chunk)
        seen += decoder.close()
    assert [chunk["choices"][0]["delta"] for chunk in seen] == [
        {"thought": "Hm"},
        {"content": "Hel"},
        {"content": "lo"},
    ]
    assert caught.value.error_class is kind
    assert not decoder.done


def test_nothing_behind_done_is_read(make_model: MakeModel, server: LocalASIOne) -> None:
    server.enqueue(raw(GOOD + END + b"data: {\n\ndata: \xff\n\n", content_type=SSE))
    assert "".join(str(chunk.text) for chunk in make_model().stream("x")) == "Hello"


def test_a_caller_that_leaves_between_two_events_of_a_read(
    make_model: MakeModel, server: LocalASIOne
) -> None:
    """The malformed event behind is never looked at."""
    server.enqueue(raw(GOOD + b"data: {\n\n", content_type=SSE))
    for chunk in make_model().stream("x"):
        assert chunk.additional_kwargs == {"thought": "Hm"}
        break
    assert "Hello" in make_model().invoke("Hello").text


# --- A refusal of `stream_options` in an answer of status 200 ---

REFUSAL = {"error": {"message": "stream_options refused", "status": 400}}
REFUSED = f"data: {json.dumps(REFUSAL)}\n\n".encode()


@pytest.mark.parametrize("mode", ["stream", "astream"])
@pytest.mark.parametrize("sent", ["event", "error event", "body"])
def test_a_refusal_of_usage_in_an_answer_leaves_it_out(
    sent: str, mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    body = json.dumps(REFUSAL).encode()
    forms = {
        "event": raw(REFUSED, content_type=SSE),
        "error event": raw(b"event: error\n" + REFUSED, content_type=SSE),
        "body": raw(body),
    }
    server.enqueue(forms[sent], fault("http_500"), raw(GOOD + END, content_type=SSE))
    # A further try is counted anew: none has begun an answer.
    message = ask(mode, make_model(max_retries=1))
    assert (message.text, message.additional_kwargs["thought"]) == ("Hello", "Hm")
    assert ["stream_options" in r.body for r in server.requests] == [True, False, False]


@pytest.mark.parametrize("mode", ["stream", "astream"])
@pytest.mark.parametrize(
    ("before", "options"),
    [(GOOD, {}), (GOOD, {"planner_mode": True}), (b"", {"planner_mode": True})],
    ids=["begun", "begun, agents may act", "agents may act"],
)
def test_what_has_begun_or_may_act_is_not_sent_again_without_usage(
    before: bytes, options: Any, mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    server.enqueue(raw(before + REFUSED, content_type=SSE))
    model = make_model(max_retries=2)
    with pytest.raises(ASIOneBadRequestError, match="stream_options refused") as caught:
        WAYS[mode](model, **options)
    assert caught.value.partial_text == ("Hello" if before else "")
    assert len(server.requests) == 1
    WAYS[mode](model, **options)
    assert ["stream_options" in r.body for r in server.requests] == [True, False]


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_what_may_act_is_not_sent_again_after_a_status_that_refuses_usage(
    mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    model = make_model(max_retries=2, planner_mode=True)
    with pytest.raises(ASIOneBadRequestError, match="stream_options"):
        WAYS[mode](model, "[fault: http_400_stream_options]")
    assert len(server.requests) == 1
    assert WAYS[mode](model, "[fault: http_400_stream_options]").text


# --- A stream that is not kept takes no memory ---


@contextlib.contextmanager
def flood(part: bytes, times: int, end: bytes) -> Iterator[str]:
    """Answer one request with a part again and again."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                read_request(connection)
                connection.sendall(HEAD)
                for _ in range(times):
                    connection.sendall(part)
                connection.sendall(end)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["text", "thought"])
def test_a_stream_that_is_not_kept_takes_no_more_than_its_text(
    kind: str, make_model: MakeModel
) -> None:
    count, batch = 10_000, 200
    part = event({"content" if kind == "text" else "thought": "ten chars "})
    with flood(part * batch, count // batch, END) as url:
        chunks = make_model(base_url=url)._stream([HumanMessage("x")])
        for _ in range(1000):  # whatever is made once
            next(chunks)
        tracemalloc.start()
        try:
            seen = sum(1 for _ in chunks)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert seen == count - 1000 + 1
    # A chunk takes some 2,000 bytes: kept, they would be 20 MB. A text buffer holds four bytes a
    # character, and grows ahead.
    assert peak < count * 10 * 6 + 1_500_000
