"""`follow_up_node`: one checkpoint per poll, also over the death of the process."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, cast

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request.session import make_thread_session
from langchain_asi_one.errors import ASIOneAuthenticationError
from langchain_asi_one.langgraph import follow_up_condition, follow_up_node
from langchain_asi_one.langgraph._follow_up import FollowUp
from langchain_asi_one.testing import LocalASIOne, answer, fault
from tests.support.other_process import OtherProcess
from tests.support.patience import FOREVER, PATIENCE
from tests.support.waiting_process import CONFIG, checkpoints, waiting_graph

ROOT = Path(__file__).parents[3]
STAND_IN = "[local stand-in] I've sent the message"
FAST = 0.02
Graph = Any


def read_requests(server: LocalASIOne) -> list[list[tuple[str, str]]]:
    """Role and text of the messages of each request."""
    bodies = [request.body for request in server.requests]
    return [[(m["role"], m["content"]) for m in body["messages"]] for body in bodies]


def reply(text: str) -> Any:
    return answer({"choices": [{"message": {"role": "assistant", "content": text}}]})


def start(server: LocalASIOne, *arguments: object, clock_ahead: float = 0) -> OtherProcess:
    return OtherProcess(
        "tests.support.waiting_process",
        server.base_url,
        *map(str, arguments),
        environ={
            **os.environ,
            "LANGGRAPH_STRICT_MSGPACK": "true",
            "CLOCK_AHEAD": str(clock_ahead),
        },
    )


def wait_for_polls(graph: Graph, polls: int, process: OtherProcess) -> FollowUp:
    """Wait until a checkpoint says that so many polls were made and another is due."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.is_running():
        state = graph.get_state(CONFIG)
        record: Any = state.values.get("follow_up")
        # Without a next node, the step's writes are stored and its checkpoint is not yet.
        if record and record["polls"] == polls and state.next:
            return cast("FollowUp", record)
        time.sleep(0.02)
    process.kill()
    pytest.fail(f"no checkpoint with {polls} polls: {process.finish()}")


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_killed_processes_are_followed_by_others(
    server: LocalASIOne,
    model: ChatASIOne,
    place: str,
) -> None:
    with checkpoints(place) as saver:
        graph = waiting_graph(model, 1).compile(checkpointer=saver)
        # Each is killed in the wait before the next poll; the one after it begins when that is due.
        for polls, question in enumerate([["[deferred: 3] A table?"], []]):
            process = start(server, place, FOREVER, *question, clock_ahead=polls * FOREVER)
            record = wait_for_polls(graph, polls, process)
            process.kill()
            killed = process.finish()
            assert (killed.stdout, killed.stderr) == ("", "")
            assert killed.returncode == -signal.SIGKILL
            assert record["pending"]
            assert record["due"] is not None
            assert len(server.requests) == 1 + polls
            before = graph.get_state(CONFIG)
            assert before.next == ("follow_up",)

        resumed = start(server, place, 0.1).finish()
        assert (resumed.returncode, resumed.stderr) == (0, "")
        shown = resumed.stdout

        asking = [("user", "[deferred: 3] A table?")]
        poll = [*asking, ("assistant", STAND_IN), ("user", "Any update?")]
        assert read_requests(server) == [asking, poll, poll, poll]
        sessions = {request.session_id for request in server.requests}
        assert sessions == {make_thread_session("ada@example.org")}
        assert shown.startswith('[local stand-in] You said: "A table?"')

        after = graph.get_state(CONFIG)
        assert after.next == ()
        texts = [str(message.text) for message in after.values["messages"]]
        assert texts == ["[deferred: 3] A table?", STAND_IN, shown]
        assert after.values["messages"][:2] == before.values["messages"]
        assert after.values["messages"][-1].response_metadata["follow_up_polls"] == 3
        records = [s.values.get("follow_up") for s in graph.get_state_history(CONFIG)]
        assert [r["polls"] for r in records if r] == [3, 2, 1, 0]  # one checkpoint per poll
        assert after.values["follow_up"] == {
            "pending": False,
            "polls": 3,
            "due": None,
            "answer": after.values["messages"][-1].id,
            "delayed": 0,
            "error": None,
        }


async def _run(graph: Graph, given: object, config: Any, *, is_async: bool) -> Any:
    if is_async:
        return await graph.ainvoke(given, config)
    return await asyncio.to_thread(graph.invoke, given, config)


class TypedState(TypedDict):
    messages: Annotated[list[Any], operator.add]


class PydanticState(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages]


@dataclass
class DataclassState:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)


class DeclaringState(MessagesState):
    follow_up: FollowUp


