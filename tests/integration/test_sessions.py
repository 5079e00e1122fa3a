"""Which session each request carries, however it is made; threads through one model never mix."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Annotated, Any, TypedDict
from uuid import UUID, uuid4

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request.session import make_thread_session, make_value_session
from langchain_asi_one.testing import LocalASIOne, raw
from tests.support.model import MakeModel
from tests.support.ways import BATCH_WAYS, WAYS, sum_of

pytestmark = pytest.mark.filterwarnings("ignore:.*is in beta")
THREAD = "ada@example.org"
OF_THREAD = make_thread_session(THREAD)
EVERY_WAY = {**WAYS, **BATCH_WAYS}

# What is in reach of the call, and what must be sent: the first that there is.
CALL, CONFIG, FIELD, UUID_THREAD = "of-the-call", str(uuid4()), "of-the-field", str(uuid4())
PRECEDENCE: dict[str, tuple[str | None, str | None, str | None, str | None, str]] = {
    "call": (CALL, CONFIG, FIELD, THREAD, CALL),
    "config": (None, CONFIG, FIELD, THREAD, CONFIG),
    "field": (None, None, FIELD, THREAD, FIELD),
    "thread": (None, None, None, THREAD, OF_THREAD),
    "uuid-thread": (None, None, None, UUID_THREAD, UUID_THREAD),
    "call-over-thread": (CALL, None, None, THREAD, CALL),
    "config-over-thread": (None, CONFIG, None, THREAD, CONFIG),
}


def configured(**configurable: str | None) -> RunnableConfig:
    """A config with what is set of the given values."""
    return {"configurable": {name: value for name, value in configurable.items() if value}}


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("case", PRECEDENCE)
def test_precedence(case: str, way: str, make_model: MakeModel, server: LocalASIOne) -> None:
    call, config, field, thread, expected = PRECEDENCE[case]
    model = make_model(session_id=field)
    before = (model.model_dump(), repr(model))
    options: dict[str, Any] = {"session_id": call} if call else {}
    message = EVERY_WAY[way](
        model, "Hi", config=configured(session_id=config, thread_id=thread), **options
    )
    (request,) = server.requests
    assert request.session_id == expected
    assert message.response_metadata["session_id"] == expected
    assert "session" not in str(request.body)
    assert (model.model_dump(), repr(model)) == before
    assert (expected.encode() in pickle.dumps(model)) is (expected == field)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_without_any_each_call_has_a_fresh_uuid(
    way: str, model: ChatASIOne, server: LocalASIOne
) -> None:
    sent = [EVERY_WAY[way](model, "Hi").response_metadata["session_id"] for _ in range(3)]
    assert [request.session_id for request in server.requests] == sent
    assert len(set(sent)) == 3
    assert {UUID(session).version for session in sent} == {4}


@pytest.mark.parametrize("way", EVERY_WAY)
def test_threads_can_be_left_out(way: str, make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model(session_from_thread=False)
    EVERY_WAY[way](model, "Hi", config=configured(thread_id=UUID_THREAD))
    EVERY_WAY[way](model, "Hi", config=configured(thread_id=UUID_THREAD, session_id=CONFIG))
    first, second = server.requests
    assert UUID(first.session_id).version == 4
    assert first.session_id != UUID_THREAD
    assert second.session_id == CONFIG


@pytest.mark.parametrize("is_async", [False, True])
def test_generate(
    is_async: bool, make_model: MakeModel, model: ChatASIOne, server: LocalASIOne
) -> None:
    def generate(which: ChatASIOne, **options: Any) -> None:
        messages: list[list[BaseMessage]] = [[HumanMessage("Hi")]]
        if is_async:
            asyncio.run(which.agenerate(messages, **options))
        else:
            which.generate(messages, **options)

    generate(make_model(session_id=FIELD))
    generate(make_model(session_id=FIELD), session_id=CALL)
    generate(model, metadata={"thread_id": THREAD})
    assert [request.session_id for request in server.requests] == [FIELD, CALL, OF_THREAD]


@pytest.mark.parametrize("is_async", [False, True])
def test_each_item_of_a_batch_has_its_own(
    is_async: bool, model: ChatASIOne, server: LocalASIOne
) -> None:
    texts = [f"<{number}>" for number in range(20)]
    sessions = [str(uuid4()) for _ in range(20)]
    configs = [configured(session_id=session) for session in sessions]
    answers = (
        asyncio.run(model.abatch(texts, configs)) if is_async else model.batch(texts, configs)  # type: ignore[arg-type]
    )
    sent = {
        request.body["messages"][0]["content"]: request.session_id for request in server.requests
    }
    assert sent == dict(zip(texts, sessions, strict=True))
    assert [answer.response_metadata["session_id"] for answer in answers] == [
        sent[text] for text in texts
    ]


def test_no_user_name_leaves_the_machine(model: ChatASIOne, server: LocalASIOne) -> None:
    model.invoke("Hi", configured(thread_id=THREAD))
    model.invoke("Hi", configured(thread_id=THREAD))
    model.invoke("Hi", {"configurable": {"thread_id": 42}})
    for request in server.requests:
        assert "ada" not in f"{request.headers}{request.raw!r}{request.path}"
    one, again, number = [request.session_id for request in server.requests]
    assert one == again == OF_THREAD != number
    assert {UUID(session).version for session in (one, number)} == {5}


@pytest.mark.parametrize("way", EVERY_WAY)
@pytest.mark.parametrize("value", [42, "Zoë", "Grace Hopper ", "", "ada@example.org", "x" * 300])
def test_any_value_in_the_config_is_one_session(
    value: Any, way: str, model: ChatASIOne, server: LocalASIOne
) -> None:
    EVERY_WAY[way](model, "Hi", config={"configurable": {"session_id": value}})
    EVERY_WAY[way](model, "Hi", config={"configurable": {"session_id": value}})
    assert [request.session_id for request in server.requests] == [make_value_session(value)] * 2
    assert str(value) not in server.requests[0].headers.values()


# Both are deprecated, and in use.
@pytest.mark.filterwarnings("ignore:The class `InMemoryChatMessageHistory` was deprecated")
@pytest.mark.filterwarnings("ignore:RunnableWithMessageHistory is deprecated")
def test_message_history_of_langchain(model: ChatASIOne, server: LocalASIOne) -> None:
    # https://github.com/langchain-ai/langchain/issues/35308
    stores: dict[object, InMemoryChatMessageHistory] = {}

    def history(session_id: object) -> InMemoryChatMessageHistory:
        return stores.setdefault(session_id, InMemoryChatMessageHistory())

    chain = RunnableWithMessageHistory(model, history)
    for user in ("Zoë", 42, "Zoë"):
        chain.invoke("Hello", {"configurable": {"session_id": user}})
    sent = [request.session_id for request in server.requests]
    assert sent == [make_value_session("Zoë"), make_value_session(42), make_value_session("Zoë")]
    assert len(stores["Zoë"].messages) == 4


@pytest.mark.parametrize("value", ["", " blank", "é", "a\r\nx-injected: 1", "x" * 257, 7, b"x"])
def test_what_cannot_be_a_header_is_refused(
    value: Any, model: ChatASIOne, make_model: MakeModel, server: LocalASIOne
) -> None:
    with pytest.raises(ValueError, match="session_id is sent as an HTTP header"):
        model.invoke("Hi", session_id=value)
    with pytest.raises(ValueError, match="session_id is sent as an HTTP header"):
        make_model(session_id=value)
    assert server.requests == []


# --- Through what LangChain puts around a model ---


def shout(text: str) -> str:
    """Say it loudly."""
    return text.upper()


class Point(TypedDict):
    """A point."""

    x: int


WRAPPED: dict[str, Callable[[ChatASIOne], Runnable[Any, Any]]] = {
    "prompt": lambda model: ChatPromptTemplate.from_template("Say {text}") | model,
    "bind_tools": lambda model: model.bind_tools([shout]),
    "bind_web_search": lambda model: model.bind_tools([{"type": "web_search"}]),
    "structured": lambda model: model.with_structured_output(Point),
    "structured_raw": lambda model: model.with_structured_output(Point, include_raw=True),
    "json_schema": lambda model: model.with_structured_output(Point, method="json_schema"),
    "json_mode": lambda model: model.with_structured_output(method="json_mode"),
    "with_retry": lambda model: model.with_retry(stop_after_attempt=2),
    "with_fallbacks": lambda model: model.with_fallbacks([model]),
    "with_config": lambda model: model.with_config(tags=["t"]),
    "lambda": lambda model: RunnableLambda(model.invoke),
    "chain": lambda model: RunnableLambda(lambda text: text) | model | (lambda answer: answer),
}


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("name", WRAPPED)
def test_through_wrappers(
    name: str, is_async: bool, model: ChatASIOne, server: LocalASIOne
) -> None:
    wrapped = WRAPPED[name](model)
    question: Any = {"text": "Hi"} if name == "prompt" else "Hi, in JSON"
    for config in (configured(session_id=CONFIG), configured(thread_id=THREAD)):
        if is_async:
            asyncio.run(wrapped.ainvoke(question, config))
        else:
            wrapped.invoke(question, config)
    assert [request.session_id for request in server.requests] == [CONFIG, OF_THREAD]


def test_bound_and_configured_sessions(model: ChatASIOne, server: LocalASIOne) -> None:
    model.bind(session_id=CALL).invoke("Hi", configured(session_id=CONFIG))
    model.with_config(configured(session_id=CONFIG)).invoke("Hi")
    model.with_config(configured(thread_id=THREAD)).with_retry().invoke("Hi")
    sent = [request.session_id for request in server.requests]
    assert sent == [CALL, CONFIG, OF_THREAD]


@pytest.mark.parametrize("kind", ["retry", "fallback"])
def test_a_second_try_is_in_the_same_session(
    kind: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    model = make_model()
    again: Runnable[Any, Any] = (
        model.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
        if kind == "retry"
        else model.with_fallbacks([make_model()])
    )
    again.invoke("[fault: http_403 times=1]", configured(thread_id=THREAD))
    assert [request.session_id for request in server.requests] == [OF_THREAD] * 2


# --- In LangGraph ---


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def graph(model: ChatASIOne, kind: str) -> Any:
    """A compiled graph of one node that calls the model in one of the ways a node may."""

    def plain(state: State) -> dict[str, list[AIMessage]]:
        return {"messages": [model.invoke(state["messages"])]}

    def passes(state: State, config: RunnableConfig) -> dict[str, list[AIMessage]]:
        return {"messages": [model.invoke(state["messages"], config)]}

    def own(state: State) -> dict[str, list[AIMessage]]:
        return {"messages": [model.invoke(state["messages"], {"tags": ["mine"]})]}

    def streams(state: State) -> dict[str, Any]:
        return {"messages": [sum_of(model.stream(state["messages"]))]}

    async def aplain(state: State) -> dict[str, list[AIMessage]]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    async def apasses(state: State, config: RunnableConfig) -> dict[str, list[AIMessage]]:
        return {"messages": [await model.ainvoke(state["messages"], config)]}

    async def astreams(state: State) -> dict[str, Any]:
        chunks = [chunk async for chunk in model.astream(state["messages"])]
        return {"messages": [sum_of(chunks)]}

    nodes: dict[str, Any] = {
        "plain": plain, "passes": passes, "own": own, "streams": streams,
        "aplain": aplain, "apasses": apasses, "astreams": astreams,
    }  # fmt: skip
    builder = StateGraph(State)
    builder.add_node("ask", nodes[kind])
    builder.add_edge(START, "ask")
    builder.add_edge("ask", END)
    return builder.compile(checkpointer=InMemorySaver())


NODES = ("plain", "passes", "own", "streams", "aplain", "apasses", "astreams")


@pytest.mark.parametrize("kind", NODES)
@pytest.mark.parametrize("from_thread", [True, False])
def test_in_a_node(
    kind: str, from_thread: bool, make_model: MakeModel, server: LocalASIOne
) -> None:
    compiled = graph(make_model(session_from_thread=from_thread), kind)
    configs = [configured(thread_id=THREAD), configured(thread_id="b", session_id=CONFIG)]
    for config in [configs[0], *configs]:
        question = {"messages": [HumanMessage("Hi")]}
        if kind.startswith("a"):
            state = asyncio.run(compiled.ainvoke(question, config))
        else:
            state = compiled.invoke(question, config)
        told = state["messages"][-1].response_metadata["session_id"]
        assert told == server.requests[-1].session_id
    first, second, third = [request.session_id for request in server.requests]
    assert third == CONFIG
    if from_thread:
        assert first == second == OF_THREAD
    else:
        assert first != second
        assert OF_THREAD not in (first, second)


@pytest.mark.no_cover
async def test_threads_through_one_graph_never_mix(model: ChatASIOne, server: LocalASIOne) -> None:
    compiled = graph(model, "aplain")
    gate = asyncio.Semaphore(40)

    async def turn(number: int, text: str) -> Any:
        async with gate:
            question = {"messages": [HumanMessage(f"<{number}> {text}")]}
            return await compiled.ainvoke(question, configured(thread_id=f"user-{number}"))

    numbers = range(50)
    for text in ("first", "what did I say?"):
        states = await asyncio.gather(*(turn(number, text) for number in numbers))
    for number, state in zip(numbers, states, strict=True):
        assert f'"<{number}> first"' in state["messages"][-1].text
    assert len(server.requests) == 100
    for request in server.requests:
        number = request.body["messages"][-1]["content"].partition(">")[0].removeprefix("<")
        assert request.session_id == make_thread_session(f"user-{number}")


def test_a_graph_streams_and_batches_in_its_threads(model: ChatASIOne, server: LocalASIOne) -> None:
    compiled = graph(model, "plain")
    question = {"messages": [HumanMessage("Hi")]}
    assert list(compiled.stream(question, configured(thread_id="a"), stream_mode="messages"))
    threads = ["b", "c", "d"]
    compiled.batch([question] * 3, [configured(thread_id=thread) for thread in threads])
    sent = [request.session_id for request in server.requests]
    assert sent[0] == make_thread_session("a")
    assert sorted(sent[1:]) == sorted(map(make_thread_session, threads))  # type: ignore[type-var]


# --- Caches ---


def test_a_cache_hits_when_no_session_is_in_reach(
    make_model: MakeModel, server: LocalASIOne
) -> None:
    model = make_model(cache=InMemoryCache())
    assert model.invoke("Hi").text == model.invoke("Hi").text
    assert asyncio.run(model.ainvoke("Hi")).text == model.invoke("Hi").text
    assert len(server.requests) == 1


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_cached_answer_names_no_session_of_another_request(
    way: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    model = make_model(cache=InMemoryCache())
    sent = EVERY_WAY[way](model).response_metadata
    assert sent["session_id"] == server.requests[0].session_id
    for _ in range(2):
        cached = EVERY_WAY[way](model).response_metadata
        assert cached == {name: value for name, value in sent.items() if name != "session_id"}
    assert sent["session_id"] == server.requests[0].session_id
    assert len(server.requests) == 1


def test_a_cache_hits_in_each_run_of_a_chain(make_model: MakeModel, server: LocalASIOne) -> None:
    chain = RunnableLambda(lambda text: text) | make_model(cache=InMemoryCache())
    assert chain.invoke("Hi").text == chain.invoke("Hi").text
    assert len(server.requests) == 1


ACTING: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "field": ({"planner_mode": True}, {}),
    "call": ({}, {"planner_mode": True}),
    "extra body of the model": ({"extra_body": {"agents": ["any"]}}, {}),
    "extra body of the call": ({}, {"extra_body": {"planner_mode": True}}),
    "extra body before the call": ({"extra_body": {"agents": ["any"]}}, {"agents": []}),
}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize("case", ACTING)
def test_a_call_that_can_act_is_never_answered_from_a_cache(
    case: str, way: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    fields, options = ACTING[case]
    cache = InMemoryCache()
    model = make_model(cache=cache, **fields)
    for _ in range(2):
        message = EVERY_WAY[way](model, **options)
        assert message.response_metadata["session_id"] == server.requests[-1].session_id
    assert len(server.requests) == 2
    assert cache._cache == {}
    switched_off = {"planner_mode": False, "extra_body": {"agents": None, "planner_mode": None}}
    for _ in range(2):
        EVERY_WAY[way](model, **switched_off)
    assert len(server.requests) == 3


def test_a_cache_keeps_sessions_apart(make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model(cache=InMemoryCache())
    for thread in ("a", "b", "a", "b"):
        message = model.invoke("Hi", configured(thread_id=thread))
        assert message.response_metadata["session_id"] == make_thread_session(thread)
    assert len(server.requests) == 2


def test_a_cookie_of_one_session_is_not_sent_in_another(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    body = b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}'
    server.enqueue(raw(body, headers={"set-cookie": "who=ada; Path=/"}))

    model.invoke("Hi", session_id="ada")
    model.invoke("Hi", session_id="bob")
    asyncio.run(model.ainvoke("Hi", session_id="eve"))

    assert [request.headers.get("cookie") for request in server.requests] == [None] * 3


async def test_a_thread_named_in_the_metadata_counts_everywhere(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    config: RunnableConfig = {"metadata": {"thread_id": "of-a-tracer"}}

    model.invoke("Hi", config)
    list(model.stream("Hi", config))
    await model.ainvoke("Hi", config)
    _ = [chunk async for chunk in model.astream("Hi", config)]

    assert {request.session_id for request in server.requests} == {
        make_thread_session("of-a-tracer")
    }
