"""Session ids come from what somebody chose, else from the thread and the position in its graph."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.graph import START, StateGraph
from langgraph.types import Send

from langchain_asi_one._request.session import (
    SENT_SESSION,
    UNCACHED,
    check_session_id,
    find_run_session,
    find_session,
    is_uncached,
    make_thread_session,
    make_value_session,
)
from tests.support.examples import examples

A_UUID = "0198c5f5-11f6-7bd8-b2f4-6a2d6d7e9a0b"
PERSONAL: list[Any] = [
    42,
    "Zoë",
    "用户-7",
    "Grace Hopper ",
    "",
    "ada@example.org",
    "x" * 300,
    "\ud800",
]


@pytest.mark.parametrize("value", PERSONAL, ids=repr)
@pytest.mark.parametrize("make", [make_thread_session, make_value_session])
def test_what_may_be_personal_is_hashed(make: Any, value: Any) -> None:
    session_id = make(value)
    assert UUID(session_id).version == 5
    assert make(value) == session_id
    assert make(f"{value}.") != session_id


@pytest.mark.parametrize("value", [A_UUID, A_UUID.upper(), UUID(A_UUID), A_UUID.replace("-", "")])
@pytest.mark.parametrize("make", [make_thread_session, make_value_session])
def test_a_uuid_is_sent_as_it_is(make: Any, value: Any) -> None:
    assert make(value) == str(value)


@pytest.mark.parametrize(
    "value", [f"{{{A_UUID}}}", f"urn:uuid:{A_UUID}", A_UUID.replace("1", "\uff11")]
)
def test_other_spellings_of_a_uuid_are_hashed(value: str) -> None:
    assert UUID(make_thread_session(value)).version == 5


@given(st.one_of(st.text(), st.integers(), st.floats(), st.uuids(), st.binary()))
@examples(200)
def test_any_value_gives_a_header(value: Any) -> None:
    assert check_session_id(make_value_session(value)) == make_value_session(value)
    assert find_session({"configurable": {"session_id": value}}) == make_value_session(value)


def test_a_thread_and_a_value_of_the_same_text_have_two_sessions() -> None:
    assert make_thread_session("ada") != make_value_session("ada")


def test_the_session_of_an_earlier_request_is_sent_as_it_was() -> None:
    config: Any = {"configurable": {SENT_SESSION: "chat-42", "session_id": "Zoë", "thread_id": "t"}}
    assert find_session(config, field="of-the-field") == "chat-42"


def test_a_field_that_is_configured_is_sent_as_given() -> None:
    config: Any = {"configurable": {"session_id": "chat-42"}}
    assert find_session(config, field="chat-42") == "chat-42"
    assert find_session(config, field="chat-43") == make_value_session("chat-42")


def test_a_run_has_a_session_of_its_own() -> None:
    run, other = uuid4(), uuid4()
    assert find_run_session(None) is None
    assert (
        find_run_session(None, run) == find_run_session(None, run) != find_run_session(None, other)
    )
    assert str(run) not in str(find_run_session(None, run))


def test_a_run_of_a_graph_has_one_session_and_each_branch_its_own() -> None:
    class State(TypedDict):
        found: Annotated[list[str | None], operator.add]

    def find(_: State, config: RunnableConfig) -> State:
        return {"found": [find_run_session(config, uuid4())]}

    node: Any = find
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for name in ("first", "second", "branch"):
        graph.add_node(name, node)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_conditional_edges("second", lambda _: [Send("branch", {"found": []})] * 2)
    runs = [graph.compile().invoke({"found": []})["found"] for _ in range(2)]
    for first, second, *branches in runs:
        assert first == second
        assert len({first, *branches}) == 3
    assert not {*runs[0]} & {*runs[1]}


def test_a_branch_that_only_metadata_show_has_a_session_of_its_own() -> None:
    config: Any = {
        "configurable": {"thread_id": "t", "checkpoint_ns": "ask:1"},
        "metadata": {"langgraph_checkpoint_ns": "ask:1", "langgraph_path": ["__pregel_push", 4]},
    }
    assert find_session({"configurable": config["configurable"]}) == make_thread_session("t")
    assert find_session(config) not in (None, make_thread_session("t"))


def test_sessions_stay_the_same_over_releases() -> None:
    assert make_value_session("Zoë") == "8b5ac740-ea15-5030-8d60-ea6a5364bd98"
    assert make_thread_session("ada@example.org") == "a18b5a19-4ed2-5f8c-9353-ef8be19baf4b"


def test_the_models_field_counts_where_nothing_else_is_chosen() -> None:
    assert find_session(None, field="chat-42") == "chat-42"
    assert find_session({"configurable": {"thread_id": "t"}}, field="chat-42") == "chat-42"
    assert find_session(None) is None


def test_each_thread_has_a_session_wherever_it_is_named() -> None:
    def of(config: Any, **more: Any) -> str | None:
        return find_session(config, **more)

    a, b = make_thread_session("a"), make_thread_session("b")
    assert (of({"configurable": {"thread_id": "a"}}), of({"configurable": {"thread_id": "b"}})) == (
        a,
        b,
    )
    assert of({"metadata": {"thread_id": "a"}}) == a
    assert of({"metadata": {"thread_id": "a"}}, metadata={"thread_id": "b"}) == a
    assert of({}, metadata={"thread_id": "b"}) == b
    assert of({"metadata": {"thread_id": ""}}, metadata={"thread_id": "b"}) == b
    assert of({"configurable": {"thread_id": "a"}}, from_thread=False) is None


def test_a_long_id_is_quoted_in_part() -> None:
    with pytest.raises(ValueError, match=r"got 'x{79}…\. Use a UUID"):
        check_session_id("x" * 300)


def test_a_config_or_the_one_around_it_says_that_no_cache_may_answer() -> None:
    config: RunnableConfig = {"configurable": {UNCACHED: True}}
    inner: RunnableLambda[str, bool] = RunnableLambda(lambda _: is_uncached({"configurable": {}}))
    assert is_uncached(config)
    assert inner.invoke("", config)
    assert not is_uncached(None)
    assert not is_uncached({"tags": ["a"]})
