"""Deferred answers over a real socket: the stand-in gives them at the Nth poll of a session."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Awaitable, Callable
from functools import reduce
from itertools import pairwise
from operator import add as plus
from typing import Any
from uuid import UUID

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import Runnable, RunnableLambda

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request.session import make_thread_session
from langchain_asi_one.errors import (
    ASIOneAuthenticationError,
    ASIOneError,
    ASIOneServerError,
    IncompleteStreamError,
)
from langchain_asi_one.follow_up import (
    EVENT,
    AnswerPendingError,
    FollowUpRunnable,
    with_follow_up,
)
from langchain_asi_one.testing import LocalASIOne, answer, fault, raw
from langchain_asi_one.testing import stream as streamed
from tests.support.gated_server import GatedServer
from tests.support.model import MakeModel
from tests.support.patience import FOREVER, eventually

Ask = Callable[..., Awaitable[AIMessage]]

STAND_IN = "[local stand-in] I've sent the message"
FAST = 0.02


async def _invoke(runnable: Runnable[Any, Any], *given: Any, **kwargs: Any) -> AIMessage:
    return as_message(await asyncio.to_thread(runnable.invoke, *given, **kwargs))


async def _ainvoke(runnable: Runnable[Any, Any], *given: Any, **kwargs: Any) -> AIMessage:
    return as_message(await runnable.ainvoke(*given, **kwargs))


async def _stream(runnable: Runnable[Any, Any], *given: Any, **kwargs: Any) -> AIMessage:
    chunks = await asyncio.to_thread(lambda: list(runnable.stream(*given, **kwargs)))
    return as_message(reduce(plus, chunks))


async def _astream(runnable: Runnable[Any, Any], *given: Any, **kwargs: Any) -> AIMessage:
    chunks = [chunk async for chunk in runnable.astream(*given, **kwargs)]
    return as_message(reduce(plus, chunks))


def as_message(message: object) -> AIMessage:
    assert isinstance(message, AIMessage)
    return message


@pytest.fixture(params=[_invoke, _ainvoke, _stream, _astream])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each way to run a Runnable to one whole answer."""
    way: Ask = request.param
    return way


def read_requests(server: LocalASIOne) -> list[list[tuple[str, str]]]:
    """Role and text of the messages of each request."""
    bodies = [request.body for request in server.requests]
    return [[(m["role"], m["content"]) for m in body["messages"]] for body in bodies]


def reply(text: str, **more: Any) -> Any:
    return answer({"choices": [{"message": {"role": "assistant", "content": text, **more}}]})