def build(model: Runnable[Any, Any], state: type[Any], **arguments: Any) -> Graph:
    """The documented wiring for any state class."""

    def ask(state: Any) -> dict[str, Any]:
        held = state["messages"] if isinstance(state, dict) else state.messages
        return {"messages": [model.invoke(held)]}

    builder = StateGraph(state)
    builder.add_node("ask", ask)
    builder.add_node(follow_up_node(model, **{"interval": FAST, **arguments}))
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "follow_up")
    builder.add_conditional_edges("follow_up", follow_up_condition)
    return builder.compile(checkpointer=InMemorySaver())


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    "state", [MessagesState, TypedState, PydanticState, DataclassState, DeclaringState]
)
async def test_waits_in_any_state(
    server: LocalASIOne, model: ChatASIOne, state: type[Any], is_async: bool
) -> None:
    graph = build(model, state)
    for turn in (1, 2):
        server.clear()
        given = {"messages": [HumanMessage(f"[deferred: 2] Question {turn}")]}
        await _run(graph, given, CONFIG, is_async=is_async)
        values = graph.get_state(CONFIG).values
        assert [str(m.text) for m in values["messages"]][-2] == STAND_IN
        assert f"Question {turn}" in str(values["messages"][-1].text)
        last = values["messages"][-1].id
        wait = {"pending": False, "polls": 2, "due": None, "answer": last}
        assert values["follow_up"] == {**wait, "delayed": 0, "error": None}
        assert len(server.requests) == 3
        assert {r.session_id for r in server.requests} == {make_thread_session("ada@example.org")}
    # An ordinary answer passes through, though an earlier one was waited for.
    server.clear()
    await _run(graph, {"messages": [HumanMessage("Plain")]}, CONFIG, is_async=is_async)
    values = graph.get_state(CONFIG).values
    assert values["follow_up"]["polls"] == 0
    assert not values["follow_up"]["pending"]
    assert len(server.requests) == 1
    assert "follow_up_polls" not in values["messages"][-1].response_metadata


@pytest.mark.parametrize("is_async", [False, True])
async def test_bound_ends_the_wait_as_still_pending(
    server: LocalASIOne, model: ChatASIOne, is_async: bool
) -> None:
    graph = build(model, MessagesState, max_polls=2)
    given = {"messages": [HumanMessage("[deferred: 9] Hi")]}
    state = await _run(graph, given, CONFIG, is_async=is_async)
    assert [m.text for m in state["messages"]] == ["[deferred: 9] Hi", STAND_IN]
    record = graph.get_state(CONFIG).values["follow_up"]
    answered = state["messages"][-1].id
    wait = {"pending": True, "polls": 2, "due": None, "answer": answered}
    assert record == {**wait, "delayed": 0, "error": None}
    assert len(server.requests) == 3


