"""Every published chat sample, asked for in every way: the whole message, and parity.

Not here, as they are no answers of the chat API: the two `image-generate` files (another endpoint),
`asi1-2026-apiref-request-example.json` (a request) and `agentverse-protocol-manifest` (an agent's
description of itself).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._response.messages import make_chunk, make_message
from langchain_asi_one._response.reader import AnswerReader
from langchain_asi_one._transport.decoders import CompletionStreamDecoder
from langchain_asi_one.errors import InvalidResponseError
from langchain_asi_one.testing import LocalASIOne, answer, raw
from langchain_asi_one.testing import stream as streamed
from langchain_asi_one.testing._render import render_body, render_stream
from langchain_asi_one.testing._replies import SAMPLES, Reply, sample
from tests.support.examples import examples
from tests.support.model import MakeModel
from tests.support.published_answers import (
    ANNOUNCED_CALL,
    API_REFERENCE,
    JSON_MODE,
    MESSAGES,
    RECORDED_STREAM,
    RENDERED_EXTRA,
    SESSION_ID,
    STREAMED_TEXT,
    TOOL_CALL,
    blocks,
)
from tests.support.ways import (
    FOUR_WAYS,
    MISSING_CALL_WARNING,
    STRUCTURED_WAYS,
    WAYS,
    ask,
    assert_is,
    raw_of,
    sum_of,
)

CHAT_SAMPLES = sorted(MESSAGES)
TRUNCATED = sorted(path.name for path in SAMPLES.glob("*.truncated"))
NO_CHAT_SAMPLES = {
    "INDEX.md",
    "agentverse-protocol-manifest-agentchat-0.3.0.json",
    "asi1-2026-apiref-request-example.json",
    "image-generate-2025-request.json",
    "image-generate-2025-response.json",
}
pytestmark = [
    # Version 3 of events is announced as beta by LangChain.
    pytest.mark.filterwarnings(r"ignore:The method `BaseChatModel\..*_v3` is in beta"),
    # The same few answers in every way to ask: lines that other tests trace.
    pytest.mark.no_cover,
]


def expected(name: str, way: str, version: str, extra: dict[str, Any] | None = None) -> AIMessage:
    """The message that a sample must become."""
    fields = dict(MESSAGES[name])
    text = fields["content"]
    if "stream" in way and extra is None:
        text = STREAMED_TEXT.get(name, text)
    metadata = dict(fields["response_metadata"])
    if extra is not None:
        metadata["extra"] = extra
        if name == RECORDED_STREAM:
            del metadata["created"]  # no body of that time had it
    fields |= {"content": text, "response_metadata": metadata}
    if version == "v1" or "events" in way:
        # Events of version 3 give blocks whatever the model's output_version is.
        metadata["output_version"] = "v1"
        fields["content"] = blocks(name, text)
    return AIMessage(**fields)


def in_the_other_mode(name: str, way: str) -> Reply | None:
    """A sample for the mode that it was not published in; `None` where it was."""
    published_as_stream = name == RECORDED_STREAM
    if published_as_stream == ("stream" in way):
        return None
    content = (SAMPLES / name).read_bytes()
    if published_as_stream:
        return answer(render_body(content))
    return raw(render_stream(json.loads(content)), content_type="text/event-stream")


def test_every_sample_is_used_or_named() -> None:
    present = {path.name for path in SAMPLES.iterdir()}
    assert present == {*MESSAGES, *TRUNCATED, *NO_CHAT_SAMPLES}
    assert len(TRUNCATED) == 2


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CHAT_SAMPLES)
def test_a_sample_byte_for_byte(
    server: LocalASIOne, make_model: MakeModel, name: str, way: str, version: str
) -> None:
    if name == RECORDED_STREAM and "stream" not in way:
        reply = in_the_other_mode(name, way)
        assert reply is not None
        wanted = expected(name, way, version, RENDERED_EXTRA[name])
    else:
        # A JSON body for a request that asked to stream: a gateway may ignore `stream`.
        reply, wanted = sample(name), expected(name, way, version)
    server.enqueue(reply)

    message = ask(way, make_model(session_id=SESSION_ID, output_version=version))

    assert_is(message, wanted)
    assert server.requests[0].body["stream"] is ("stream" in way)


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", [way for way in WAYS if "stream" in way])
@pytest.mark.parametrize("name", [name for name in CHAT_SAMPLES if name != RECORDED_STREAM])
def test_a_body_as_a_stream(
    server: LocalASIOne, make_model: MakeModel, name: str, way: str, version: str
) -> None:
    extra = RENDERED_EXTRA.get(name, MESSAGES[name]["response_metadata"].get("extra"))
    reply = in_the_other_mode(name, way)
    assert reply is not None
    server.enqueue(reply)

    message = ask(way, make_model(session_id=SESSION_ID, output_version=version))

    assert_is(message, expected(name, way, version, extra))


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", [way for way in WAYS if "stream" in way])
@pytest.mark.parametrize("name", [name for name in CHAT_SAMPLES if name != RECORDED_STREAM])
def test_a_body_whose_message_is_one_delta_gives_what_invoke_gives(
    server: LocalASIOne, make_model: MakeModel, name: str, way: str, version: str
) -> None:
    body = json.loads((SAMPLES / name).read_bytes())
    [choice] = body["choices"]
    delta = {"delta" if key == "message" else key: value for key, value in choice.items()}
    delta["delta"] = choice["message"]
    server.enqueue(sample(name), streamed([{**body, "choices": [delta]}]))
    # Events of version 3 give blocks whatever the model's output_version is.
    invoked_version = "v1" if "events" in way else version

    invoked = ask("invoke", make_model(session_id=SESSION_ID, output_version=invoked_version))
    streamed_message = ask(way, make_model(session_id=SESSION_ID, output_version=version))

    assert_is(streamed_message, invoked)


class get_weather(BaseModel):  # noqa: N801 - a tool is known by its class's name
    """Weather at a place."""

    latitude: float
    longitude: float


class Attractions(BaseModel):
    """Sights of a city."""

    attractions: list[str]


@pytest.mark.filterwarnings("ignore:ASI.One ended an answer with finish_reason 'tool_calls'")
@pytest.mark.parametrize(
    ("method", "version"),
    [
        ("function_calling", "v0"),
        ("function_calling", "v1"),
        ("json_schema", "v0"),
        ("json_mode", "v1"),
    ],
)
@pytest.mark.parametrize("name", CHAT_SAMPLES)
def test_structured_output_changes_no_message(
    server: LocalASIOne, make_model: MakeModel, name: str, method: Any, version: str
) -> None:
    model = make_model(session_id=SESSION_ID, output_version=version)
    bound = model.with_structured_output(get_weather, method=method, include_raw=True)
    for way, results in STRUCTURED_WAYS.items():
        recorded = name == RECORDED_STREAM and "stream" not in way
        other = in_the_other_mode(name, way) if recorded else None
        server.enqueue(other or sample(name))

        wanted = expected(name, way, version, RENDERED_EXTRA[name] if recorded else None)
        assert_is(raw_of(results(bound)), wanted)


@pytest.mark.parametrize(
    ("name", "method", "schema", "value"),
    [
        pytest.param(
            TOOL_CALL,
            "function_calling",
            get_weather,
            get_weather(latitude=22.7196, longitude=75.8577),
            id="tool call",
        ),
        *(
            # The API sent this JSON inside a code fence.
            pytest.param(
                JSON_MODE,
                method,
                Attractions,
                Attractions(attractions=["Eiffel Tower", "Louvre Museum", "Notre-Dame Cathedral"]),
                id=method,
            )
            for method in ("json_schema", "json_mode")
        ),
    ],
)
def test_samples_that_hold_data_are_parsed(
    server: LocalASIOne, model: ChatASIOne, name: str, method: Any, schema: Any, value: BaseModel
) -> None:
    chain = model.with_structured_output(schema, method=method)
    for results in STRUCTURED_WAYS.values():
        server.enqueue(sample(name))
        [*_, last] = results(chain)
        assert isinstance(last, schema)
        assert last.model_dump() == value.model_dump()


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize("name", TRUNCATED)
def test_a_truncated_sample_is_an_error_that_says_where(
    server: LocalASIOne, make_model: MakeModel, name: str, way: str
) -> None:
    server.enqueue(sample(name))

    with pytest.raises(InvalidResponseError) as caught:
        ask(way, make_model(session_id=SESSION_ID))

    said = str(caught.value)
    lines = (SAMPLES / name).read_text("utf-8").split("\n")
    assert (
        f"is not JSON (application/json; Unterminated string starting at: line {len(lines)}" in said
    )
    assert '"choices"' in said  # the beginning of what came
    assert "Try again; if it stays, report it with the session id." in said
    assert said.endswith(f"(model 'asi1', session '{SESSION_ID}')")
    assert "sk_test" not in said


def test_an_announced_call_that_is_missing_is_warned_of_once(
    server: LocalASIOne, make_model: MakeModel
) -> None:
    for way, run in WAYS.items():
        model = make_model()
        server.enqueue(sample(ANNOUNCED_CALL), sample(ANNOUNCED_CALL))
        with pytest.warns(UserWarning, match=MISSING_CALL_WARNING):
            run(model)
        run(model)  # a second warning would be an error here
        assert len(server.requests) == 2, way
        server.clear()


def test_the_reference_example_says_itself_which_text_comes_when(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    server.enqueue(sample(API_REFERENCE), sample(API_REFERENCE))

    assert model.invoke("Hello").text.endswith("when stream is false")
    assert sum_of(model.stream("Hello")).text.endswith("when stream is true.")


# --- Any split of the bytes gives the same message. ---

RECORDED = (SAMPLES / RECORDED_STREAM).read_bytes()


@pytest.mark.parametrize("piece_size", [5, 7, 64, 1000, 4096, len(RECORDED)])
@pytest.mark.parametrize("way", ["stream", "astream", "astream_events"])
def test_the_recorded_stream_in_pieces(
    server: LocalASIOne, make_model: MakeModel, way: str, piece_size: int
) -> None:
    server.enqueue(streamed([RECORDED], piece_size=piece_size, done=False))

    message = ask(way, make_model(session_id=SESSION_ID))

    assert_is(message, expected(RECORDED_STREAM, way, "v0"))


def _read(pieces: Iterable[bytes]) -> AIMessage:
    decoder, reader = CompletionStreamDecoder("text/event-stream"), AnswerReader(streamed=True)
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    chunks += decoder.close()
    assert decoder.done
    deltas = [*map(reader.feed, chunks), reader.close()]
    message = make_message(deltas, session_id=SESSION_ID)
    streamed_sum = sum_of([make_chunk(delta, session_id=SESSION_ID) for delta in deltas])
    assert streamed_sum == message
    return message


@pytest.mark.no_cover
def test_the_recorded_stream_byte_by_byte() -> None:
    message = _read(RECORDED[place : place + 1] for place in range(len(RECORDED)))

    assert_is(message, expected(RECORDED_STREAM, "stream", "v0"))


@examples(50)
@given(st.lists(st.integers(min_value=0, max_value=len(RECORDED)), max_size=40))
def test_the_recorded_stream_split_anywhere(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(RECORDED)]
    pieces = [RECORDED[start:end] for start, end in pairwise(places)]

    assert_is(_read(pieces), expected(RECORDED_STREAM, "stream", "v0"))


@examples(75)
@given(st.sampled_from([b"\n", b"\r\n", b"\r"]), st.integers(min_value=1, max_value=300))
def test_line_ends_and_piece_sizes_change_nothing(line_end: bytes, size: int) -> None:
    data = RECORDED.replace(b"\n", line_end)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    assert_is(_read(pieces), expected(RECORDED_STREAM, "stream", "v0"))
