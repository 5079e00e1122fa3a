"""Tools are offered in the API's form, and calls come back in LangChain's, over a real socket."""

from __future__ import annotations

import asyncio
import json
import warnings
from typing import Annotated, Any, Generic, TypedDict, TypeVar, cast

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.tools import create_schema_from_function, tool
from langchain_core.utils.function_calling import (
    convert_to_openai_tool,
)
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel, Field

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request import tools as _tools
from langchain_asi_one._request.fields import fit_name
from langchain_asi_one.testing import LocalASIOne, answer, stream
from langchain_asi_one.testing._replies import sample
from tests.support.model import MakeModel
from tests.support.ways import FOUR_WAYS, MISSING_CALL_WARNING, STRUCTURED_WAYS, WAYS
from tests.support.ways import ask as ask_in

T = TypeVar("T")
ASKING: Any = {"messages": [HumanMessage("Hi")]}


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class GetWeather(BaseModel):
    """Weather of a city."""

    city: str = Field(description="City name")
    days: int = 1


class BookTrip(TypedDict):
    """Book a trip."""

    city: Annotated[str, ..., "Where to"]


@tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


EMPTY: dict[str, Any] = {"type": "object", "properties": {}}
WIRE: dict[str, Any] = {
    "type": "function",
    "function": {"name": "wire", "description": "d", "parameters": EMPTY},
}
FUNCTION = {"name": "function", "description": "d", "parameters": EMPTY}
SCHEMA = {"title": "schema", "description": "d", **EMPTY}
NUMBERS = {"a": {"type": "integer"}, "b": {"type": "integer"}}
ADD: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {"type": "object", "properties": NUMBERS, "required": ["a", "b"]},
    },
}
SEARCH = {"type": "web_search"}


def asked(server: LocalASIOne) -> dict[str, Any]:
    """What the last request asked beyond the question."""
    body = server.requests[-1].body
    return {k: v for k, v in body.items() if k not in ("model", "messages", "stream")}


def test_tools_of_every_kind(model: ChatASIOne, server: LocalASIOne) -> None:
    model.bind_tools([add, GetWeather, BookTrip, multiply, WIRE, FUNCTION, SCHEMA]).invoke("Hi")
    city = {"description": "City name", "type": "string"}
    wanted: list[dict[str, Any]] = [
        ADD["function"],
        {
            "name": "GetWeather",
            "description": "Weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": city, "days": {"default": 1, "type": "integer"}},
                "required": ["city"],
            },
        },
        {
            "name": "BookTrip",
            "description": "Book a trip.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"description": "Where to", "type": "string"}},
                "required": ["city"],
            },
        },
        {
            "name": "multiply",
            "description": "Multiply two numbers.",
            "parameters": {"type": "object", "properties": NUMBERS, "required": ["a", "b"]},
        },
        WIRE["function"],
        FUNCTION,
        {"name": "schema", "description": "d", "parameters": EMPTY},
    ]
    assert asked(server) == {"tools": [{"type": "function", "function": f} for f in wanted]}


NAMED = {"type": "function", "function": {"name": "add"}}


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("add", NAMED),
        (NAMED, NAMED),
        ("auto", "auto"),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("none", "none"),
        (False, None),
        (None, None),
    ],
)
def test_tool_choice(model: ChatASIOne, server: LocalASIOne, choice: Any, sent: Any) -> None:
    model.bind_tools([add], tool_choice=choice).invoke("Hi")
    wanted = {"tools": [ADD], **({"tool_choice": sent} if sent else {})}
    assert asked(server) == wanted


@pytest.mark.parametrize(
    ("choice", "hint"),
    [
        ("ad", "Did you mean 'add'"),
        ("Any", "nor 'auto', 'any', 'required' or 'none'"),
        ({"type": "function", "function": {"name": "adds"}}, "'adds'.*Did you mean 'add'"),
        ({"name": "add"}, r"a bound tool \(add, multiply\)"),
        (7, "Received: 7"),
    ],
)
def test_a_choice_that_nothing_answers_to_is_refused(
    model: ChatASIOne, choice: Any, hint: str
) -> None:
    with pytest.raises(ValueError, match=hint):
        model.bind_tools([add, multiply], tool_choice=choice)


