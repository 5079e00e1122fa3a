"""What the stand-in refuses, and that whatever else is sent to it gets an answer."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one._model_profiles import PROFILES
from langchain_asi_one._request.fields import TYPES
from langchain_asi_one.testing._default_answers import respond
from langchain_asi_one.testing._schema_examples import InvalidSchemaError
from langchain_asi_one.testing._sessions import Session
from langchain_asi_one.testing._validation import (
    KNOWN_FIELDS,
    MODELS,
    RequestRefusedError,
    check_request,
    parse_body,
)

Json = dict[str, Any]
JSON: Json = {"type": "json_object"}
HELLO: Json = {"role": "user", "content": "Hello"}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CALLING: Json = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT: Json = {"role": "tool", "tool_call_id": "c1", "content": "3"}
SECOND: Json = {**CALL, "id": "c2"}
TOOL: Json = {"type": "function", "function": {"name": "look", "description": "Look."}}
OPEN: Json = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED: Json = {**OPEN, "additionalProperties": False}


def request(**fields: Any) -> Json:
    return {"model": "asi1", "messages": [HELLO], **fields}


def image_of(**image: Any) -> Json:
    return request(
        messages=[{**HELLO, "content": [{"type": "image_url", "image_url": image}]}],
    )


def format_of(schema: Json, **fields: Any) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, **fields}}


def tool_of(**fields: Any) -> Json:
    return {"type": "function", "function": {"name": "look", **fields}}


def test_names_come_from_the_declarations() -> None:
    assert [*MODELS] == [*PROFILES]
    assert {*TYPES, "messages"} <= KNOWN_FIELDS


ALLOWED: list[Json] = [
    request(),
    request(temperature=2, top_p=0.5, max_tokens=0, stop="a", web_search=True),
    request(stream=True, stream_options={"include_usage": True}),
    request(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "look"}}),
    request(tools=[tool_of(strict=True, parameters=CLOSED)], parallel_tool_calls=False),
    request(response_format=format_of(OPEN)),
    request(response_format=format_of(CLOSED, strict=True, description="A.")),
    request(messages=[HELLO, CALLING, RESULT, {"role": "assistant", "content": "3"}, HELLO]),
    request(messages=[HELLO, {**CALLING, "refusal": None, "reasoning_content": "r"}, RESULT]),
    request(messages=[{**HELLO, "name": "Grace"}]),
    request(messages=[{**HELLO, "content": [{"type": "text", "text": "a"}]}]),
    request(stop=[*"abcd"]),
    request(tools=[{**TOOL, "function": {"name": f"look{n}"}} for n in range(128)]),
    request(messages=[{"role": "system", "content": "Give JSON."}], response_format=JSON),
    # A call may have the id of a call of an earlier turn; results may come in any order.
    request(messages=[HELLO, CALLING, RESULT, CALLING, RESULT]),
    request(
        messages=[
            {**CALLING, "tool_calls": [CALL, SECOND]},
            {**RESULT, "tool_call_id": "c2"},
            RESULT,
        ]
    ),
    image_of(url="https://a.example/b.png", detail="low"),
    image_of(url="data:image/png;base64,iVBORw0KGgo="),
]


@pytest.mark.parametrize("body", ALLOWED)
def test_what_the_documents_allow_is_allowed(body: Json) -> None:
    check_request(parse_body(json.dumps(body).encode()))


REFUSED: list[tuple[Json, str]] = [
    (request(tool_choice="auto"), "tool_choice"),
    (request(parallel_tool_calls=True), "parallel_tool_calls"),
    (request(tools=[]), "tools"),
    (request(tools=[{**TOOL, "name": "look"}]), "tools[0].name"),
    (request(tools=[tool_of(arguments={})]), "tools[0].function.arguments"),
    (request(tools=[tool_of(description=1)]), "tools[0].function.description"),
    (request(tools=[tool_of(parameters={"type": "string"})]), "tools[0].function.parameters"),
    (request(tools=[tool_of(strict="yes")]), "tools[0].function.strict"),
    (request(tools=[tool_of(strict=True, parameters=OPEN)]), "tools[0].function"),
    (request(tools=[TOOL], tool_choice={"function": {"name": "look"}}), "tool_choice"),
    (request(stream_options={"include_usage": True}), "stream_options"),
    (request(stream=True, stream_options={"usage": True}), "stream_options.usage"),
    (request(stream=True, stream_options={"include_usage": 1}), "stream_options.include_usage"),
    (request(max_tokens=-1), "max_tokens"),
    (request(thinking_budget=1.0), "thinking_budget"),
    (request(agent_address=1), "agent_address"),
    (request(response_format={"type": []}), "response_format"),
    (request(response_format={}), "response_format"),
    (request(response_format={"type": "json_object", "schema": {}}), "response_format.schema"),
    (request(response_format=format_of(OPEN, name="a b")), "response_format.json_schema.name"),
    (request(response_format=format_of(OPEN, strict=True)), "response_format.json_schema"),
    (
        request(response_format=format_of({"$defs": {"A": OPEN}, **CLOSED}, strict=True)),
        "response_format.json_schema",
    ),
    (
        request(response_format=format_of({"oneOf": [CLOSED, OPEN]}, strict=True)),
        "response_format.json_schema",
    ),
    (request(messages=[1]), "messages[0].role"),
    (request(messages=[{"role": []}]), "messages[0].role"),
    (request(messages=[{**HELLO, "thought": ""}]), "messages[0].thought"),
    (request(messages=[{**HELLO, "name": "Grace Hopper"}]), "messages[0].name"),
    (request(messages=[{**RESULT, "name": "look"}]), "messages[0].name"),
    (request(messages=[{**HELLO, "content": [{"type": "text"}]}]), "messages[0].content[0].text"),
    (request(messages=[{**HELLO, "content": []}]), "messages[0].content"),
    (
        request(messages=[{**HELLO, "content": [{"type": "image_url", "image_url": "u"}]}]),
        "messages[0].content[0].image_url",
    ),
    (
        request(messages=[{"role": "system", "content": [{"type": "image_url"}]}]),
        "messages[0].content[0]",
    ),
    (request(messages=[{"role": "assistant", "content": None}]), "messages[0].content"),
    (request(messages=[HELLO, CALLING]), "messages[1]"),
    (request(messages=[HELLO, CALLING, HELLO]), "messages[2]"),
    (request(messages=[{**CALLING, "tool_calls": CALL}]), "messages[0].tool_calls"),
    (
        request(messages=[{**CALLING, "tool_calls": [{**CALL, "id": None}]}]),
        "messages[0].tool_calls[0].id",
    ),
    (
        request(messages=[{**CALLING, "tool_calls": [{**CALL, "type": "x"}]}]),
        "messages[0].tool_calls[0].type",
    ),
    (
        request(messages=[{**CALLING, "tool_calls": [{**CALL, "function": {"arguments": "{}"}}]}]),
        "messages[0].tool_calls[0].function.name",
    ),
    (request(stop=[*"abcde"]), "stop"),
    (request(tools=[{**TOOL, "function": {"name": f"look{n}"}} for n in range(129)]), "tools"),
    (request(tools=[TOOL], tool_choice={**TOOL, "strict": True}), "tool_choice.strict"),
    (request(tools=[TOOL], tool_choice=tool_of(strict=True)), "tool_choice.function.strict"),
    (request(response_format=JSON), "messages"),
    (
        request(response_format=format_of({"type": "array", "items": CLOSED}, strict=True)),
        "response_format.json_schema",
    ),
    (request(messages=[HELLO, RESULT]), "messages[1].tool_call_id"),
    (request(messages=[HELLO, CALLING, RESULT, RESULT]), "messages[3].tool_call_id"),
    (
        request(messages=[CALLING, RESULT, {"role": "assistant", "content": "3"}, RESULT]),
        "messages[3].tool_call_id",
    ),
    (
        request(messages=[{**CALLING, "tool_calls": [CALL, CALL]}, RESULT]),
        "messages[0].tool_calls[1].id",
    ),
    *[
        (image_of(url=url), "messages[0].content[0].image_url.url")
        for url in (
            *("", "a.png", "file:///etc/passwd", "ftp://a.example/b.png", "https://"),
            *("data:text/plain;base64,aGk=", "data:image/png;base64,@@@", "data:image/png,aGk="),
        )
    ],
    (
        image_of(url="https://a.example/b.png", detail="most"),
        "messages[0].content[0].image_url.detail",
    ),
]


@pytest.mark.parametrize(("body", "param"), REFUSED)
def test_what_they_do_not_allow_is_refused_by_name(body: Json, param: str) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        check_request(parse_body(json.dumps(body).encode()))
    assert caught.value.status == 400
    assert caught.value.body["error"]["param"] == param


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"\xff",
        '{"model": "asi1"}'.encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": 1e400}',
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_is_refused(raw: bytes) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        parse_body(raw)
    assert caught.value.body["error"]["code"] == "invalid_json"


WORDS = sorted(
    {
        *KNOWN_FIELDS,
        *("type", "function", "name", "parameters", "arguments", "id", "text", "image_url", "url"),
        *("role", "content", "tool_calls", "tool_call_id", "json_schema", "schema", "strict"),
        *("properties", "items", "$ref", "$defs", "anyOf", "oneOf", "allOf", "enum", "const"),
        *("required", "default", "pattern", "format", "minLength", "minItems", "multipleOf"),
        *("minimum", "maximum", "include_usage", "object", "array", "string", "integer", "auto"),
        *("user", "assistant", "system", "tool", "json_object", "asi1", "#/$defs/a", "c1", "look"),
    }
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([*WORDS, "[deferred: 2] x", "Any update?", "which bad agent"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)
schemas = st.dictionaries(st.sampled_from(WORDS), values, max_size=6)
parts = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url"])}, optional={"text": values, "image_url": values}
)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"]) | values},
    optional={
        "content": st.text(max_size=20) | st.lists(parts, max_size=3) | values,
        "name": values,
        "tool_calls": st.lists(st.just(CALL) | values, max_size=2) | values,
        "tool_call_id": st.just("c1") | values,
    },
)
tools = st.fixed_dictionaries(
    {
        "type": st.just("function") | values,
        "function": st.fixed_dictionaries(
            {"name": st.just("look") | values},
            optional={"description": values, "parameters": schemas | values, "strict": values},
        )
        | values,
    }
)
formats = schemas.map(format_of) | values
bodies = st.fixed_dictionaries(
    {"model": st.sampled_from(MODELS) | values},
    optional={
        "messages": st.lists(messages | st.sampled_from([HELLO, CALLING, RESULT]), max_size=5)
        | values,
        "tools": st.lists(tools, max_size=3) | values,
        "tool_choice": st.sampled_from(["auto", "required"]) | values,
        "response_format": formats,
        "stream_options": values,
        "agents": st.lists(st.text(max_size=5), max_size=2) | values,
        **{
            name: values
            for name in sorted(KNOWN_FIELDS - {"messages", "model"})
            if name not in ("tools", "tool_choice", "response_format", "stream_options", "agents")
        },
    },
)


def answer(body: Json) -> None:
    """Answer a body, or refuse it; any other error would be a 500 for a client."""
    with suppress(RequestRefusedError, InvalidSchemaError):
        payload = parse_body(json.dumps(body).encode())
        check_request(payload)
        json.dumps(respond(payload, Session(), 0).body).encode()


@given(bodies | st.dictionaries(st.sampled_from(WORDS), values, max_size=6))
def test_any_body_is_refused_or_answered(body: Json) -> None:
    answer(body)


@given(schemas, st.booleans())
def test_any_schema_is_refused_or_answered(schema: Json, as_tool: bool) -> None:
    if as_tool:
        tool = tool_of(parameters={**schema, "type": "object"})
        answer(request(tools=[tool], tool_choice="required"))
    else:
        answer(request(response_format=format_of(schema)))


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}]},
        {"type": "array", "minItems": 1, "items": {"$ref": "#"}},
        {"type": "array", "minItems": 9999, "items": {"type": "array", "minItems": 9999}},
        {"properties": {name: {"$ref": "#"} for name in "abcdefgh"}, "required": [*"abcdefgh"]},
    ],
)
def test_a_schema_without_an_end_is_answered_in_the_end(schema: Json) -> None:
    answer(request(response_format=format_of(schema)))
