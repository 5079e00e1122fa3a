"""Structured answers while they arrive: the values of LangChain's own parsers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import reduce
from operator import add
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import (
    JsonOutputKeyToolsParser,
    JsonOutputParser,
    PydanticToolsParser,
)
from langchain_core.runnables import RunnableSequence
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._response.messages import make_generation_chunk
from langchain_asi_one._response.reader import AnswerReader
from langchain_asi_one.testing import LocalASIOne, stream
from tests.support.examples import examples
from tests.support.model import MakeModel

# With langchain-core before 1.7.5 a refusal is an OutputParserException.
REFUSAL_ERROR: type[Exception] = getattr(exceptions, "ModelRefusalError", OutputParserException)


class City(BaseModel):
    """A city."""

    name: str
    sights: list[str] | None = None


def call_delta(arguments: str, **begun: Any) -> dict[str, Any]:
    name = {"name": begun.pop("name")} if "name" in begun else {}
    call = {"index": 0, **begun, "function": {**name, "arguments": arguments}}
    return {"tool_calls": [call]}


SCHEMA = {
    "title": "City",
    "description": "A city.",
    "type": "object",
    "properties": {"name": {"type": "string"}},
}
MODEL = ChatASIOne(api_key="any", base_url="http://127.0.0.1:9/v1")
# Without escapes: of one that is cut, LangChain drops the string. And without what its parser of
# Markdown takes for blanks around the JSON, as those end a string that has not ended.
PLAIN = st.text(st.sampled_from("aé😀{}[]:,'/"), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.floats(-9, 9) | PLAIN,
    lambda child: st.lists(child, max_size=3) | st.dictionaries(PLAIN, child, max_size=3),
    max_leaves=8,
)
CITIES = st.fixed_dictionaries(
    {"name": PLAIN}, optional={"sights": st.lists(PLAIN, max_size=3) | st.none()}
)
ANSWERS = CITIES | CITIES | st.dictionaries(PLAIN, VALUES, max_size=3)


def messages(deltas: list[dict[str, Any]]) -> list[AIMessageChunk]:
    """The chunks that a model would stream."""
    reader = AnswerReader(streamed=True)
    wire: list[dict[str, Any]] = [{"id": "r1", "choices": [{"delta": delta}]} for delta in deltas]
    wire.append({"id": "r1", "choices": [{"delta": {}, "finish_reason": "stop"}]})
    read = [*map(reader.feed, wire), reader.close()]
    told = [d for d in read if d["text"] or d["thought"] or d["tool_calls"] or "last" in d]
    chunks = [make_generation_chunk(delta, session_id="s1").message for delta in told]
    for chunk in chunks:
        chunk.id = "run-1"
    return [chunk for chunk in chunks if isinstance(chunk, AIMessageChunk)]


def pieces_of(text: str, sizes: list[int]) -> list[str]:
    found: list[str] = []
    while text:
        size = sizes[len(found) % len(sizes)] if sizes else len(text)
        found.append(text[:size])
        text = text[size:]
    return found


def calls(arguments: str, sizes: list[int]) -> list[dict[str, Any]]:
    first, *rest = ["", *pieces_of(arguments, sizes)]
    return [call_delta(first, id="c1", name="City"), *map(call_delta, rest)]


def streamed(parser: Any, chunks: list[AIMessageChunk]) -> list[Any]:
    """The values that a parser streams, sync, and async the same."""

    async def arrive() -> AsyncIterator[AIMessageChunk]:
        for chunk in chunks:
            yield chunk

    async def values() -> list[Any]:
        return [value async for value in parser.atransform(arrive())]

    found = list(parser.transform(iter(chunks)))
    assert asyncio.run(values()) == found
    return found


def parser_of(schema: Any, method: Any, **options: Any) -> Any:
    chain = MODEL.with_structured_output(schema, method=method, **options)
    assert isinstance(chain, RunnableSequence)
    return chain.last


SIZES = st.lists(st.integers(1, 9), max_size=4)


@examples(40)
@given(ANSWERS, SIZES)
@example({"name": "Rome", "sights": ["a", "b"]}, [1])
@example({"name": 5}, [1])
@example({}, [1])
def test_calls_are_streamed_as_by_langchains_parsers(value: Any, sizes: list[int]) -> None:
    chunks = messages(calls(json.dumps(value, ensure_ascii=False), sizes))
    for schema in (City, SCHEMA):
        ours = parser_of(schema, "function_calling")
        found, failure = _values(ours, chunks)
        assert found == list(langchains_parser(schema).transform(iter(chunks)))
        assert failure is _error(ours, chunks) is _error(langchains_parser(schema), chunks)
        if failure is None:
            assert found[-1] == ours.invoke(reduce(add, chunks))
    assert streamed(parser_of(SCHEMA, "function_calling"), chunks)[-1] == value


def langchains_parser(schema: Any) -> Any:
    """LangChain's parser of calls, as its own models have it."""
    if schema is City:
        return PydanticToolsParser(tools=[City], first_tool_only=True)
    return JsonOutputKeyToolsParser(key_name="City", first_tool_only=True)


