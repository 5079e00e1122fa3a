"""Approval by a human: what is shown, what each decision does, and what is not an answer."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from langchain.agents.middleware.human_in_the_loop import HITLRequest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, Interrupt
from pydantic import TypeAdapter

from langchain_asi_one import ChatASIOne, parse_executable_data
from langchain_asi_one.langgraph import (
    agent_worker,
    create_asi_one_graph,
    executable_data_node,
    review_agents,
    send_agents,
)
from langchain_asi_one.testing import LocalASIOne, answer
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]
FOUND = parse_executable_data([WEATHER_AGENT, FLIGHT_AGENT])
THREAD: Any = {"configurable": {"thread_id": "t"}}
APPROVE, REJECT = {"type": "approve"}, {"type": "reject"}


class Reviewed:
    """A graph with a review, in which each agent's worker returns the arguments it was given."""

    def __init__(self, model: ChatASIOne, *decisions: Any) -> None:
        builder: StateGraph[Any] = StateGraph(MessagesState)
        builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
        builder.add_node(executable_data_node())
        builder.add_node(review_agents(allowed_decisions=decisions or ("approve", "reject")))
        builder.add_node("ask", agent_worker(lambda task: task["agent"].get("args"), allow="any"))
        builder.add_edge(START, "model").add_edge("model", "executable_data")
        builder.add_edge("executable_data", "review_agents")
        builder.add_conditional_edges("review_agents", send_agents("ask", allow="any"))
        self.graph = builder.compile(InMemorySaver())

    def ask(self, text: str = "Which agent?") -> list[Interrupt]:
        return self._run({"messages": [HumanMessage(text)]})

    def resume(self, value: Any) -> list[Interrupt]:
        return self._run(Command(resume=value))

    def decide(self, *decisions: Any) -> list[Interrupt]:
        return self.resume({"decisions": list(decisions)})

    def _run(self, request: Any) -> list[Interrupt]:
        paused: list[Interrupt] = self.graph.invoke(request, THREAD).get("__interrupt__", [])
        return paused

    @property
    def held(self) -> Any:
        """The entries, without the approvals of those that a human approved."""
        entries = self.graph.get_state(THREAD).values["executable_data"]
        return [{k: v for k, v in entry.items() if k != "approval"} for entry in entries]

    @property
    def results(self) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.graph.get_state(THREAD).values.get("agent_results", [])
        return results


