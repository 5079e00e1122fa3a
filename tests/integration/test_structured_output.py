"""Structured answers are complete and of their schema, or an error; over a real socket."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel, Field

from langchain_asi_one import ChatASIOne
from langchain_asi_one.testing import LocalASIOne, answer, stream
from langchain_asi_one.testing._replies import Reply, sample
from tests.support.model import MakeModel
from tests.support.ways import STRUCTURED_WAYS
from tests.support.ways import WAYS as MODEL_WAYS

Method = Literal["function_calling", "json_schema", "json_mode"]
Way = Literal["invoke", "ainvoke", "stream", "astream"]
WAYS: list[Way] = ["invoke", "ainvoke", "stream", "astream"]
# With langchain-core before 1.7.5 a refusal is an OutputParserException.
REFUSAL_ERROR: type[Exception] = getattr(exceptions, "ModelRefusalError", OutputParserException)
METHODS: list[Method] = ["function_calling", "json_schema", "json_mode"]


class City(BaseModel):
    """A city."""

    name: str = Field(description="Its name")


class CityDict(TypedDict):
    """A city."""

    name: Annotated[str, ..., "Its name"]


PROPERTIES = {"name": {"description": "Its name", "type": "string"}}
CITY_SCHEMA = {
    "title": "CitySchema",
    "description": "A city.",
    "type": "object",
    "properties": PROPERTIES,
    "required": ["name"],
}
PARAMETERS = {"type": "object", "properties": PROPERTIES, "required": ["name"]}
CITY_TOOL = {
    "type": "function",
    "function": {"name": "CityTool", "description": "A city.", "parameters": PARAMETERS},
}
SCHEMAS: dict[str, Any] = {
    "City": City,
    "CityDict": CityDict,
    "CitySchema": CITY_SCHEMA,
    "CityTool": CITY_TOOL,
}
QUESTION = "Which city? Answer in JSON with 'name'."


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def request_options(server: LocalASIOne) -> dict[str, Any]:
    """Return the last request body without model, messages and stream."""
    body = server.requests[-1].body
    return {k: v for k, v in body.items() if k not in ("model", "messages", "stream")}


def expected_request(name: str, method: Method) -> dict[str, Any]:
    if method == "json_mode":
        return {"response_format": {"type": "json_object"}}
    if method == "json_schema":
        schema = {"name": name, "description": "A city.", "schema": PARAMETERS}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    function = {"name": name, "description": "A city.", "parameters": PARAMETERS}
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": name}},
        "parallel_tool_calls": False,
    }


def to_dict(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else value


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("include_raw", [False, True])
async def test_every_method_with_every_kind_of_schema(
    model: ChatASIOne, server: LocalASIOne, name: str, method: Method, include_raw: bool
) -> None:
    chain = model.with_structured_output(SCHEMAS[name], method=method, include_raw=include_raw)
    invoked = chain.invoke(QUESTION)
    assert request_options(server) == expected_request(name, method)
    awaited = await chain.ainvoke(QUESTION)
    streamed = list(chain.stream(QUESTION))
    astreamed = [part async for part in chain.astream(QUESTION)]
    if include_raw:
        assert {*invoked} == {"raw", "parsed", "parsing_error"}
        assert isinstance(invoked["raw"], AIMessage)
        assert invoked["parsing_error"] is None
        raws: list[Any] = [part["raw"] for part in streamed if "raw" in part]
        assert "".join(raw.text for raw in raws) == invoked["raw"].text
        invoked, awaited = invoked["parsed"], awaited["parsed"]
        streamed = [part["parsed"] for part in streamed if "parsed" in part]
        astreamed = [part["parsed"] for part in astreamed if "parsed" in part]
    assert isinstance(invoked, City if name == "City" else dict)
    assert {*to_dict(invoked)} == {"name"}
    assert to_dict(invoked)["name"]
    assert to_dict(awaited) == to_dict(streamed[-1]) == to_dict(astreamed[-1]) == to_dict(invoked)


def test_function_calling_is_the_default(model: ChatASIOne, server: LocalASIOne) -> None:
    assert isinstance(model.with_structured_output(City).invoke(QUESTION), City)
    assert request_options(server) == expected_request("City", "function_calling")


@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
def test_strict(model: ChatASIOne, server: LocalASIOne, method: Method) -> None:
    model.with_structured_output(City, method=method, strict=True).invoke(QUESTION)
    strict = {"strict": True}
    parameters = {**PARAMETERS, "additionalProperties": False}
    body = request_options(server)
    if method == "json_schema":
        assert body["response_format"]["json_schema"] == {
            "name": "City",
            "description": "A city.",
            "schema": parameters,
            **strict,
        }
    else:
        function = {"name": "City", "description": "A city.", "parameters": parameters, **strict}
        assert body["tools"] == [{"type": "function", "function": function}]


@pytest.mark.parametrize(
    ("given", "schema"),
    [
        ({"name": "n", "schema": PARAMETERS}, {"name": "n", "schema": PARAMETERS}),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": PARAMETERS}},
            {"name": "n", "schema": PARAMETERS},
        ),
    ],
)
def test_schemas_in_the_form_of_the_api(
    model: ChatASIOne, server: LocalASIOne, given: dict[str, Any], schema: dict[str, Any]
) -> None:
    value = model.with_structured_output(given, method="json_schema").invoke(QUESTION)
    assert {*value} == {"name"}
    assert request_options(server) == {
        "response_format": {"type": "json_schema", "json_schema": schema}
    }


def test_json_mode_needs_no_schema(model: ChatASIOne) -> None:
    assert {*model.with_structured_output(method="json_mode").invoke(QUESTION)} == {"name"}


def test_request_fields_are_passed_on(model: ChatASIOne, server: LocalASIOne) -> None:
    for method in METHODS:
        chain = model.with_structured_output(City, method=method, temperature=0.3)
        chain.invoke(QUESTION)
        assert request_options(server) == {**expected_request("City", method), "temperature": 0.3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "xml"}, "method must be 'function_calling', 'json_schema' or 'json_mode'"),
        ({"schema": None}, "needs a schema"),
        ({"schema": "City"}, "not a name; got 'City'"),
        ({"schema": {"type": "web_search"}}, "needs the schema of a function"),
        ({"schema": None, "method": "json_schema"}, "needs a schema"),
        ({"tools": [add]}, "tools= goes with method='json_schema' only"),
        ({"tools": [add], "method": "json_mode"}, "tools= goes with method='json_schema' only"),
        ({"strict": True, "method": "json_mode"}, "strict= does not go with method='json_mode'"),
    ],
)
def test_arguments_that_do_not_go_together(
    model: ChatASIOne, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model.with_structured_output(**{"schema": City, **arguments})


# --- Answers of every form ---


def completion(**message: Any) -> Reply:
    return answer({"id": "a1", "choices": [{"finish_reason": "stop", "message": message}]})


def results(chain: Runnable[Any, Any], server: LocalASIOne, reply: Reply) -> list[Any]:
    """The last of what each of the four ways gives."""
    server.enqueue(*[reply] * 4)
    return [run(chain)[-1] for run in STRUCTURED_WAYS.values()]


COMPLETE = {
    "plain": '{"name": "Rome"}',
    "space around": '\n {"name": "Rome"} \n',
    "fence": '```json\n{"name": "Rome"}\n```',
    "fence without a language": '```\n{"name": "Rome"}```',
    "fence in prose": 'Sure!\n```JSON\n{"name": "Rome"}\n```\nAnything else?',
    "two fences": '```json\n{"name": "Rome"}\n```\nor\n```json\n{"name": "Bonn"}\n```',
    "fence not closed": '```json\n{"name": "Rome"}',
    "prose behind": '{"name": "Rome"} is it',
    "prose around": 'Here {you} are [see below]: {"name": "Rome"} Anything else?',
}


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_complete_json_is_parsed(
    model: ChatASIOne, server: LocalASIOne, name: str, method: Method
) -> None:
    chain = model.with_structured_output(City, method=method)
    assert results(chain, server, completion(content=COMPLETE[name])) == [City(name="Rome")] * 4


def test_fences_in_a_text_of_the_json(model: ChatASIOne, server: LocalASIOne) -> None:
    chain = model.with_structured_output(City, method="json_mode")
    for text in ('{"name": "a ```b``` c"}', '```json\n{"name": "a ```b``` c"}\n```'):
        wanted = [City(name="a ```b``` c")] * 4
        assert results(chain, server, completion(content=text)) == wanted


def test_json_in_a_fence_as_recorded(model: ChatASIOne, server: LocalASIOne) -> None:
    server.enqueue(sample("asi1-mini-2025-04-recorded-json-mode.json"))
    assert model.with_structured_output(method="json_mode").invoke("x") == {
        "attractions": ["Eiffel Tower", "Louvre Museum", "Notre-Dame Cathedral"]
    }


INCOMPLETE = {
    "cut in a text": '{"name": "Ro',
    "cut at the end": '{"name": "Rome"',
    "cut in a fence": '```json\n{"name": "Ro',
    "prose": "Rome, I think.",
    "empty": "",
    "cut in prose": 'Here: {"name": "Rome", "sights": [{"name": "Forum"}',
    "prose around two": 'Either {"name": "Rome"} or {"name": "Bonn"}.',
    "two values": '{"name": "Rome"}{"name": "Bonn"}',
}
OTHER_SCHEMA = {"list": "[]", "null": "null", "number": '{"name": 5}', "field": '{"nam": "Rome"}'}


@pytest.mark.parametrize("text", [*INCOMPLETE.values(), *OTHER_SCHEMA.values()])
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
async def test_anything_else_is_an_error_however_it_is_asked_for(
    model: ChatASIOne, server: LocalASIOne, text: str, method: Method
) -> None:
    fits = "not complete JSON" if text in INCOMPLETE.values() else "does not fit City"
    chain = model.with_structured_output(City, method=method)
    server.enqueue(*[completion(content=text)] * 4)
    with pytest.raises(OutputParserException, match=fits) as caught:
        chain.invoke("x")
    assert caught.value.llm_output == text
    with pytest.raises(OutputParserException, match=fits):
        await chain.ainvoke("x")
    with pytest.raises(OutputParserException, match=fits):
        list(chain.stream("x"))
    with pytest.raises(OutputParserException, match=fits):
        [part async for part in chain.astream("x")]


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_include_raw_keeps_what_was_not_parsed(
    model: ChatASIOne, server: LocalASIOne, method: Method
) -> None:
    chain = model.with_structured_output(City, method=method, include_raw=True)
    server.enqueue(completion(content='{"name": "Ro'))
    result = chain.invoke("x")
    assert result["raw"].text == '{"name": "Ro'
    assert result["parsed"] is None
    assert isinstance(result["parsing_error"], OutputParserException)


def city_call(arguments: Any) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": "City", "arguments": arguments}}


@pytest.mark.parametrize("arguments", ['{"name": "Rome"}', {"name": "Rome"}])
@pytest.mark.parametrize("name", ["City", "CityDict", "CitySchema"])
def test_a_call_is_parsed(
    model: ChatASIOne, server: LocalASIOne, arguments: Any, name: str
) -> None:
    call = city_call(arguments)
    call["function"]["name"] = name
    reply = completion(content="I fill it in.", tool_calls=[call])
    found = results(model.with_structured_output(SCHEMAS[name]), server, reply)
    assert [to_dict(value) for value in found] == [{"name": "Rome"}] * 4
    assert {type(value) for value in found} == {City if name == "City" else dict}


@pytest.mark.parametrize("name", ["City", "CityDict"])
async def test_a_call_that_was_cut_off_is_an_error(
    model: ChatASIOne, server: LocalASIOne, name: str
) -> None:
    call = city_call('{"name": "Ro')
    call["function"]["name"] = name
    chain = model.with_structured_output(SCHEMAS[name])
    server.enqueue(*[completion(content=None, tool_calls=[call])] * 5)
    cut = rf"call of '{name}' are not complete JSON.*raise max_tokens"
    with pytest.raises(OutputParserException, match=cut):
        chain.invoke("x")
    with pytest.raises(OutputParserException, match=cut):
        await chain.ainvoke("x")
    with pytest.raises(OutputParserException, match=cut):
        list(chain.stream("x"))
    with pytest.raises(OutputParserException, match=cut):
        [part async for part in chain.astream("x")]
    result = model.with_structured_output(SCHEMAS[name], include_raw=True).invoke("x")
    assert result["parsed"] is None
    assert isinstance(result["parsing_error"], OutputParserException)
    assert result["raw"].invalid_tool_calls[0]["name"] == name


def ask(chain: Runnable[Any, Any], way: Way) -> Any:
    """What a chain gives in one of the four ways, in the end."""

    async def stream() -> Any:
        return [value async for value in chain.astream("x")][-1]

    if way == "invoke":
        return chain.invoke("x")
    if way == "stream":
        return list(chain.stream("x"))[-1]
    return asyncio.run(stream() if way == "astream" else chain.ainvoke("x"))


def error_of(chain: Runnable[Any, Any], way: Way) -> Any:
    with pytest.raises((OutputParserException, REFUSAL_ERROR)) as caught:
        ask(chain, way)
    return caught.value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["City", "CityDict"])
def test_prose_is_an_error_that_quotes_it(
    model: ChatASIOne, server: LocalASIOne, name: str, method: Method, way: Way
) -> None:
    """https://github.com/langchain-ai/langchain-google/issues/1207"""
    server.enqueue(*[completion(content="Rome has two million people.")] * 2)
    error = error_of(model.with_structured_output(SCHEMAS[name], method=method), way)
    assert isinstance(error, OutputParserException)
    assert "'Rome has two million people.'" in str(error)
    assert error.llm_output == "Rome has two million people."
    chain = model.with_structured_output(SCHEMAS[name], method=method, include_raw=True)
    result = chain.invoke("x")
    assert result["parsed"] is None
    assert isinstance(result["parsing_error"], OutputParserException)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_an_answer_lost_to_thinking_is_an_error_that_names_max_tokens(
    model: ChatASIOne, server: LocalASIOne, method: Method, way: Way
) -> None:
    """https://github.com/googleapis/python-genai/issues/1039"""
    choice = {"message": {"content": None, "reasoning_content": "Let me think. " * 100}}
    cut = answer({"id": "a1", "choices": [{**choice, "finish_reason": "length"}]})
    server.enqueue(cut, cut)
    error = error_of(model.with_structured_output(City, method=method), way)
    assert isinstance(error, OutputParserException)
    text = "It was cut off (finish_reason 'length', after 1,400 characters of thinking)"
    assert text in str(error)
    assert "raise max_tokens" in str(error)
    raw = model.with_structured_output(City, method=method, include_raw=True).invoke("x")
    assert "max_tokens" in str(raw["parsing_error"])
    assert raw["parsed"] is None


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_refusal_is_langchains_error(
    model: ChatASIOne, server: LocalASIOne, method: Method, way: Way
) -> None:
    server.enqueue(*[completion(content=None, refusal="I cannot.")] * 2)
    error = error_of(model.with_structured_output(City, method=method), way)
    assert type(error) is REFUSAL_ERROR
    assert str(error).startswith("ASI:One refused to answer: I cannot.")
    if REFUSAL_ERROR is not OutputParserException:
        assert isinstance(vars(error)["raw_message"], AIMessage)
    raw = model.with_structured_output(City, method=method, include_raw=True).invoke("x")
    assert (raw["parsed"], type(raw["parsing_error"])) == (None, REFUSAL_ERROR)


