"""The agents of a run, read from a state."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_asi_one._agent_identity import build_report
from langchain_asi_one.display import _card_content, _graph_state, card
from langchain_asi_one.display._graph_state import read_state
from langchain_asi_one.display._text import to_text_sections
from langchain_asi_one.executable_data import (
    ExecutableEntry,
    get_executable_data,
    parse_executable_data,
)
from langchain_asi_one.langgraph import (
    AgentGraphState,
    ExecutableDataState,
    agent_worker,
    executable_data_node,
    report_agents,
    send_agents,
)
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.graphs import naming

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def statuses(state: object) -> list[tuple[str, str]]:
    return [(agent.row.name, agent.status) for agent in read_state(state).agents]


def test_agents_of_a_finished_run() -> None:
    state = {
        "messages": [
            HumanMessage("Which?"),
            naming(WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT, {"handle": "@other", "name": "Other"}),
        ],
        "executable_data": [],
        "agent_results": [
            {"agent": WEATHER, "result": "Rain"},
            {"agent": FLIGHTS, "error": "TimeoutError: no answer within 5 s"},
        ],
    }
    assert statuses(state) == [
        ("Stand-in Weather", "answered"),
        ("Stand-in Flights", "failed"),
        ("Stand-in Impostor", "refused"),
        ("Other", "refused"),
    ]
    text = str(card(state))
    assert "    answer   Rain\n" in text
    assert "    ! TimeoutError: no answer within 5 s\n" in text


def test_agents_named_after_the_report_were_not_looked_at() -> None:
    results: list[Any] = [{"agent": WEATHER, "result": "Rain"}]
    report = report_agents()({"agent_results": results})["messages"]
    messages = [HumanMessage("?"), naming(WEATHER_AGENT), *report, naming(FLIGHT_AGENT)]
    state = {"messages": messages, "executable_data": [], "agent_results": results}
    assert statuses(state) == [("Stand-in Weather", "answered"), ("Stand-in Flights", "named")]


def test_agents_of_an_earlier_turn_are_not_of_this_run() -> None:
    messages = [HumanMessage("?"), naming(WEATHER_AGENT), HumanMessage("And?"), AIMessage("No.")]
    assert statuses({"messages": messages, "executable_data": []}) == []


def test_agents_that_no_node_has_looked_at_are_only_named() -> None:
    state = {"messages": [HumanMessage("?"), naming(WEATHER_AGENT)]}
    assert statuses(state) == [("Stand-in Weather", "named")]


@dataclass
class Snapshot:
    """What `get_state` returns, as far as it is read."""

    values: dict[str, Any]
    next: tuple[str, ...] = ("ask_agent",)
    tasks: tuple[Any, ...] = ()


def test_a_run_that_waits() -> None:
    values = {
        "messages": [HumanMessage("?"), naming(WEATHER_AGENT, FLIGHT_AGENT)],
        "executable_data": [{"kind": "agent", "address": WEATHER, "raw": {}}],
    }
    expected = [("(no name)", "pending"), ("Stand-in Flights", "refused")]
    assert statuses(Snapshot(values)) == expected
    assert statuses({**values, "__interrupt__": ["?"]}) == expected
    assert statuses({**values, "follow_up": {"pending": True}}) == expected
    ended = Snapshot({**values, "agent_results": []}, next=())
    assert [status for _, status in statuses(ended)] == ["refused", "refused"]
    assert "The run has not ended" in card(Snapshot(values))._repr_html_()


def test_a_refused_agent_has_one_reason() -> None:
    handles = ["a", "b", "c", "d"]
    state = {
        "messages": [
            HumanMessage("?"),
            naming(*({"handle": handle} for handle in handles), BAD_AGENT),
        ],
        "executable_data": [],
        "executable_data_refused": [
            {"agent": "a", "reason": "rejected"},
            {"agent": "b", "reason": "over_limit"},
            {"agent": "c", "reason": "not_allowed"},
            {"agent": "", "reason": "not_identified"},
            "text",
        ],
        "agent_results": [],
    }
    [section] = to_text_sections(read_state(state).closing[0].sections)
    assert [line.text for line in section.lines if line.label.strip() == "status"] == [
        "✕ refused: a human rejected it",
        "✕ refused: it is beyond the limit of a turn",
        "✕ refused: it is not among the agents that may be asked",
        "✕ refused: not allowed, rejected in review, or beyond the limit",
        "✕ refused: it has no address or handle that holds",
    ]


def own_graph(state: Any) -> Any:
    """Build a graph of this package's parts over a state of the user's own."""
    builder = StateGraph(state)
    builder.add_node("model", lambda state: {"messages": [naming(WEATHER_AGENT, FLIGHT_AGENT)]})
    builder.add_node(executable_data_node())
    builder.add_node("ask", agent_worker(lambda task: "Rain", allow={WEATHER}))
    builder.add_edge(START, "model")
    builder.add_edge("model", "executable_data")
    builder.add_conditional_edges("executable_data", send_agents("ask", allow={WEATHER}))
    return builder.compile()


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (MessagesState, ["named", "named"]),
        (ExecutableDataState, ["named", "named"]),
        (AgentGraphState, ["answered", "refused"]),
    ],
)
def test_nothing_is_said_that_the_state_of_an_own_graph_does_not_say(
    state: Any, expected: list[str]
) -> None:
    graph = own_graph(state)
    result = graph.invoke({"messages": [HumanMessage("Which?")]})
    agents = read_state(result).agents
    assert [agent.status for agent in agents] == expected
    text = card(graph, result).text()
    unknown = "○ named: the state has no `agent_results`, so it does not say whether it was asked"
    assert text.count(unknown) == expected.count("named")


@dataclass
class Task:
    """A task of a snapshot, as far as it is read."""

    interrupts: tuple[Any, ...] = ("?",)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (Snapshot({"messages": []}, tasks=(Task(),)), "it waits for a person"),
        ({"messages": [], "__interrupt__": ["?"]}, "it waits for a person"),
        ({"messages": [], "follow_up": {"pending": True}}, "that ASI:One gives later"),
        (Snapshot({"messages": []}, next=("a", "b\x1b")), r"it goes on with a, b\x1b."),
    ],
)
def test_a_run_says_what_it_waits_for(state: Any, text: str) -> None:
    assert text in card(state).text()
    assert text in card(state)._repr_html_()


def test_many_agents_take_little_time_and_have_a_limit() -> None:
    named = [{"handle": f"a{number}", "name": f"Agent {number}"} for number in range(20_000)]
    state = {"messages": [HumanMessage("?"), naming(*named)], "agent_results": []}
    start = time.process_time()
    text = card(state).text()
    assert time.process_time() - start < 60
    assert text.count("handle  @a999") == 2
    assert "@a1000" not in text
    assert text.count("(19,000 more, not shown)") == 2  # of the answer and of the run


def test_each_answer_of_a_state_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[BaseMessage] = []

    def count(message: BaseMessage) -> list[ExecutableEntry]:
        read.append(message)
        return get_executable_data(message)

    monkeypatch.setattr(_graph_state, "get_executable_data", count)
    monkeypatch.setattr(_card_content, "get_executable_data", count)
    answers = [naming({"handle": handle}, text=handle) for handle in ("old", "first", "last")]
    old, first, last = answers
    messages = [HumanMessage("?"), old, HumanMessage("?"), first, build_report("done"), last]
    text = card({"messages": messages, "agent_results": []}).text()
    assert sorted(str(message.text) for message in read) == ["first", "last", "old"]
    assert [text.count(f"@{handle}") for handle in ("old", "first", "last")] == [1, 2, 2]


def test_an_entry_is_identified_alike_in_messages_and_state() -> None:
    bad = BAD_AGENT["address"]
    raws: list[dict[str, Any]] = [
        {"address": WEATHER, "handle": "weather"},
        {"address": FLIGHTS, "handle": "two words"},
        {"handle": "@flights"},
        {"handle": "rain", "args": "{"},
        {"handle": "snow", "address": bad},
        {"address": WEATHER, "agent_address": FLIGHTS, "name": "both"},
        {"tool": "find", "name": "no agent"},
        {"name": "nameless"},
    ]
    entries = parse_executable_data(raws)
    kept = read_state({"messages": [], "executable_data": entries}).agents
    named = read_state({"messages": [HumanMessage("?"), naming(*raws)]}).agents
    assert [one.identity for one in named] == [one.identity for one in kept]
    assert [one.address for one in named] == [one.address for one in kept]
    assert [one.identity for one in named][:3] == [WEATHER, FLIGHTS, "@flights"]


def test_agents_beyond_the_rows_that_are_shown_are_counted() -> None:
    entries = [{"kind": "agent", "handle": f"h{number}", "raw": {}} for number in range(1_200)]
    state = read_state({"messages": [], "executable_data": entries, "agent_results": []})
    assert len(state.agents) == 1_200
    assert [agent.identity for agent in state.agents[-2:]] == ["@h1198", "@h1199"]
    [section] = state.closing[0].sections
    assert [row.name for row in section.rows[-1:]] != [""]
    assert "200" in str(section.rows[-1])