def test_strict_and_parallel_tool_calls(model: ChatASIOne, server: LocalASIOne) -> None:
    model.bind_tools([add], strict=True, parallel_tool_calls=False).invoke("Hi")
    strict = {**ADD["function"], "strict": True}
    strict["parameters"] = {**strict["parameters"], "additionalProperties": False}
    tools = [{"type": "function", "function": strict}]
    assert asked(server) == {"tools": tools, "parallel_tool_calls": False}
    model.bind_tools([add], strict=False, parallel_tool_calls=True).invoke("Hi")
    loose = {**ADD["function"], "strict": False}
    tools = [{"type": "function", "function": loose}]
    assert asked(server) == {"tools": tools, "parallel_tool_calls": True}


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview"])
@pytest.mark.parametrize("choice", [None, "any", "auto", "web_search"])
def test_web_search_alone_is_the_switch(
    model: ChatASIOne, server: LocalASIOne, kind: str, choice: str | None
) -> None:
    bound = model.bind_tools([{"type": kind}], tool_choice=choice, parallel_tool_calls=False)
    message = bound.invoke("Hi")
    assert asked(server) == {"web_search": True}
    (record,) = message.additional_kwargs["server_tool_calls"]
    assert record["tool_name"] == "web_search"
    assert message.tool_calls == []


def test_web_search_beside_functions(model: ChatASIOne, server: LocalASIOne) -> None:
    model.bind_tools([SEARCH, add], tool_choice="add").invoke("Hi")
    assert asked(server) == {"web_search": True, "tools": [ADD], "tool_choice": NAMED}
    model.invoke("Hi", tools=[ADD, SEARCH])
    assert asked(server) == {"web_search": True, "tools": [ADD]}


def test_no_tools_at_all(model: ChatASIOne, server: LocalASIOne) -> None:
    model.bind_tools([], tool_choice="any").invoke("Hi")
    assert asked(server) == {}


@pytest.mark.parametrize("name", ["", "???", "研究", None])
def test_a_name_of_which_nothing_can_be_sent_is_refused_when_bound(
    model: ChatASIOne, name: str | None
) -> None:
    bad = {"type": "function", "function": {"name": name, "parameters": EMPTY}}
    with pytest.raises(ValueError, match="is not a tool name that ASI:One takes"):
        model.bind_tools([add, bad])


def test_two_tools_of_one_name_to_the_api_are_refused(model: ChatASIOne) -> None:
    tools = [tool_named("get weather"), tool_named("get_weather")]
    with pytest.raises(ValueError, match="'get weather' and 'get_weather' have one name"):
        model.bind_tools(tools)


def tool_named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": EMPTY}}


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("get weather", "get_weather"),
        ("a.b", "a_b"),
        ("Reply[int]", "Reply_int"),
        ("x" * 65, "x" * 64),
    ],
)
def test_a_name_is_made_fit_and_comes_back(
    model: ChatASIOne, server: LocalASIOne, name: str, sent: str, way: str
) -> None:
    """https://github.com/run-llama/llama_index/issues/20324."""
    bound = model.bind_tools([tool_named(name), add], tool_choice=name)
    whole = WAYS[way](bound)
    assert [call["name"] for call in whole.tool_calls] == [name]
    body = asked(server)
    assert [tool["function"]["name"] for tool in body["tools"]] == [sent, "add"]
    assert body["tool_choice"] == {"type": "function", "function": {"name": sent}}

    server.clear()
    result = ToolMessage("3", tool_call_id=str(whole.tool_calls[0]["id"]))
    WAYS[way](bound, [HumanMessage("Hi"), whole, result])
    (request,) = server.requests
    assert request.body["messages"][1]["tool_calls"][0]["function"]["name"] == sent


class Reply(BaseModel, Generic[T]):
    """A reply."""

    data: T


@pytest.mark.parametrize("way", STRUCTURED_WAYS)
@pytest.mark.parametrize("method", ["function_calling", "json_schema"])
@pytest.mark.parametrize(
    "schema", [Reply[int], {"title": "Movie review", "type": "object", "properties": {"data": {}}}]
)
def test_a_title_that_is_no_name_is_made_fit(
    model: ChatASIOne, server: LocalASIOne, method: Any, schema: Any, way: str
) -> None:
    *_, answered = STRUCTURED_WAYS[way](model.with_structured_output(schema, method=method))
    assert isinstance(answered, dict if isinstance(schema, dict) else schema)
    title = schema["title"] if isinstance(schema, dict) else schema.__name__
    assert all(fit_name(title) in json.dumps(request.body) for request in server.requests)


def test_an_agent_answers_with_a_schema_whose_title_is_no_name(model: ChatASIOne) -> None:
    state = create_agent(model, [], response_format=Reply[int]).invoke(ASKING)
    assert isinstance(state["structured_response"], Reply)