@pytest.mark.skipif(
    REFUSAL_ERROR is OutputParserException, reason="langchain-core 1.7.5 brought the block"
)
@pytest.mark.parametrize("way", [*WAYS, "stream_events"])
def test_a_refusal_is_a_standard_block(model: ChatASIOne, server: LocalASIOne, way: str) -> None:
    pieces = ("I ", "cannot.")
    chunks: list[Any] = [{"choices": [{"delta": {"refusal": piece}}]} for piece in pieces]
    chunks.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    whole = completion(content=None, refusal="I cannot.")
    server.enqueue(whole if way.endswith("invoke") else stream(chunks))
    blocks = MODEL_WAYS[way](model).content_blocks
    assert [{**block, "index": None} for block in blocks] == [
        {"type": "refusal", "refusal": "I cannot.", "index": None}
    ]


@pytest.mark.parametrize("way", STRUCTURED_WAYS)
@pytest.mark.parametrize("strategy", [None, "provider", "tool"])
def test_langchains_middleware_raises_on_a_refusal(
    model: ChatASIOne, server: LocalASIOne, strategy: str | None, way: str
) -> None:
    middleware: Any = pytest.importorskip("langchain.agents.middleware")
    if not hasattr(middleware, "ModelRefusalMiddleware"):
        pytest.skip("langchain 1.5 brought it")
    structured = import_module("langchain.agents.structured_output")
    strategies = {"provider": structured.ProviderStrategy, "tool": structured.ToolStrategy}
    agent = import_module("langchain.agents").create_agent(
        model,
        [],
        middleware=[middleware.ModelRefusalMiddleware()],
        response_format=strategies[strategy](City) if strategy else None,
    )
    server.enqueue(completion(content=None, refusal="I cannot."))
    with pytest.raises(REFUSAL_ERROR, match="I cannot"):
        STRUCTURED_WAYS[way](agent, {"messages": [("user", "x")]})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_an_answer_that_a_content_filter_stopped_is_a_refusal(
    model: ChatASIOne, server: LocalASIOne, method: Method, way: Way
) -> None:
    choice = {"message": {"content": '{"name": "Ro'}, "finish_reason": "content_filter"}
    server.enqueue(answer({"id": "a1", "choices": [choice]}))
    error = error_of(model.with_structured_output(City, method=method), way)
    assert type(error) is REFUSAL_ERROR
    assert "finish_reason is 'content_filter'" in str(error)