def test_new_words_while_waiting_are_kept_and_polls_send_the_last(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    texts = ["waiting for A", "waiting for B", "", "Table 4"]
    server.enqueue(*map(reply, texts))
    graph = build(
        model,
        MessagesState,
        is_pending=lambda m: "waiting" in m.text or not m.text,
        message="And?",
    )
    state = graph.invoke({"messages": [HumanMessage("Hi")]}, CONFIG)
    assert [m.text for m in state["messages"]] == [
        "Hi",
        "waiting for A",
        "waiting for B",
        "Table 4",
    ]
    polls = [
        [("user", "Hi"), ("assistant", f"waiting for {name}"), ("user", "And?")] for name in "ABB"
    ]
    assert read_requests(server) == [[("user", "Hi")], *polls]


def test_answers_without_ids_are_bounded_too(server: LocalASIOne, model: ChatASIOne) -> None:
    server.enqueue(*[reply(f"waiting {n}") for n in range(9)])
    bare: Runnable[Any, Any] = RunnableLambda(
        lambda messages: model.invoke(messages).model_copy(update={"id": None})
    )
    graph = build(bare, MessagesState, is_pending=lambda m: "waiting" in m.text, max_polls=3)
    graph.invoke({"messages": [HumanMessage("Hi")]}, CONFIG)
    record = graph.get_state(CONFIG).values["follow_up"]
    assert (record["pending"], record["polls"], record["due"]) == (True, 3, None)
    assert len(server.requests) == 4


def test_failed_poll_is_made_again_on_resume_without_a_new_question(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    server.enqueue(reply("I've sent the message"), fault("http_401"), reply("Table 4"))
    graph = build(model, MessagesState)
    with pytest.raises(ASIOneAuthenticationError):
        graph.invoke({"messages": [HumanMessage("Hi")]}, CONFIG)
    assert graph.get_state(CONFIG).next == ("follow_up",)
    state = graph.invoke(None, CONFIG)
    assert state["messages"][-1].text == "Table 4"
    assert [len(messages) for messages in read_requests(server)] == [1, 3, 3]


PASSING = [fault("http_429"), fault("http_503_html"), fault("close_before_reply")]


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_poll_that_fails_for_now_is_a_step_and_the_wait_goes_on(
    server: LocalASIOne, make_model: Callable[..., ChatASIOne], is_async: bool
) -> None:
    model = make_model(max_retries=0)
    server.enqueue(reply("I've sent the message"), *PASSING, reply("Table 4"))
    graph = build(model, MessagesState)
    state = await _run(graph, {"messages": [HumanMessage("Hi")]}, CONFIG, is_async=is_async)
    assert [m.text for m in state["messages"]] == ["Hi", "I've sent the message", "Table 4"]
    assert state["messages"][-1].response_metadata["follow_up_polls"] == 4
    assert [len(messages) for messages in read_requests(server)] == [1, 3, 3, 3, 3]
    records = [s.values.get("follow_up") for s in graph.get_state_history(CONFIG)]
    errors = [record["error"] for record in reversed(records) if record]
    names = [error.split(":")[0] if error else None for error in errors]
    failed = ["ASIOneRateLimitError", "ASIOneServerError", "ASIOneConnectionError"]
    assert names == [None, *failed, None]


@pytest.mark.parametrize("is_async", [False, True])
async def test_no_cache_answers_a_poll(
    server: LocalASIOne, make_model: Callable[..., ChatASIOne], is_async: bool
) -> None:
    graph = build(make_model(cache=InMemoryCache()), MessagesState)
    for thread in ("a", "b"):
        before = len(server.requests)
        config: Any = {"configurable": {"thread_id": thread, "session_id": "one"}}
        given = {"messages": [HumanMessage("[deferred: 2] A table?")]}
        state = await _run(graph, given, config, is_async=is_async)
        assert "A table?" in state["messages"][-1].text
        assert len(server.requests) - before == 3


def test_the_last_poll_may_fail_too(
    server: LocalASIOne, make_model: Callable[..., ChatASIOne]
) -> None:
    server.enqueue(reply("I've sent the message"), *PASSING)
    graph = build(make_model(max_retries=0), MessagesState, max_polls=2)
    state = graph.invoke({"messages": [HumanMessage("Hi")]}, CONFIG)
    assert [m.text for m in state["messages"]] == ["Hi", "I've sent the message"]
    record = graph.get_state(CONFIG).values["follow_up"]
    assert (record["pending"], record["polls"], record["due"]) == (True, 2, None)
    assert record["error"].startswith("ASIOneServerError: ASI:One answered 503")


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(None, 2), ("0.2", 2), ("3", 3), ("3600", 2 + 8)]
)
def test_retry_after_is_waited_within_the_bound(
    server: LocalASIOne,
    make_model: Callable[..., ChatASIOne],
    retry_after: str | None,
    wait: float,
) -> None:
    options = {} if retry_after is None else {"retry_after": retry_after}
    server.enqueue(fault("http_429", **options))
    node = follow_up_node(make_model(max_retries=0), interval=2, max_polls=4)
    stand_in = AIMessage("I've sent the message", id="a", response_metadata={"session_id": "s-1"})
    state: dict[str, Any] = {"messages": [HumanMessage("Hi"), stand_in]}
    first = node.invoke(state)["follow_up"]
    begun = time.time()
    second = node.invoke({**state, "follow_up": {**first, "due": 0.0}})["follow_up"]
    assert (first["delayed"], second["delayed"]) == (0, wait - 2)
    assert second["due"] - begun == pytest.approx(wait, abs=0.9)


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("due_in", "interval", "least"),
    [
        (-100, FOREVER, 0),  # the time has passed while no process ran
        (0.3, FOREVER, 0.25),  # the rest of the interval, not all of it
        (FOREVER, 0.3, 0.25),  # a clock that is ahead elsewhere
    ],
)
async def test_rest_of_the_interval_is_waited_by_the_clock(
    server: LocalASIOne,
    model: ChatASIOne,
    due_in: float,
    interval: float,
    least: float,
    is_async: bool,
) -> None:
    metadata = {"session_id": "s-1"}
    stand_in = AIMessage("I've sent the message", id="a", response_metadata=metadata)
    node = follow_up_node(model, interval=interval)
    started = time.monotonic()
    due = time.time() + due_in
    record = FollowUp(pending=True, polls=4, due=due, answer="a", delayed=0.0, error=None)
    state = {"messages": [HumanMessage("Hi"), stand_in], "follow_up": record}
    given = state if is_async else dict(state)
    update = await (node.ainvoke(given) if is_async else asyncio.to_thread(node.invoke, given))
    assert server.requests[0].received_at - started >= least
    assert server.requests[0].session_id == "s-1"
    assert update["follow_up"]["polls"] == 5