@pytest.mark.parametrize("way", STRUCTURED_WAYS)
def test_a_schema_of_the_answer_leaves_the_tools_alone(
    model: ChatASIOne, server: LocalASIOne, way: str
) -> None:
    """https://github.com/langchain-ai/langchain/issues/38370."""

    def search(query: str, filters: dict[str, Any], limit: int = 10) -> str:
        """Search."""
        return f"{query} {filters} {limit}"

    agent = create_agent(model, [search], response_format=ProviderStrategy(GetWeather))
    STRUCTURED_WAYS[way](agent, ASKING)
    (request, *_) = server.requests
    assert request.body["tools"] == [convert_to_openai_tool(search)]
    assert request.body["response_format"]["json_schema"]["strict"] is True
    with pytest.raises(ValueError, match=r"strict does not go with search\.filters"):
        model.bind_tools([search], strict=True)


@pytest.mark.parametrize("kind", ["file_search", "code_interpreter"])
def test_tools_of_other_providers_are_refused_by_name(model: ChatASIOne, kind: str) -> None:
    with pytest.raises(ValueError, match=f"got a tool of type '{kind}'"):
        model.bind_tools([{"type": kind}])


def test_a_function_that_was_not_bound_is_refused_clearly(model: ChatASIOne) -> None:
    with pytest.raises(ValueError, match="bind_tools"):
        model.invoke("Hi", tools=[add])


# --- Calls and results ---


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_whole_loop(make_model: MakeModel, server: LocalASIOne, streaming: bool) -> None:
    model = make_model(streaming=streaming).bind_tools([add, multiply])
    messages: list[Any] = [HumanMessage("Use add and multiply on 3 and 4")]
    called = await model.ainvoke(messages)
    (first, second) = called.tool_calls
    assert (first["name"], first["args"]) == ("add", {"a": 3, "b": 4})
    assert (second["name"], second["args"]) == ("multiply", {"a": 3, "b": 4})
    assert called.text == "[local stand-in] I'll call add, multiply."
    assert called.response_metadata["finish_reason"] == "tool_calls"
    messages += [called, ToolMessage("7", tool_call_id=first["id"]), multiply.invoke(second)]
    done = await model.ainvoke(messages)
    assert done.text == "[local stand-in] The tools answered: 7; 12"
    wire = server.requests[-1].body["messages"]
    ids = [first["id"], second["id"]]
    assert wire[0] == {"role": "user", "content": "Use add and multiply on 3 and 4"}
    assert (wire[1]["role"], wire[1]["content"]) == ("assistant", called.text)
    assert [call["id"] for call in wire[1]["tool_calls"]] == ids
    assert wire[2:] == [
        {"role": "tool", "tool_call_id": ids[0], "content": "7"},
        {"role": "tool", "tool_call_id": ids[1], "content": "12"},
    ]


def graph_of(model: Any, tools: list[Any]) -> Any:
    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", tools_condition, {"tools": "tools", END: END})
    graph.add_edge("tools", "ask")
    return graph.compile()


def test_a_graph_runs_the_tools(model: ChatASIOne) -> None:
    graph = graph_of(model.bind_tools([multiply]), [multiply])
    state = graph.invoke({"messages": [SystemMessage("Be brief."), ("user", "multiply 6 and 7")]})
    texts = [(message.type, message.text) for message in state["messages"]]
    assert texts == [
        ("system", "Be brief."),
        ("human", "multiply 6 and 7"),
        ("ai", "[local stand-in] I'll call multiply."),
        ("tool", "42"),
        ("ai", "[local stand-in] The tools answered: 42"),
    ]