def reply_of(method: Method, text: str) -> Reply:
    if method == "function_calling":
        return completion(content=None, tool_calls=[city_call(text)])
    return completion(content=text)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_control_characters_in_strings_are_read(
    model: ChatASIOne, server: LocalASIOne, method: Method, way: Way
) -> None:
    server.enqueue(reply_of(method, '{\n\t"name": "Rome\n\t\x0b\\"\x1f"\n}'))
    chain = model.with_structured_output(City, method=method)
    assert ask(chain, way) == City(name='Rome\n\t\x0b"\x1f')


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_cut_json_with_control_characters_stays_refused(
    model: ChatASIOne, server: LocalASIOne, method: Method, way: Way
) -> None:
    server.enqueue(reply_of(method, '{"name": "Ro\nme'))
    error = error_of(model.with_structured_output(City, method=method), way)
    assert isinstance(error, OutputParserException)
    assert "not complete JSON" in str(error)


@pytest.mark.parametrize("way", WAYS)
def test_a_call_of_another_tool_is_an_error_that_names_it(
    model: ChatASIOne, server: LocalASIOne, way: Way
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "Other", "arguments": "{}"}}
    for schema in (City, CityDict):
        server.enqueue(completion(content=None, tool_calls=[call]))
        error = error_of(model.with_structured_output(schema), way)
        assert isinstance(error, OutputParserException)
        assert re.search(r"'City.*, but a call of 'Other'", str(error))