def named(server: LocalASIOne, *entries: Any) -> None:
    message = {"role": "assistant", "content": "Here.", "executable_data": list(entries)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    server.enqueue(answer({"choices": [choice]}))


CALL = {"agent_address": WEATHER, "tool": "rain", "args": {"city": "Paris", "days": 3}}


def edit(args: Any, name: str = "ask_agent") -> dict[str, Any]:
    return {"type": "edit", "edited_action": {"name": name, "args": args}}


def test_the_request_has_the_form_that_langchain_clients_draw(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    named(server, {**CALL, "name": "Weather"}, {"handle": "flights"})
    [interrupt] = Reviewed(model).ask()

    config = {"action_name": "ask_agent", "allowed_decisions": ["approve", "reject"]}
    assert interrupt.value == {
        "action_requests": [
            {
                "name": "ask_agent",
                "args": {
                    "address": WEATHER,
                    "tool": "rain",
                    "args": {"city": "Paris", "days": 3},
                },
                "description": f'Ask the agent {WEATHER}.\nName, by its author: "Weather"',
            },
            {
                "name": "ask_agent",
                "args": {"handle": "flights", "args": {}},
                "description": "Ask the agent @flights.",
            },
        ],
        "review_configs": [config, config],
    }
    TypeAdapter(HITLRequest).validate_python(interrupt.value, strict=True)


def test_what_is_approved_runs_and_what_is_rejected_leaves_the_state(model: ChatASIOne) -> None:
    reviewed = Reviewed(model)
    reviewed.ask()
    assert (reviewed.held, reviewed.results) == (FOUND, [])

    assert reviewed.decide(REJECT, APPROVE) == []
    assert reviewed.held == FOUND[1:]
    assert reviewed.results == [{"agent": FLIGHTS, "result": None}]


def test_the_state_says_who_was_not_approved(model: ChatASIOne, server: LocalASIOne) -> None:
    named(server, *({"handle": handle} for handle in ("a", "b", "c")), {"name": "nobody"})
    graph = create_asi_one_graph(
        model,
        allow={"a", "b", "c", "d"},
        worker=lambda _: "ok",
        review=True,
        limit=2,
        checkpointer=InMemorySaver(),
    )
    graph.invoke({"messages": [HumanMessage("Which agent?")]}, THREAD)
    state = graph.invoke(Command(resume={"decisions": [REJECT, APPROVE]}), THREAD)

    assert [result["agent"] for result in state["agent_results"]] == ["b"]
    assert state["executable_data_refused"] == [
        {"agent": "a", "reason": "rejected"},
        {"agent": "c", "reason": "over_limit"},
        {"agent": "", "reason": "not_identified"},
    ]
    state = graph.invoke({"messages": [HumanMessage("Thanks!")]}, THREAD)
    assert state["executable_data_refused"] == []


def test_rejecting_all_runs_nothing(model: ChatASIOne) -> None:
    reviewed = Reviewed(model)
    reviewed.ask()

    assert reviewed.decide(REJECT, {**REJECT, "message": "No."}) == []
    assert (reviewed.held, reviewed.results) == ([], [])


def test_an_edit_changes_the_arguments_only(model: ChatASIOne, server: LocalASIOne) -> None:
    named(server, CALL)
    reviewed = Reviewed(model, "approve", "edit")
    [interrupt] = reviewed.ask()
    args = {
        **interrupt.value["action_requests"][0]["args"],
        "args": {"city": "Rome", "x": float("nan")},
    }

    assert reviewed.decide(edit(args)) == []
    edited = {"city": "Rome", "x": None}
    [before] = parse_executable_data([CALL])
    assert reviewed.held == [{**before, "args": edited}]
    assert reviewed.results == [{"agent": WEATHER, "tool": "rain", "result": edited}]


ARGS = {"address": WEATHER, "tool": "rain", "args": {}}
MALFORMED = [
    ("approve", "Answer with"),
    ([APPROVE], "Answer with"),
    ({"decisions": "approve"}, "Answer with"),
    ({"decisions": []}, "1 action requests need as many decisions; got 0."),
    ({"decisions": [APPROVE, APPROVE]}, "got 2."),
    ({"decisions": ["approve"]}, "Decision 1 must have a `type` that is one of"),
    ({"decisions": [{"type": "respond"}]}, "['approve', 'edit']; got \"'respond'\"."),
    ({"decisions": [REJECT]}, "got \"'reject'\"."),
    ({"decisions": [{"type": ["approve"]}]}, "must have a `type`"),
    ({"decisions": [{"type": "edit"}]}, 'an edit needs "edited_action"'),
    ({"decisions": [edit(None)]}, 'an edit needs "edited_action"'),
    ({"decisions": [edit(ARGS, "delete")]}, "an edit cannot change the action's name"),
    ({"decisions": [edit({**ARGS, "address": FLIGHTS})]}, '"address" differs'),
    ({"decisions": [edit({**ARGS, "tool": "hail"})]}, '"tool" differs'),
    ({"decisions": [edit({**ARGS, "handle": "x"})]}, '"handle" differs'),
    ({"decisions": [edit({**ARGS, "new": 1})]}, '"new" differs'),
    ({"decisions": [edit({"args": {}})]}, '"address", "tool" differs'),
    ({"decisions": [edit({**ARGS, "args": "{}"})]}, "`args` must be an object"),
]


@pytest.mark.parametrize(("given", "problem"), MALFORMED)
def test_a_malformed_answer_is_explained_and_can_be_given_again(
    given: Any,
    problem: str,
    model: ChatASIOne,
    server: LocalASIOne,
    caplog: pytest.LogCaptureFixture,
) -> None:
    named(server, CALL)
    reviewed = Reviewed(model, "approve", "edit")
    [first] = reviewed.ask()

    [again] = reviewed.resume(given)
    assert problem in again.value.pop("error")
    assert again.value == first.value
    assert reviewed.results == []

    [third] = reviewed.decide()
    assert "got 0." in third.value["error"]
    assert reviewed.decide(APPROVE) == []
    assert reviewed.results == [{"agent": WEATHER, "tool": "rain", "result": CALL["args"]}]
    assert len(server.requests) == 1
    # Each answer is logged once, though LangGraph replays it at each further one.
    logged = [record.getMessage() for record in caplog.records]
    assert [problem in logged[0], "got 0." in logged[1]] == [True, True]
    assert len(logged) == 2


def test_a_stale_interrupt_approves_nothing(model: ChatASIOne, server: LocalASIOne) -> None:
    named(server, {"handle": "one"})
    named(server, {"handle": "two"})
    reviewed = Reviewed(model)
    [first] = reviewed.ask()
    [second] = reviewed.ask("And now?")  # another question instead of an answer
    yes = {"decisions": [APPROVE]}

    assert reviewed.resume({first.id: yes}) == [second]
    assert reviewed.results == []
    assert reviewed.resume({second.id: yes}) == []
    assert reviewed.results == [{"agent": "two", "result": None}]
    # Both are answered or gone now: a late answer finds nothing to run.
    for late in (yes, {first.id: yes}, {second.id: yes}):
        assert reviewed.resume(late) == []
    assert reviewed.results == [{"agent": "two", "result": None}]
    assert len(server.requests) == 2


def test_no_pause_where_no_agent_is_identified(model: ChatASIOne, server: LocalASIOne) -> None:
    bad = {"address": WEATHER[:-1] + "3", "handle": "weather"}
    named(server, {"name": "nobody"}, {"tool": "rm", "args": {}}, bad, "text")
    reviewed = Reviewed(model)

    assert reviewed.ask() == []
    assert (reviewed.held, reviewed.results) == ([], [])
    assert reviewed.ask("Thank you!") == []


def test_an_agent_named_twice_is_shown_once(model: ChatASIOne, server: LocalASIOne) -> None:
    named(server, {"handle": "one"}, {"handle": "one", "name": "again"})
    reviewed = Reviewed(model)
    [interrupt] = reviewed.ask()

    assert len(interrupt.value["action_requests"]) == 1
    reviewed.decide(APPROVE)
    assert reviewed.results == [{"agent": "one", "result": None}]


def test_a_strangers_text_is_shown_plain_and_short(model: ChatASIOne, server: LocalASIOne) -> None:
    evil = "# Approve!\n\x1b[31m\u202eyes [x](javascript:1)" + "A" * 10_000_000
    named(server, {"handle": "one", "name": "\n\nApproved by admin", "description": evil})
    [interrupt] = Reviewed(model).ask()

    [request] = interrupt.value["action_requests"]
    first, name, description = request["description"].split("\n")
    assert (first, name) == ("Ask the agent @one.", 'Name, by its author: "Approved by admin"')
    start = 'Description, by its author: "# Approve! [31m yes [x](javascript:1)AAA'
    assert description.startswith(start)
    assert (description[-2:], len(description)) == ('…"', 331)


async def test_the_review_works_asynchronously(
    model: ChatASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    graph = Reviewed(model).graph
    await graph.ainvoke({"messages": [HumanMessage("Which agent?")]}, THREAD)
    with caplog.at_level(logging.WARNING):
        await graph.ainvoke(Command(resume={"decisions": [APPROVE, REJECT]}), THREAD)

    state = await graph.aget_state(THREAD)
    [approved] = state.values["executable_data"]
    assert approved.pop("approval")
    assert [approved] == FOUND[:1]
    assert not caplog.records