def completion(**message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    return {"id": "a1", "model": "asi1", "choices": [choice]}


def wire_call(name: str, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **fields}


def test_a_graph_answers_calls_with_repeated_and_missing_ids(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    calls = [
        wire_call("multiply", {"a": 1, "b": 2}, id="c", index=-1),
        wire_call("multiply", {"a": 3, "b": 4}, id="c", index=-1),
        wire_call("multiply", '{"a": 5, "b": 6}', index=-1),
    ]
    server.enqueue(answer(completion(content=None, tool_calls=calls)))
    graph = graph_of(model.bind_tools([multiply]), [multiply])
    state = graph.invoke({"messages": [("user", "go")]})
    assert state["messages"][-1].text == "[local stand-in] The tools answered: 2; 12; 30"


CALLS: dict[str, list[dict[str, Any]]] = {
    "documented": [wire_call("add", '{"a": 1, "b": 2}', id="c1", index=-1)],
    "object": [wire_call("add", {"a": 1, "b": 2}, id="c1", index=-1)],
    "without an id": [wire_call("add", '{"a": 1, "b": 2}')],
    "cut off": [wire_call("add", '{"a": 1, "b"', id="c1")],
    "two": [
        wire_call("add", '{"a": 1, "b": 2}', id="c1", index=-1),
        wire_call("multiply", "{}", id="c2", index=-1),
    ],
}


@pytest.mark.parametrize("name", CALLS)
async def test_each_way_of_asking_gives_the_same_calls(
    make_model: MakeModel, server: LocalASIOne, name: str
) -> None:
    model = make_model(session_id="s").bind_tools([add, multiply])
    body = completion(content="I add.", tool_calls=CALLS[name])
    server.enqueue(*[answer(body)] * 4)
    whole = model.invoke("go")
    awaited = await model.ainvoke("go")
    summed: Any = None
    for chunk in model.stream("go"):
        summed = chunk if summed is None else summed + chunk
    asummed: Any = None
    async for chunk in model.astream("go"):
        asummed = chunk if asummed is None else asummed + chunk
    assert isinstance(summed, AIMessageChunk)
    assert isinstance(asummed, AIMessageChunk)

    def seen(message: AIMessage) -> dict[str, Any]:
        # The stand-in's streams have null fields that its bodies have not; ids of runs differ.
        metadata = {k: v for k, v in message.response_metadata.items() if k != "extra"}
        dumped = message.model_dump(exclude={"id", "type", "tool_call_chunks", "chunk_position"})
        # The arguments of an invalid call are as sent in a body, and unparseable in a sum.
        invalid = [(call["id"], call["name"]) for call in message.invalid_tool_calls]
        return {**dumped, "response_metadata": metadata, "invalid_tool_calls": invalid}

    assert seen(whole) == seen(awaited) == seen(summed) == seen(asummed)
    assert len(whole.tool_calls) + len(whole.invalid_tool_calls) == len(CALLS[name])
    assert bool(whole.invalid_tool_calls) is (name == "cut off")


def test_the_documented_sample(model: ChatASIOne, server: LocalASIOne) -> None:
    server.enqueue(sample("asi1-2026-tool-call-condensed.json"))
    message = model.invoke("Weather in Indore?")
    assert message.text == "I'll get the current weather information for Indore, India for you."
    assert message.tool_calls == [
        {
            "type": "tool_call",
            "id": "call_13f125faf3cc422e81b10621",
            "name": "get_weather",
            "args": {"latitude": 22.7196, "longitude": 75.8577},
        }
    ]


@pytest.mark.parametrize("streaming", [False, True])
def test_an_announced_call_that_never_comes_is_warned_of_once(
    make_model: MakeModel, server: LocalASIOne, streaming: bool
) -> None:
    model = make_model(streaming=streaming)
    prose = completion(content="I can get that.")
    server.enqueue(answer(prose), answer(prose))
    with pytest.warns(UserWarning, match="sent no call") as caught:
        message = model.invoke("Weather?")
    assert caught[0].filename == __file__
    # Warnings are errors here: a second one would raise.
    again = model.invoke("Weather?")
    for one in (message, again):
        assert one.text == "I can get that."
        assert (one.tool_calls, one.invalid_tool_calls) == ([], [])
        assert one.response_metadata["tool_calls_missing"] is True
        assert one.response_metadata["finish_reason"] == "tool_calls"


def test_the_recorded_answer_without_a_call(model: ChatASIOne, server: LocalASIOne) -> None:
    server.enqueue(sample("asi1-mini-2025-04-recorded-tool-calling.json"))
    with pytest.warns(UserWarning, match="sent no call"):
        message = model.bind_tools([GetWeather]).invoke("Weather?")
    assert message.response_metadata["tool_calls_missing"] is True
    assert "thought" not in message.additional_kwargs


def test_a_tool_that_the_server_ran_is_no_missing_call(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    record = {"id": "t1", "tool_name": "web_search", "args": {"q": "x"}, "result": {"n": 1}}
    server.enqueue(answer(completion(content="Found.", tool_calls=[record])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        message = model.invoke("Search")
    assert message.tool_calls == []
    assert message.additional_kwargs["server_tool_calls"] == [record]
    assert "tool_calls_missing" not in message.response_metadata


LEAK = (
    "<tool_call>add<arg_key>a</arg_key><arg_value>1</arg_value>"
    "<arg_key>b</arg_key><arg_value>2</arg_value></tool_call>"
)


def enqueue_text(server: LocalASIOne, text: str, way: str, reason: str = "tool_calls") -> None:
    end = {"index": 0, "finish_reason": reason, "delta": {}}
    choices = [*({"index": 0, "delta": {"content": character}} for character in text), end]
    body = {"choices": [{"finish_reason": reason, "message": {"content": text}}]}
    whole = way.endswith("invoke")
    server.enqueue(answer(body) if whole else stream([{"choices": [c]} for c in choices]))


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize(
    ("bound", "recovered"),
    [
        ({"tools": [add]}, True),
        ({"tools": [add], "tool_choice": "any"}, True),
        ({"tools": [add], "tool_choice": "none"}, False),
        ({"tools": [multiply]}, False),
        ({"tools": []}, False),
        ({"tools": [SEARCH]}, False),
    ],
)
def test_a_leaked_call_is_recovered_only_for_a_bound_tool(
    make_model: MakeModel, server: LocalASIOne, way: str, bound: dict[str, Any], recovered: bool
) -> None:
    enqueue_text(server, LEAK, way)
    message = ask_in(way, make_model(recover_tool_calls=True).bind_tools(**bound))
    assert message.text == LEAK
    calls = [(call["name"], call["args"]) for call in message.tool_calls]
    assert calls == [("add", {"a": 1, "b": 2})] * recovered
    assert message.response_metadata.get("tool_calls_recovered", False) is recovered


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize("quote", ["The page says: {}", '"{}"', "```\n{}\n```", "> {}", "{}"])
def test_a_quoted_call_is_not_run_by_an_agent(
    make_model: MakeModel, server: LocalASIOne, way: str, quote: str
) -> None:
    """With the text alone recovery must be off, or the answer not announce calls."""
    ran: list[int] = []

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        ran.append(a + b)
        return a + b

    text = quote.format(LEAK)
    models = [(make_model(), "tool_calls"), (make_model(recover_tool_calls=True), "stop")]
    if quote != "{}":
        models.append((make_model(recover_tool_calls=True), "tool_calls"))
    for model, reason in models:
        agent = create_agent(model, [add])
        enqueue_text(server, text, way, reason)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=MISSING_CALL_WARNING)
            state = run_agent(agent, way)
        assert (state["messages"][-1].text, ran) == (text, [])


def run_agent(agent: Any, way: str) -> Any:
    question = {"messages": [("user", "What does the page say?")]}
    if way == "invoke":
        return agent.invoke(question)
    if way == "ainvoke":
        return asyncio.run(agent.ainvoke(question))
    modes = ["messages", "values"]
    if way == "stream":
        return [*agent.stream(question, stream_mode=modes)][-1][1]

    async def last() -> Any:
        return [event async for event in agent.astream(question, stream_mode=modes)][-1][1]

    return asyncio.run(last())


# --- Schemas of functions are read once ---


def test_a_function_is_read_again_only_when_it_has_changed(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def create(name: str, function: Any, **options: Any) -> Any:
        read.append(function.__doc__)
        return create_schema_from_function(name, function, **options)

    monkeypatch.setattr(_tools, "create_schema_from_function", create)

    def find(city: str, guests: int = 2) -> str:
        """Find tables."""
        return city

    def bound() -> dict[str, Any]:
        (tool,) = make_model().bind_tools([find]).kwargs["tools"]
        assert tool == convert_to_openai_tool(find)
        return cast("dict[str, Any]", tool)

    first = bound()
    first["function"]["parameters"]["properties"].clear()
    assert bound()["function"]["parameters"]["properties"].keys() == {"city", "guests"}
    assert read == ["Find tables."]
    find.__doc__ = "Find free tables."
    assert bound()["function"]["description"] == "Find free tables."
    assert read == ["Find tables.", "Find free tables."]


def test_functions_without_a_docstring_are_named(model: ChatASIOne) -> None:
    def double(number: int) -> int:
        return 2 * number

    def halve(number: int) -> float:
        """ """
        return number / 2

    with pytest.warns(UserWarning, match=r"^No docstring: double, halve\. The model") as warned:
        bound = model.bind_tools([add, double, halve])
    assert [warning.filename for warning in warned] == [__file__]
    assert len(bound.kwargs["tools"]) == 3


@pytest.mark.parametrize("one", [{"type": "web_search"}, "add", print, int])
def test_one_tool_instead_of_a_list_is_refused(model: ChatASIOne, one: Any) -> None:
    with pytest.raises(TypeError, match="tools must be a list, such as"):
        model.bind_tools(one)