async def test_asks_again_in_the_session_until_the_answer_comes(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    message = await ask(
        model.with_follow_up(interval=FAST), [("system", "Be brief."), "[deferred: 3] A table?"]
    )
    question = [("system", "Be brief."), ("user", "[deferred: 3] A table?")]
    poll = [*question, ("assistant", STAND_IN), ("user", "Any update?")]
    assert read_requests(server) == [question, poll, poll, poll]
    (session,) = {request.session_id for request in server.requests}
    assert str(message.text).startswith('[local stand-in] You said: "A table?"')
    assert message.additional_kwargs["thought"].startswith("The user said 'Any update?'")
    assert message.response_metadata["follow_up_polls"] == 3
    assert message.response_metadata["session_id"] == session
    assert "pending" not in message.response_metadata
    times = [request.received_at for request in server.requests]
    assert all(later - earlier >= FAST for earlier, later in pairwise(times))


@pytest.mark.parametrize("question", ["[deferred: 2] A table?", "Plain", "[deferred: 9] A table?"])
async def test_all_ways_give_the_same_answer(
    server: LocalASIOne, model: ChatASIOne, question: str
) -> None:
    patient = model.with_follow_up(interval=FAST, max_polls=2)
    seen = []
    for way in (_invoke, _ainvoke, _stream, _astream):
        server.clear()
        message = await way(patient, question)
        metadata = dict(message.response_metadata)
        # Those that differ from request to request.
        assert [metadata.pop(name) for name in ("id", "session_id")]
        seen.append((message.content, message.additional_kwargs, message.usage_metadata, metadata))
    assert seen == [seen[0]] * 4


@pytest.mark.parametrize("text", ["Hello", "I've sent the message to Bob.", ""])
async def test_ordinary_answer_costs_no_poll_and_is_left_as_it_is(
    server: LocalASIOne, model: ChatASIOne, ask: Ask, text: str
) -> None:
    server.enqueue(reply(text), reply(text))
    plain = await ask(model, "Hi", session_id="s-1")
    message = await ask(model.with_follow_up(interval=FOREVER), "Hi", session_id="s-1")
    assert message.model_copy(update={"id": plain.id}) == plain
    assert len(server.requests) == 2


async def test_answer_to_a_local_tools_result_is_not_asked_after(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    server.enqueue(reply("I've sent the message"))
    call = {"name": "send", "args": {}, "id": "call_1", "type": "tool_call"}
    history: list[BaseMessage] = [
        AIMessage("", tool_calls=[call]),
        ToolMessage("sent", tool_call_id="call_1"),
    ]
    message = await ask(model.with_follow_up(interval=FOREVER), history)
    assert message.text == "I've sent the message"
    assert len(server.requests) == 1


async def test_bound_returns_what_there_is_marked_as_pending(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    message = await ask(model.with_follow_up(interval=FAST, max_polls=2), "[deferred: 9] Hi")
    assert message.text == STAND_IN
    assert message.response_metadata["pending"] is True
    assert message.response_metadata["follow_up_polls"] == 2
    assert len(server.requests) == 3


async def test_bound_raises_if_asked_to(server: LocalASIOne, model: ChatASIOne, ask: Ask) -> None:
    patient = model.with_follow_up(interval=FAST, max_polls=1, on_pending="raise")
    with pytest.raises(AnswerPendingError, match="after 1 polls") as raised:
        await ask(patient, "[deferred: 9] Hi")
    error = raised.value
    assert (error.answer.text, error.polls, error.model) == (STAND_IN, 1, "asi1")
    assert error.answer.response_metadata["pending"] is True
    assert error.session_id == server.requests[0].session_id


async def test_empty_polls_leave_the_last_answer_with_words(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    server.enqueue(reply("I've sent the message"), reply(""), reply(""))
    message = await ask(model.with_follow_up(interval=FAST, max_polls=2), "Hi")
    assert message.text == "I've sent the message"
    assert message.response_metadata["pending"] is True
    assert read_requests(server)[2] == read_requests(server)[1]


async def test_predicate_and_message_are_the_callers(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    server.enqueue(reply("waiting for it"), reply("still waiting for it"), reply("Table 4"))
    patient = model.with_follow_up(
        interval=FAST, is_pending=lambda m: "waiting for" in m.text, message="And?"
    )
    message = await ask(patient, "Hi")
    assert message.text == "Table 4"
    polls = [
        [("user", "Hi"), ("assistant", text), ("user", "And?")]
        for text in ("waiting for it", "still waiting for it")
    ]
    assert read_requests(server) == [[("user", "Hi")], *polls]


async def test_poll_that_calls_a_tool_ends_the_wait(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    server.enqueue(
        reply("I've sent the message"), reply("I've sent the message", tool_calls=[call])
    )
    message = await ask(model.with_follow_up(interval=FAST, max_polls=5), "Hi")
    assert [call["name"] for call in message.tool_calls] == ["add"]
    assert message.response_metadata["follow_up_polls"] == 1
    assert len(server.requests) == 2


async def test_error_of_a_poll_is_the_models(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    server.enqueue(reply("I've sent the message"), fault("http_401"))
    with pytest.raises(ASIOneAuthenticationError) as raised:
        await ask(model.with_follow_up(interval=FAST), "Hi")
    assert raised.value.session_id == server.requests[0].session_id
    assert len(server.requests) == 2


PASSING = {
    "408": "ASIOneTimeoutError: ASI:One answered 408",
    "http_429": "ASIOneRateLimitError: ASI:One answered 429",
    "http_500": "ASIOneServerError: ASI:One answered 500",
    "close_before_reply": "ASIOneConnectionError: ",
    "stall_before_headers": "ASIOneTimeoutError: ",
    "html_200": "InvalidResponseError: ",
}


@pytest.mark.parametrize("name", PASSING)
async def test_a_poll_that_fails_for_now_means_not_yet(
    server: LocalASIOne, make_model: MakeModel, ask: Ask, name: str
) -> None:
    listener = _Listener()
    failure = raw(b"{}", status=408) if name == "408" else fault(name)
    server.enqueue(reply("I've sent the message"), failure, reply(""), reply("Table 4"))
    patient = make_model(timeout=0.5).with_follow_up(interval=FAST)
    message = await ask(patient, "Hi", {"callbacks": [listener]})
    assert message.text == "Table 4"
    assert message.response_metadata["follow_up_polls"] == 3
    assert [len(messages) for messages in read_requests(server)] == [1, 3, 3, 3]
    assert len({request.session_id for request in server.requests}) == 1
    events = [data for _, data in listener.events]
    assert [event["poll"] for event in events] == [0, 1, 2]
    assert ["error" in event for event in events] == [False, True, False]
    assert events[1]["error"].startswith(PASSING[name])


@pytest.mark.parametrize("name", ["http_429", "close_before_reply"])
async def test_an_error_of_the_question_is_raised(
    server: LocalASIOne, model: ChatASIOne, ask: Ask, name: str
) -> None:
    server.enqueue(fault(name))
    with pytest.raises(ASIOneError):
        await ask(model.with_follow_up(interval=FAST), "Hi")
    assert len(server.requests) == 1


async def test_polls_that_all_fail_leave_the_answer_and_the_reason(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    server.enqueue(reply("I've sent the message"), *[fault("http_503_html")] * 2)
    message = await ask(model.with_follow_up(interval=FAST, max_polls=2), "Hi")
    assert message.text == "I've sent the message"
    metadata = message.response_metadata
    assert (metadata["pending"], metadata["follow_up_polls"]) == (True, 2)
    assert metadata["follow_up_error"].startswith("ASIOneServerError: ASI:One answered 503")
    server.enqueue(reply("I've sent the message"), *[fault("http_503_html")] * 2)
    patient = model.with_follow_up(interval=FAST, max_polls=2, on_pending="raise")
    with pytest.raises(AnswerPendingError, match="The last poll failed: ASIOneServerError"):
        await ask(patient, "Hi")


@pytest.mark.parametrize("way", [_stream, _astream])
async def test_an_answer_that_has_begun_and_breaks_off_is_an_error(
    server: LocalASIOne, model: ChatASIOne, way: Ask
) -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Table "}}]}
    server.enqueue(reply("I've sent the message"), streamed([chunk], done=False))
    with pytest.raises(IncompleteStreamError) as raised:
        await way(model.with_follow_up(interval=FAST), "Hi")
    assert raised.value.partial_text == "Table "
    assert len(server.requests) == 2


async def test_retry_after_is_waited(server: LocalASIOne, model: ChatASIOne, ask: Ask) -> None:
    server.enqueue(
        reply("I've sent the message"), fault("http_429", retry_after="0.3"), reply("Table 4")
    )
    assert (await ask(model.with_follow_up(interval=FAST), "Hi")).text == "Table 4"
    times = [request.received_at for request in server.requests]
    assert times[2] - times[1] >= 0.3


async def test_a_rate_limiter_spaces_polls_too(
    server: LocalASIOne, make_model: MakeModel, ask: Ask
) -> None:
    limiter = InMemoryRateLimiter(requests_per_second=10, check_every_n_seconds=0.01)
    patient = make_model(rate_limiter=limiter).with_follow_up(interval=0.001)
    await ask(patient, "[deferred: 3] Hi")
    times = [request.received_at for request in server.requests]
    assert len(times) == 4
    assert times[3] - times[0] >= 0.25


@pytest.mark.parametrize("way", [_invoke, _ainvoke])  # LangChain's streams read no cache
@pytest.mark.parametrize(
    ("placeholder", "is_pending"),
    [("I've sent the message", None), ("It is on its way", lambda m: "way" in m.text)],
)
async def test_no_cache_answers_for_agents(
    server: LocalASIOne,
    make_model: MakeModel,
    way: Ask,
    placeholder: str,
    is_pending: Callable[[AIMessage], bool] | None,
) -> None:
    model = make_model(cache=InMemoryCache())
    patient = model.with_follow_up(interval=FAST, is_pending=is_pending)
    for _ in range(2):
        server.clear()
        server.enqueue(*[reply(placeholder)] * 3, reply("Table 4"))
        assert (await way(patient, "Hi", session_id="s")).text == "Table 4"
        assert len(server.requests) == 4
    server.enqueue(reply("Plain"))
    for _ in range(2):
        assert (await way(model.with_follow_up(), "Hello", session_id="s")).text == "Plain"
    assert len(server.requests) == 5


@pytest.mark.parametrize("way", [_invoke, _ainvoke])  # LangChain does not retry streams
async def test_retry_inside_repeats_the_poll_and_not_the_question(
    server: LocalASIOne, model: ChatASIOne, way: Ask
) -> None:
    server.enqueue(reply("I've sent the message"), fault("http_500"), reply("Table 4"))
    retrying = model.with_retry(
        retry_if_exception_type=(ASIOneServerError,), wait_exponential_jitter=False
    )
    message = await way(with_follow_up(retrying, interval=FAST), "Hi")
    assert message.text == "Table 4"
    assert [len(messages) for messages in read_requests(server)] == [1, 3, 3]
    assert len({request.session_id for request in server.requests}) == 1


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_what_is_bound_goes_with_each_poll(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    server.enqueue(*[reply("I've sent the message")] * 2, reply("Table 4"))
    bound = model.bind_tools([add]).bind(temperature=0.5)
    patient = with_follow_up(bound, interval=FAST)
    assert (await ask(patient, "Hi", max_tokens=50)).text == "Table 4"
    sent = [{k: v for k, v in r.body.items() if k != "messages"} for r in server.requests]
    assert [body["tools"][0]["function"]["name"] for body in sent] == ["add"] * 3
    assert (sent[0]["temperature"], sent[0]["max_tokens"]) == (0.5, 50)
    assert sent == [sent[0]] * 3


async def test_thread_and_given_sessions_are_kept(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    patient = model.with_follow_up(interval=FAST)
    thread = {"configurable": {"thread_id": "ada@example.org"}}
    await ask(patient, "[deferred: 2] Hi", thread)
    await ask(patient, "[deferred: 2] Hi", session_id="mine")
    await ask(patient, "[deferred: 2] Hi")
    sessions = [request.session_id or "" for request in server.requests]
    assert sessions[:6] == [make_thread_session("ada@example.org")] * 3 + ["mine"] * 3
    assert UUID(sessions[6]).version == 5  # of the run
    assert sessions[6:] == [sessions[6]] * 3
    assert len(set(sessions)) == 3


async def test_chain_of_prompt_wait_and_parser(server: LocalASIOne, model: ChatASIOne) -> None:
    prompt = ChatPromptTemplate.from_messages([("user", "[deferred: 1] {city}")])
    chain = prompt | model.with_follow_up(interval=FAST) | StrOutputParser()
    expected = '[local stand-in] You said: "London". This is turn 2 of the session.'
    assert await chain.ainvoke({"city": "London"}) == expected
    assert "".join(chain.stream({"city": "London"})) == expected


async def test_chain_inside_is_refused_before_anything_is_asked(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    prompt = ChatPromptTemplate.from_messages([("user", "{city}")])
    with pytest.raises(ValueError, match="Wrap the model, not the chain"):
        await ask(with_follow_up(prompt | model), {"city": "London"})
    assert server.requests == []


async def test_parser_inside_is_refused(model: ChatASIOne, ask: Ask) -> None:
    with pytest.raises(TypeError, match="Put the parser behind it"):
        await ask(with_follow_up(model | StrOutputParser()), "Hi")


async def test_function_around_the_model_can_wait_too(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    around: Runnable[Any, Any] = RunnableLambda(lambda messages: as_message(model.invoke(messages)))
    message = await ask(with_follow_up(around, interval=FAST), "[deferred: 2] Hi")
    assert message.response_metadata["follow_up_polls"] == 2
    assert len({request.session_id for request in server.requests}) == 1


async def test_batches_wait_apart(server: LocalASIOne, model: ChatASIOne) -> None:
    patient = model.with_follow_up(interval=FAST)
    questions: list[Any] = [f"[deferred: {polls}] Question {polls}" for polls in range(4)]
    for messages in (patient.batch(questions), await patient.abatch(questions)):
        polls = [m.response_metadata.get("follow_up_polls", 0) for m in messages]
        assert polls == [0, 1, 2, 3]
        assert all(f"Question {n}" in str(m.text) for n, m in enumerate(messages))
    sessions = [request.session_id for request in server.requests]
    assert sorted(sessions.count(session) for session in set(sessions)) == [1, 1, 2, 2, 3, 3, 4, 4]


async def test_ordinary_stream_is_live(make_model: MakeModel) -> None:
    pieces = ["The ", "table ", "is ", "free."]
    choices: list[Any] = [{"index": 0, "delta": {"content": piece}} for piece in pieces]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    wire = [f"data: {json.dumps({'choices': [choice]})}\n\n".encode() for choice in choices]
    with GatedServer(*wire[:-1], wire[-1] + b"data: [DONE]\n\n") as gated:
        answer = make_model(base_url=gated.base_url).with_follow_up().astream("Hi")
        for number, piece in enumerate(pieces, 1):
            assert ((await anext(answer)).text, gated.sent) == (piece, number)
            gated.release()
        assert not "".join([str(chunk.text) async for chunk in answer])
        assert not gated.timed_out


def _waiting_events(server: LocalASIOne) -> list[dict[str, Any]]:
    common = {
        "max_polls": 2,
        "text": STAND_IN,
        "session_id": server.requests[0].session_id,
    }
    return [
        {"poll": poll, "next_poll_in": FAST if poll < 2 else None, **common} for poll in range(3)
    ]


class _Listener(BaseCallbackHandler):
    raise_error = True

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.tags: list[list[str] | None] = []

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data))

    def on_chat_model_start(self, *args: Any, tags: Any = None, **kwargs: Any) -> None:
        self.tags.append(sorted(tags))


async def test_callbacks_hear_of_each_pending_answer(
    server: LocalASIOne, model: ChatASIOne, ask: Ask
) -> None:
    listener = _Listener()
    patient = model.with_follow_up(interval=FAST, max_polls=2)
    await ask(patient, "[deferred: 9] Hi", {"callbacks": [listener], "tags": ["mine"]})
    assert listener.events == [(EVENT, event) for event in _waiting_events(server)]
    polls = [["follow_up:poll:1", "mine"], ["follow_up:poll:2", "mine"]]
    assert listener.tags == [["mine"], *polls]


async def test_intermediate_answers_are_events_of_the_run(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    patient = model.with_follow_up(interval=FAST, max_polls=2)
    events = [event async for event in patient.astream_events("[deferred: 9] Hi")]
    seen = [event for event in events if event["event"] == "on_custom_event"]
    assert [event["name"] for event in seen] == [EVENT] * 3
    assert [event["data"] for event in seen] == _waiting_events(server)
    (run,) = [e["run_id"] for e in events if e["event"] == "on_chain_start"]
    assert {event["run_id"] for event in seen} == {run}
    # Every token of every answer can be seen there, though only the last answer is streamed.
    shown = "".join(e["data"]["chunk"].text for e in events if e["event"] == "on_chat_model_stream")
    assert shown == STAND_IN * 3
    chunks = [e["data"]["chunk"] for e in events if e["event"] == "on_chain_stream"]
    assert reduce(plus, chunks).text == STAND_IN


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens on the server."""
    assert await asyncio.to_thread(eventually, condition)


async def test_cancelling_stops_at_once(server: LocalASIOne, model: ChatASIOne) -> None:
    listener = _Listener()
    patient = model.with_follow_up(interval=FOREVER)

    async def first_chunk(question: str, config: Any) -> AIMessage:
        return await anext(aiter(patient.astream(question, config)))

    for way in (patient.ainvoke, first_chunk):
        server.clear()
        listener.events.clear()
        task = asyncio.ensure_future(way("[deferred: 9] Hi", {"callbacks": [listener]}))
        await until(lambda: bool(listener.events))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(server.requests) == 1


async def test_closing_a_stream_closes_the_request(quiet_server: LocalASIOne) -> None:
    chunks = [{"choices": [{"index": 0, "delta": {"content": "word "}}]}] * 2
    patient = ChatASIOne(base_url=quiet_server.base_url, api_key="any").with_follow_up()
    quiet_server.enqueue(*[streamed(chunks, delay=FOREVER)] * 2)
    sync_pieces: Any = patient.stream("Hi")
    assert next(sync_pieces).text == "word "
    sync_pieces.close()
    await until(lambda: quiet_server.connections == 0)
    async_pieces: Any = patient.astream("Hi")
    assert (await anext(async_pieces)).text == "word "
    await async_pieces.aclose()
    await until(lambda: quiet_server.connections == 0)


async def test_waiting_model_can_be_pickled(server: LocalASIOne, model: ChatASIOne) -> None:
    patient = model.bind(stop=["x"]).with_follow_up(interval=FAST)
    copy = pickle.loads(pickle.dumps(patient))  # noqa: S301 - our own
    assert isinstance(copy, FollowUpRunnable)
    assert copy.rule == patient.rule
    assert (await _ainvoke(copy, "[deferred: 1] Hi")).response_metadata["follow_up_polls"] == 1
    assert [request.body["stop"] for request in server.requests] == [["x"]] * 2


async def test_answer_streamed_as_one_message_is_marked(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    around: Runnable[Any, Any] = RunnableLambda(model.invoke)
    patient = with_follow_up(around, interval=FAST)
    (message,) = list(patient.stream("[deferred: 1] Hi"))
    assert not isinstance(message, AIMessageChunk)
    assert message.response_metadata["follow_up_polls"] == 1