async def test_cancelled_wait_can_be_resumed(server: LocalASIOne, model: ChatASIOne) -> None:
    checkpointer = InMemorySaver()
    builder = waiting_graph(model, FOREVER)
    graph: Graph = builder.compile(checkpointer=checkpointer)
    given = {"messages": [HumanMessage("[deferred: 1] A table?")]}
    task = asyncio.ensure_future(graph.ainvoke(given, CONFIG, durability="sync"))
    deadline = time.monotonic() + PATIENCE
    while not graph.get_state(CONFIG).values.get("follow_up"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again: Graph = waiting_graph(model, FAST).compile(checkpointer=checkpointer)
    state = await again.ainvoke(None, CONFIG)
    assert "A table?" in state["messages"][-1].text
    assert len(server.requests) == 2


def test_other_keys_and_targets(server: LocalASIOne, model: ChatASIOne) -> None:
    class State(TypedDict):
        chat: Annotated[list[AnyMessage], add_messages]

    builder = StateGraph(State)
    builder.add_node("ask", lambda state: {"chat": [model.invoke(state["chat"])]})
    node = follow_up_node(model, interval=FAST, messages_key="chat", output_key="wait")
    builder.add_node("wait_for_it", node)
    builder.add_node("report", lambda state: {"chat": [HumanMessage("Thanks")]})
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "wait_for_it")
    condition = follow_up_condition(key="wait", node="wait_for_it", otherwise="report")
    builder.add_conditional_edges("wait_for_it", condition)
    graph: Graph = builder.compile()
    state = graph.invoke({"chat": [HumanMessage("[deferred: 2] Hi")]})
    assert [m.text for m in state["chat"]][1] == STAND_IN
    assert state["chat"][-1].text == "Thanks"
    assert len(server.requests) == 3
    drawn = graph.get_graph().draw_mermaid()
    assert "wait_for_it -.-> wait_for_it;" in drawn
    assert "wait_for_it -.-> report;" in drawn
    assert "wait_for_it -.-> __end__" not in drawn


def test_keys_named_like_methods_are_keys(server: LocalASIOne, model: ChatASIOne) -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("follow_up", follow_up_node(model, interval=FAST, output_key="items"))
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "follow_up")
    builder.add_conditional_edges("follow_up", follow_up_condition(key="items"))
    graph: Graph = builder.compile()
    given = {"messages": [HumanMessage("[deferred: 2] Hi")]}
    steps = list(graph.stream(given, CONFIG, stream_mode="updates"))
    polls = [step["follow_up"]["items"]["polls"] for step in steps if "follow_up" in step]
    assert polls == [0, 1, 2]
    assert len(server.requests) == 3


def test_documented_wiring_draws_every_edge(model: ChatASIOne) -> None:
    drawn = waiting_graph(model, 5).compile().get_graph().draw_mermaid()
    edges = sorted(line.strip() for line in drawn.splitlines() if "->" in line)
    assert edges == [
        "__start__ --> ask;",
        "ask --> follow_up;",
        "follow_up -.-> __end__;",
        "follow_up -.-> follow_up;",
    ]


def test_updates_show_each_step(server: LocalASIOne, model: ChatASIOne) -> None:
    graph = build(model, MessagesState)
    given = {"messages": [HumanMessage("[deferred: 2] Hi")]}
    steps = list(graph.stream(given, CONFIG, stream_mode="updates"))
    polls = [step["follow_up"]["follow_up"]["polls"] for step in steps if "follow_up" in step]
    assert polls == [0, 1, 2]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda model: follow_up_node(model, interval=0), "^interval must be "),
        (lambda model: follow_up_node(model, max_polls=0), "^max_polls must be "),
        (lambda model: follow_up_node(model, message=""), "^message must be "),
        (lambda model: follow_up_node(model.with_follow_up()), "without with_follow_up"),
        (
            lambda model: follow_up_node(cast("Any", "asi1")),
            "takes a model such as ChatASIOne; got str",
        ),
    ],
)
def test_arguments_are_refused(
    model: ChatASIOne, make: Callable[[Any], object], error: str
) -> None:
    with pytest.raises(ValueError, match=error):
        make(model)


def test_condition_without_the_node_says_so() -> None:
    with pytest.raises(ValueError, match=r"no key 'follow_up'.*Put it behind follow_up_node"):
        follow_up_condition({"messages": []})


def test_state_without_an_answer_is_left_alone(server: LocalASIOne, model: ChatASIOne) -> None:
    node = follow_up_node(model)
    for messages in ([], [HumanMessage("I've sent the message", id="h")]):
        record = node.invoke({"messages": messages})["follow_up"]
        assert (record["pending"], record["polls"], record["due"]) == (False, 0, None)
    with pytest.raises(ValueError, match="follow_up_node: the state has no key 'messages'"):
        node.invoke({"chat": []})
    assert server.requests == []
