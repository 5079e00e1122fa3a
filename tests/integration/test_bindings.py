"""What is bound to a model stays bound when tools, schemas or agents come on top."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField, RunnableBinding, RunnableConfig
from langchain_core.runnables.configurable import RunnableConfigurableFields
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request.session import make_thread_session, make_value_session
from langchain_asi_one.testing import LocalASIOne
from tests.support.model import MakeModel
from tests.support.ways import STRUCTURED_WAYS

SESSION = "4f3c2b1a-0d9e-4c8b-9a7f-6e5d4c3b2a10"
THREAD: RunnableConfig = {"configurable": {"thread_id": "t"}}


class City(BaseModel):
    """A city."""

    name: str


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def subtract(a: int, b: int) -> int:
    """Subtract two numbers."""
    return a - b


# What is bound, and what each request must then hold.
BOUND: dict[str, tuple[Callable[[ChatASIOne], Any], dict[str, Any], str | None]] = {
    "bind": (
        lambda model: model.bind(web_search=True, temperature=0.1),
        {"web_search": True, "temperature": 0.1},
        None,
    ),
    "bind planner": (lambda model: model.bind(planner_mode=True), {"planner_mode": True}, None),
    "bind session": (lambda model: model.bind(session_id="chat-1"), {}, "chat-1"),
    "bind twice": (
        lambda model: model.bind(top_p=0.5).bind(session_id="chat-1"),
        {"top_p": 0.5},
        "chat-1",
    ),
    "config": (lambda model: model.with_config(THREAD), {}, make_thread_session("t")),
    # A value of the config may be personal: what is no UUID is sent as its hash.
    "config session": (
        lambda model: model.with_config(configurable={"session_id": "chat-1"}),
        {},
        make_value_session("chat-1"),
    ),
    "config session, a UUID": (
        lambda model: model.with_config(configurable={"session_id": SESSION}),
        {},
        SESSION,
    ),
    "search": (
        lambda model: model.bind_tools([{"type": "web_search"}]),
        {"web_search": True},
        None,
    ),
    "listeners": (
        lambda model: model.bind(top_p=0.5).with_listeners(on_end=lambda run: None),
        {"top_p": 0.5},
        None,
    ),
    "configurable, chosen": (
        lambda model: model.configurable_fields(
            temperature=ConfigurableField(id="heat")
        ).with_config(configurable={"heat": 0.3}),
        {"temperature": 0.3},
        None,
    ),
    "bound and configurable": (
        lambda model: (
            model.configurable_fields(temperature=ConfigurableField(id="heat"))
            .bind(session_id="chat-1")
            .with_config(configurable={"heat": 0.3})
        ),
        {"temperature": 0.3},
        "chat-1",
    ),
}
# What LangChain puts around a model, and what is bound to that.
BOUND |= {
    "types": (lambda model: model.with_types(input_type=str).bind(top_p=0.5), {"top_p": 0.5}, None),
    "fallbacks": (
        lambda model: model.with_fallbacks([model]).bind(top_p=0.5, session_id="chat-1"),
        {"top_p": 0.5},
        "chat-1",
    ),
    "fallbacks of a binding": (
        lambda model: model.bind(top_p=0.5).with_fallbacks([model]).with_config(THREAD),
        {"top_p": 0.5},
        make_thread_session("t"),
    ),
}
# A parser goes behind a wait, so it has no `with_structured_output`.
WAITING: dict[str, tuple[Callable[[ChatASIOne], Any], dict[str, Any], str | None]] = {
    "follow-up": (
        lambda model: model.with_follow_up().bind(top_p=0.5, session_id="chat-1"),
        {"top_p": 0.5},
        "chat-1",
    ),
    "follow-up, config": (
        lambda model: model.bind(top_p=0.5).with_follow_up().with_config(THREAD),
        {"top_p": 0.5},
        make_thread_session("t"),
    ),
    "follow-up, listeners": (
        lambda model: (
            model.with_follow_up().with_listeners(on_end=lambda run: None).bind(top_p=0.5)
        ),
        {"top_p": 0.5},
        None,
    ),
}
# What comes on top, and which fields it adds.
ON_TOP: dict[str, tuple[Callable[[Any], Any], Any, set[str]]] = {
    "bind_tools": (lambda bound: bound.bind_tools([add]), "?", {"tools"}),
    "function_calling": (
        lambda bound: bound.with_structured_output(City),
        "Tell me about the city Paris.",
        {"tools", "tool_choice"},
    ),
    "include_raw": (
        lambda bound: bound.with_structured_output(City, include_raw=True),
        "Tell me about the city Paris.",
        {"tools", "tool_choice"},
    ),
    "json_schema": (
        lambda bound: bound.with_structured_output(City, method="json_schema"),
        "Tell me about the city Paris.",
        {"response_format"},
    ),
    "create_agent": (
        lambda bound: create_agent(bound, [add]),
        {"messages": [("user", "?")]},
        {"tools"},
    ),
    "with_follow_up": (lambda bound: bound.with_follow_up(interval=0.01), "?", set()),
}


@pytest.mark.parametrize("way", STRUCTURED_WAYS)
@pytest.mark.parametrize(
    ("name", "top"),
    [
        *itertools.product(BOUND, ON_TOP),
        *itertools.product(WAITING, ["bind_tools", "create_agent"]),
    ],
)
def test_what_was_bound_before_is_kept(
    name: str, top: str, way: str, model: ChatASIOne, server: LocalASIOne
) -> None:
    # https://github.com/langchain-ai/langchain/issues/35320
    bind, body, session = {**BOUND, **WAITING}[name]
    build, question, added = ON_TOP[top]
    assert STRUCTURED_WAYS[way](build(bind(model)), question)
    for request in server.requests:
        assert {field: request.body.get(field) for field in body} == body
        assert added <= request.body.keys()
        assert session in (None, request.session_id)
    assert server.requests


def test_tools_replace_tools_and_their_choice(model: ChatASIOne, server: LocalASIOne) -> None:
    first = model.bind_tools([add], tool_choice="add", parallel_tool_calls=False)
    first.bind_tools([subtract]).invoke("?")
    first.bind_tools([{"type": "web_search"}]).invoke("?")
    (second, third) = [request.body for request in server.requests]
    assert [tool["function"]["name"] for tool in second["tools"]] == ["subtract"]
    assert not second.keys() & {"tool_choice", "parallel_tool_calls"}
    assert [tool["function"]["name"] for tool in third["tools"]] == ["add"]
    assert third["web_search"] is True
    assert third["tool_choice"]["function"]["name"] == "add"


def test_tools_beside_a_schema(model: ChatASIOne, server: LocalASIOne) -> None:
    chain = model.bind_tools([add]).with_structured_output(City, method="json_schema")
    chain.invoke("Tell me about the city Paris.")
    assert server.requests[0].body.keys() >= {"tools", "response_format"}


@pytest.mark.parametrize("top", ["bind_tools", "function_calling", "json_schema", "create_agent"])
def test_configurable_fields_stay_configurable(
    top: str, model: ChatASIOne, server: LocalASIOne
) -> None:
    build, question, added = ON_TOP[top]
    runnable = build(model.configurable_fields(temperature=ConfigurableField(id="heat")))
    for heat in (0.2, 0.7):
        runnable.invoke(question, {"configurable": {"heat": heat}})
    assert [request.body["temperature"] for request in server.requests] == [0.2, 0.7]
    assert added <= server.requests[0].body.keys()


def test_alternatives_stay_alternatives(
    model: ChatASIOne, make_model: MakeModel, server: LocalASIOne
) -> None:
    bound = model.configurable_alternatives(
        ConfigurableField(id="which"), mini=make_model(model="asi1-mini")
    ).bind_tools([add])
    for which in ("default", "mini"):
        bound.invoke("?", {"configurable": {"which": which}})
    assert [request.body["model"] for request in server.requests] == ["asi1", "asi1-mini"]
    assert all("tools" in request.body for request in server.requests)


def test_a_model_that_waits_says_where_a_parser_goes(model: ChatASIOne) -> None:
    with pytest.raises(TypeError, match="answers with messages"):
        model.with_follow_up().bind(top_p=0.5).with_structured_output(City)


def test_to_langchain_they_are_its_own_classes(model: ChatASIOne) -> None:
    configurable = model.configurable_fields(temperature=ConfigurableField(id="heat"))
    bound = configurable.bind_tools([add])
    assert isinstance(configurable, RunnableConfigurableFields)
    assert isinstance(bound, RunnableBinding)
    assert dumpd(configurable)["id"][-1] == "RunnableConfigurableFields"
    assert dumpd(bound)["id"][-1] == "RunnableBinding"
    assert dumpd(model.with_fallbacks([model]))["id"][-1] == "RunnableWithFallbacks"
    copied = pickle.loads(pickle.dumps(bound))  # noqa: S301 - made above
    assert isinstance(copied.invoke("?"), AIMessage)