def test_a_callers_tool_choice_is_kept(model: ChatASIOne, server: LocalASIOne) -> None:
    # For models that think and therefore take no forced call.
    model.with_structured_output(City, tool_choice="auto").invoke(QUESTION)
    assert server.requests[-1].body["tool_choice"] == "auto"


class Tree(TypedDict):
    """A tree."""

    label: str
    kids: NotRequired[list[Tree]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_typed_dict_that_refers_to_itself(
    model: ChatASIOne, server: LocalASIOne, method: Method, way: Way
) -> None:
    """https://github.com/langchain-ai/langchain/issues/25460."""
    text = '{"label": "a", "kids": [{"label": "b"}]}'
    call = {"id": "c1", "type": "function", "function": {"name": "Tree", "arguments": text}}
    calls = [call] if method == "function_calling" else None
    server.enqueue(completion(content=None if calls else text, tool_calls=calls))
    chain = model.with_structured_output(Tree, method=method)
    assert ask(chain, way) == {"label": "a", "kids": [{"label": "b"}]}


RECURSIVE = {
    "title": "Node",
    "type": "object",
    "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}},
}


@pytest.mark.parametrize("method", METHODS)
def test_a_chain_knows_its_output_type(model: ChatASIOne, method: Method) -> None:
    chain = model.with_structured_output(City, method=method)
    assert chain.OutputType is City
    assert chain.get_output_jsonschema() == City.model_json_schema()
    for schema in (CityDict, CITY_SCHEMA, CITY_TOOL):
        known = model.with_structured_output(schema, method=method).get_output_jsonschema()
        assert (known["type"], known["properties"]) == ("object", PROPERTIES)
    known = model.with_structured_output(RECURSIVE, method=method).get_output_jsonschema()
    assert known["type"] == "object"
    raw = model.with_structured_output(City, method=method, include_raw=True)
    fields = raw.get_output_jsonschema()["$defs"]["StructuredAnswer"]["properties"]
    assert {*fields} == {"raw", "parsed", "parsing_error"}
    assert {"$ref": "#/$defs/City"} in fields["parsed"]["anyOf"]


def test_a_call_that_leaked_into_the_text_is_parsed_on_request(
    make_model: MakeModel, server: LocalASIOne
) -> None:
    leak = "<tool_call>City<arg_key>name</arg_key><arg_value>Rome</arg_value></tool_call>"
    chain = make_model(recover_tool_calls=True).with_structured_output(City)
    choice = {"finish_reason": "tool_calls", "message": {"content": leak}}
    response = answer({"id": "a1", "choices": [choice]})
    assert results(chain, server, response) == [City(name="Rome")] * 4


def test_parts_are_streamed_as_they_come(model: ChatASIOne, server: LocalASIOne) -> None:
    pieces = ["```json\n", '{"name"', ': "Ro', 'me", "x', '": [1', ", 2]}", "\n```"]
    chunks: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    server.enqueue(stream(chunks))
    assert list(model.with_structured_output(method="json_mode").stream("x")) == [
        {},
        {"name": "Ro"},
        {"name": "Rome"},
        {"name": "Rome", "x": [1]},
        {"name": "Rome", "x": [1, 2]},
    ]


# --- Tools beside a schema ---

ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


@pytest.mark.parametrize("include_raw", [False, True])
def test_tools_may_be_called_instead_of_answering(
    model: ChatASIOne, server: LocalASIOne, include_raw: bool
) -> None:
    chain = model.with_structured_output(
        City, method="json_schema", tools=[add], include_raw=include_raw
    )
    called = chain.invoke("add 1 and 2")
    assert request_options(server) == {**expected_request("City", "json_schema"), "tools": [ADD]}
    answered = chain.invoke("Which city?")
    assert isinstance(called, dict) is include_raw
    if isinstance(called, dict):
        assert (called["parsed"], called["parsing_error"]) == (None, None)
        (call,) = called["raw"].tool_calls
        assert (call["name"], call["args"]) == ("add", {"a": 1, "b": 2})
        assert isinstance(answered, dict)
        answered = answered["parsed"]
    else:
        assert called is None
        assert [part for part in chain.stream("add 1 and 2") if part is not None] == []
    assert isinstance(answered, City)


def test_a_cut_call_beside_a_schema_is_an_error(model: ChatASIOne, server: LocalASIOne) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1'}}
    server.enqueue(completion(content=None, tool_calls=[call]))
    chain = model.with_structured_output(City, method="json_schema", tools=[add])
    with pytest.raises(OutputParserException, match="call of 'add' are not complete JSON"):
        chain.invoke("add 1 and 2")


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_call_of_a_tool_that_was_not_offered_is_an_error(
    model: ChatASIOne, server: LocalASIOne, method: Method
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    chain = model.with_structured_output(City, method=method)
    server.enqueue(completion(content=None, tool_calls=[call]))
    with pytest.raises(OutputParserException, match="not complete JSON, but a call of 'add'"):
        chain.invoke("x")
    server.enqueue(completion(content='{"name": "Rome"}', tool_calls=[call]))
    assert chain.invoke("x") == City(name="Rome")


def test_web_search_beside_a_schema(model: ChatASIOne, server: LocalASIOne) -> None:
    chain = model.with_structured_output(City, method="json_schema", tools=[{"type": "web_search"}])
    assert isinstance(chain.invoke("Which city?"), City)
    assert request_options(server) == {
        **expected_request("City", "json_schema"),
        "web_search": True,
    }


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("strict", [None, True])
def test_bind_tools_with_a_response_format(
    model: ChatASIOne, server: LocalASIOne, name: str, strict: bool | None
) -> None:
    bound = model.bind_tools([add], response_format=SCHEMAS[name], strict=strict)
    message = bound.invoke("Which city?")
    assert message.text.startswith('{"name":')
    body = request_options(server)
    schema = body["response_format"]["json_schema"]
    function = body["tools"][0]["function"]
    parameters = PARAMETERS if strict is None else {**PARAMETERS, "additionalProperties": False}
    assert (schema["name"], schema["schema"]) == (name, parameters)
    assert schema.get("strict") is strict
    # `create_agent` gives strict=True for the answer; the tools were not written for it.
    assert "strict" not in function
    assert "additionalProperties" not in function["parameters"]
