"""Any JSON in any place of an answer gives a message or an error of ours, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from langchain_core.load import dumps
from langchain_core.messages import AIMessage

from langchain_asi_one import ChatASIOne
from langchain_asi_one._response.messages import make_message
from langchain_asi_one._response.reader import AnswerReader
from langchain_asi_one._transport.decoders import CompletionStreamDecoder, ProtocolError, read_body
from langchain_asi_one._transport.failures import RequestContext, map_protocol_error
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.testing import LocalASIOne, raw, stream
from tests.support.examples import examples

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["stop", "tool_calls", "text", "<tool_call>", "{}", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "index", "type", "text", "name", "function", "arguments"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FIELDS: dict[str, Any] = {
    "content": "Hi", "reasoning_content": "Hm", "reasoning": "Hm", "thought": ["Hm"],
    "tool_calls": [CALL], "executable_data": [{"a": 1}], "intermediate_steps": [], "role": "a",
}  # fmt: skip
BODY: dict[str, Any] = {
    "id": "1", "created": 1, "model": "asi1", "object": "chat.completion",
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "completion_tokens_details": {}},
    "choices": [{"index": 0, "message": FIELDS, "delta": FIELDS, "finish_reason": "stop"}],
    "thought": None, "executable_data": None, "plan_state": {}, "error": None, "detail": None,
}  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _paths(value[key], (*path, key))


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


PATHS = sorted({path for path in _paths(BODY) if path}, key=str)
SCHEMAS = {"f": {"type": "object", "properties": {"a": {"type": "string"}}}}
CHANGED = st.builds(lambda path, new: _with(BODY, path, new), st.sampled_from(PATHS), JSON)
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def _read(chunks: list[dict[str, Any]], *, streamed: bool) -> AIMessage:
    reader = AnswerReader(streamed=streamed, tools=SCHEMAS)
    return make_message([*map(reader.feed, chunks), reader.close()], session_id="s")


def _check_error(reason: ProtocolError) -> None:
    error = map_protocol_error(
        reason, RequestContext("http://127.0.0.1/v1", "http://127.0.0.1/v1", "asi1", "s")
    )
    assert isinstance(error, ASIOneError)
    assert "session 's'" in str(error)


@examples(200)
@given(body=CHANGED | JSON)
def test_any_body(body: Any) -> None:
    try:
        message = _read([read_body(json.dumps(body).encode(), "application/json")], streamed=False)
    except ProtocolError as reason:
        _check_error(reason)
    else:
        assert isinstance(message.content, str)
        assert json.loads(dumps(message))["kwargs"]["type"] == "ai"


@examples(150)
@given(chunks=st.lists(CHANGED | JSON, min_size=1, max_size=3))
def test_any_chunks(chunks: list[Any]) -> None:
    decoder = CompletionStreamDecoder("text/event-stream")
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, END])
    try:
        message = _read([*decoder.feed(events.encode()), *decoder.close()], streamed=True)
    except ProtocolError as reason:
        _check_error(reason)
    else:
        assert isinstance(message.content, str)
        assert json.loads(dumps(message))["kwargs"]["type"] == "ai"


@examples(10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=CHANGED | JSON)
def test_any_answer_over_a_socket(body: Any, server: LocalASIOne, model: ChatASIOne) -> None:
    """The same, through the model in all four call modes, which agree with each other."""
    server.enqueue(*[raw(json.dumps(body).encode())] * 2)
    server.enqueue(*[stream([f"data: {json.dumps(body)}\n\n"])] * 2)

    async def streamed() -> list[str]:
        return [chunk.text async for chunk in model.astream("Hi")]

    def ending(call: Callable[[], Any]) -> str:
        try:
            return str(call())
        except ASIOneError as error:
            return f"{type(error).__name__}: {error.info.body}"

    assert ending(lambda: model.invoke("Hi").text) == ending(
        lambda: asyncio.run(model.ainvoke("Hi")).text
    )
    assert ending(lambda: [chunk.text for chunk in model.stream("Hi")]) == ending(
        lambda: asyncio.run(streamed())
    )