def _error(parser: Any, chunks: list[AIMessageChunk]) -> type | None:
    """What a whole answer fails with."""
    try:
        parser.invoke(reduce(add, chunks))
    except (ValueError, OutputParserException) as error:
        return type(error)
    return None


def _values(parser: Any, chunks: list[AIMessageChunk]) -> tuple[list[Any], type | None]:
    """What a parser streams, and what it fails with."""
    found: list[Any] = []
    try:
        for value in parser.transform(iter(chunks)):
            found.append(value)  # noqa: PERF402 - what came before an error is wanted
    except (ValueError, OutputParserException) as error:
        return found, type(error)
    return found, None


@examples(60)
@given(ANSWERS, SIZES, st.sampled_from(["", " \n"]), st.sampled_from([None, 1]))
@example({"name": "Rome", "sights": ["a", "b"]}, [1], "", None)
@example({}, [1], " ", 1)
def test_json_is_streamed_as_by_langchains_parser(
    value: Any, sizes: list[int], before: str, indent: int | None
) -> None:
    text = before + json.dumps(value, ensure_ascii=False, indent=indent)
    chunks = messages([{"content": piece} for piece in pieces_of(text, sizes)])
    wanted = list(JsonOutputParser().transform(iter(chunks)))
    ours = parser_of(SCHEMA, "json_schema")
    assert streamed(ours, chunks) == wanted
    assert wanted[-1] == value == ours.invoke(reduce(add, chunks))
    # LangChain's Pydantic parser shows only what fits.
    validated = [City.model_validate(v) for v in wanted if _fits(v)]
    found, failure = _values(parser_of(City, "json_schema"), chunks)
    assert found == [v for n, v in enumerate(validated) if not n or v != validated[n - 1]]
    assert failure is (None if _fits(value) else OutputParserException)


def _fits(value: Any) -> bool:
    try:
        City.model_validate(value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"name": "a", "sights": ["b", "c"]}\n```',
        '```\n{"name": "a", "sights": ["b", "c"]}\n```',
        'Sure:\n```json\n{"name": "a", "sights": ["b", "c"]}\n```\nEnjoy!',
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_fenced_json_is_streamed_to_its_value(text: str, size: int) -> None:
    chunks = messages([{"content": piece} for piece in pieces_of(text, [size])])
    whole = {"name": "a", "sights": ["b", "c"]}
    found = streamed(parser_of(SCHEMA, "json_schema"), chunks)
    steps: list[Any] = [
        *({}, {"name": ""}, {"name": "a"}, {"name": "a", "sights": []}),
        *({"name": "a", "sights": s} for s in ([""], ["b"], ["b", ""], ["b", "c"])),
    ]
    assert found[-1] == whole
    assert [step for step in steps if step in found] == found
    if size == 1:
        assert found == steps


PROSE = ["Rome, I think.", "", "Well: {name} is [it].", "`` `{`", "null", "5"]


@pytest.mark.parametrize("text", PROSE)
@pytest.mark.parametrize("size", [1, 100])
def test_prose_yields_nothing_and_is_an_error(text: str, size: int) -> None:
    chunks = messages([{"content": piece} for piece in pieces_of(text, [size])])
    for schema in (City, SCHEMA):
        found, failure = _values(parser_of(schema, "json_schema"), chunks)
        if text in ("null", "5") and schema is SCHEMA:
            # Whole JSON, though no object: told at the end, as invoke does; `None` is no value.
            assert (found, failure) == ([json.loads(text)] if text != "null" else [], None)
        else:
            assert (found, failure) == ([], OutputParserException)


@pytest.mark.parametrize("schema", [City, SCHEMA], ids=["pydantic", "dict"])
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
async def test_a_cut_answer_yields_what_came_and_is_an_error(
    schema: Any, method: Any, make_model: MakeModel, server: LocalASIOne
) -> None:
    text = '{"name": "Ro'
    parts = calls(text, [5]) if method == "function_calling" else [{"content": text}]
    wire: list[dict[str, Any]] = [{"choices": [{"delta": part}]} for part in parts]
    wire.append({"choices": [{"delta": {}, "finish_reason": "length"}]})
    server.enqueue(stream(wire), stream(wire))
    chain = make_model().with_structured_output(schema, method=method)
    partial = City(name="Ro") if schema is City else {"name": "Ro"}
    found: list[Any] = []
    with pytest.raises(OutputParserException, match="not complete JSON"):  # noqa: PT012 - as above
        for value in chain.stream("x"):
            found.append(value)  # noqa: PERF402 - what came before the error is wanted
    afound: list[Any] = []
    with pytest.raises(OutputParserException, match="not complete JSON"):  # noqa: PT012 - as above
        async for value in chain.astream("x"):
            afound.append(value)  # noqa: PERF401 - as above
    assert found[-1] == afound[-1] == partial
    assert found == afound


def test_a_refusal_yields_nothing_and_is_an_error() -> None:
    chunks = messages([{"refusal": "I "}, {"refusal": "cannot"}, {"refusal": "."}])
    for schema in (City, SCHEMA):
        parser = parser_of(schema, "json_schema")
        with pytest.raises(REFUSAL_ERROR, match="refused to answer: I cannot"):
            list(parser.transform(iter(chunks)))
        with pytest.raises(REFUSAL_ERROR, match="refused to answer: I cannot"):
            parser.invoke(reduce(add, chunks))


@pytest.mark.parametrize("said", ["", "I look it up. ", '{"name": "Ro'])
def test_a_tool_call_beside_a_schema_is_no_answer(said: str) -> None:
    deltas = [{"content": said}] if said else []
    chunks = messages([*deltas, *calls('{"name": "Rome"}', [4])])
    parser = parser_of(SCHEMA, "json_schema", tools=[City])
    begun: list[Any] = [{"name": "Ro"}] if said.startswith("{") else []
    # What came before the call cannot be taken back; no error, as the call is to be run.
    assert streamed(parser, chunks) == begun
    assert parser.invoke(reduce(add, chunks)) is None


def test_the_second_of_two_calls_of_the_schema_is_not_shown() -> None:
    other = {"index": 1, "id": "c2", "function": {"name": "City", "arguments": '{"name": "Bonn"}'}}
    deltas = [*calls('{"name": "Rome"}', [6]), {"tool_calls": [other]}]
    chunks = messages(deltas)
    parser = parser_of(SCHEMA, "function_calling")
    assert streamed(parser, chunks) == list(langchains_parser(SCHEMA).transform(iter(chunks)))
    assert streamed(parser, chunks)[-1] == {"name": "Rome"}


def test_a_call_of_another_tool_is_not_shown() -> None:
    other = {"index": 0, "id": "c2", "function": {"name": "Other", "arguments": '{"name": "B"}'}}
    call = {"index": 1, "id": "c1", "function": {"name": "City", "arguments": '{"name": "Rome"}'}}
    chunks = messages([{"tool_calls": [other]}, {"tool_calls": [call]}])
    assert streamed(parser_of(SCHEMA, "function_calling"), chunks) == [{"name": "Rome"}]
    # LangChain's parser of Pydantic calls refuses such an answer, that of dicts does not.
    assert streamed(parser_of(City, "function_calling"), chunks) == [City(name="Rome")]


def test_a_string_is_parsed_as_a_message_is() -> None:
    parser = parser_of(SCHEMA, "json_schema")
    assert list(parser.transform(iter(['{"name": ', '"Ro', 'me"}']))) == [
        {},
        {"name": "Ro"},
        {"name": "Rome"},
    ]


# --- Traces ---


class Tracer(BaseTracer):
    """Keeps each run as it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        todo = [run]
        while todo:
            one = todo.pop()
            self.runs.append(one)
            todo += one.child_runs


def traced(chain: Any, *, is_async: bool) -> tuple[list[Any], dict[str, tuple[Any, Any]]]:
    """What a chain streams, and inputs and outputs of its runs by their type."""
    tracer = Tracer()
    config: Any = {"callbacks": [tracer]}

    async def values() -> list[Any]:
        return [value async for value in chain.astream("x", config)]

    found = asyncio.run(values()) if is_async else list(chain.stream("x", config))
    return found, {run.run_type: (run.inputs, run.outputs) for run in tracer.runs}


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_a_trace_shows_the_parser_the_whole_answer(
    method: Any, is_async: bool, make_model: MakeModel, server: LocalASIOne
) -> None:
    text = '{"name": "Rome", "sights": ["Forum"]}'
    parts = calls(text, [7]) if method == "function_calling" else [{"content": text}]
    parts = [{"thought": "Hm"}, {"thought": "m"}, *parts]
    wire: list[dict[str, Any]] = [{"id": "r1", "choices": [{"delta": part}]} for part in parts]
    wire.append({"id": "r1", "choices": [{"delta": {}, "finish_reason": "stop"}]})
    server.enqueue(stream(wire), stream(wire))
    chain = make_model().with_structured_output(SCHEMA, method=method)
    assert isinstance(chain, RunnableSequence)
    calls_tool = method == "function_calling"
    langchains = langchains_parser(SCHEMA) if calls_tool else JsonOutputParser()

    values, runs = traced(chain, is_async=is_async)
    wanted_values, wanted = traced(chain.first | langchains, is_async=is_async)

    assert values == wanted_values
    assert set(runs) == set(wanted)
    inputs, outputs = runs["parser"]
    whole, last = wanted["parser"]
    assert type(inputs["input"]) is type(whole["input"]) is AIMessageChunk
    assert _comparable(inputs["input"]) == _comparable(whole["input"])
    assert outputs == last == {"name": "Rome", "sights": ["Forum"]}
    assert _comparable(runs["llm"][1]) == _comparable(wanted["llm"][1])
    assert runs["chain"] == wanted["chain"]


def _comparable(value: Any) -> Any:
    """Without what differs from run to run."""
    if isinstance(value, AIMessageChunk):
        value = value.model_dump()
    if isinstance(value, dict):
        return {k: _comparable(v) for k, v in value.items() if k not in ("id", "session_id")}
    return [_comparable(item) for item in value] if isinstance(value, list) else value
