"""The node that reads agents, and the router that sends them."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, ChatMessage, HumanMessage
from langgraph.graph import END
from langgraph.types import Send

from langchain_asi_one import parse_executable_data
from langchain_asi_one.langgraph import (
    allow_agents,
    executable_data_node,
    send_agents,
)
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]
FOUND = parse_executable_data([WEATHER_AGENT, FLIGHT_AGENT])


def test_several_answers_of_one_turn_are_read_once_each() -> None:
    def named(*handles: str) -> AIMessage:
        entries = [{"handle": handle} for handle in handles]
        return AIMessage("", additional_kwargs={"executable_data": entries})

    history = [named("old"), HumanMessage("Now"), named("a", "b"), named("b", "c")]

    update = executable_data_node()({"messages": history})

    assert [entry["handle"] for entry in update["executable_data"]] == ["a", "b", "c"]
    assert executable_data_node()({"messages": history[:2]})["executable_data"] == []
    assert executable_data_node()({"messages": []})["executable_data"] == []


def test_a_chat_message_of_the_user_begins_a_turn() -> None:
    entries = [{"handle": "old"}]
    old = AIMessage("", additional_kwargs={"executable_data": entries})

    for role in ("user", "human", "User"):
        asked = ChatMessage(content="Now", role=role)
        assert executable_data_node()([old, asked])["executable_data"] == []
        state = {"messages": [HumanMessage("Before"), asked, old], "executable_data": FOUND}
        sends = send_agents("ask", allow="any")(state)
        assert [send.arg["messages"] for send in sends if isinstance(send, Send)] == [[asked]] * 2
    told = ChatMessage(content="Now", role="critic")
    assert len(executable_data_node()([old, told])["executable_data"]) == 1


def test_agents_beside_a_stand_in_do_not_route_again_after_the_wait() -> None:
    entries = {"executable_data": [{"handle": "one"}]}
    deferred = AIMessage("I've sent the message", additional_kwargs=entries)
    node = executable_data_node()

    assert node([HumanMessage("Now"), deferred, AIMessage("Done.")])["executable_data"] == []
    waiting = node([HumanMessage("Now"), deferred])["executable_data"]
    assert [entry["handle"] for entry in waiting] == ["one"]
    last = node([HumanMessage("Now"), deferred, deferred])["executable_data"]
    assert [entry["handle"] for entry in last] == ["one"]


def test_wrong_arguments_of_the_node_are_refused() -> None:
    async def later(entry: Any) -> bool:
        return True

    with pytest.raises(ValueError, match=r"max_entries must be 0 or more, or None.*got -1"):
        executable_data_node(max_entries=-1)
    with pytest.raises(TypeError, match="keep must be a plain function, not async"):
        executable_data_node(keep=later)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="keep must be a function from entry to bool, not 'any'"):
        executable_data_node(keep="any")  # type: ignore[arg-type]


def test_arguments_without_a_tool_make_two_requests_of_one_agent() -> None:
    weather = parse_executable_data([WEATHER_AGENT])[0]
    entries = [weather, *({**weather, "args": {"day": day}} for day in (1, 2, 1))]
    sends = send_agents("ask", allow="any")({"executable_data": entries, "messages": []})

    args = [send.arg["agent"].get("args") for send in sends if isinstance(send, Send)]
    assert args == [None, {"day": 1}, {"day": 2}]


def test_nothing_to_send_goes_to_default_and_never_to_an_empty_list() -> None:
    router = send_agents("ask", allow="any", default="answer")

    for entries in ([], None, [{"kind": "unknown", "raw": 1}], ["text"]):
        assert router({"executable_data": entries, "messages": []}) == "answer"


def test_each_send_carries_the_agent_and_the_question_only() -> None:
    [entry] = parse_executable_data([WEATHER_AGENT])
    history = [HumanMessage("Before"), AIMessage("."), HumanMessage("Now"), AIMessage("Here.")]
    router = send_agents("ask", allow={WEATHER})

    assert router({"executable_data": [entry], "messages": history}) == [
        Send("ask", {"agent": entry, "messages": [HumanMessage("Now")]})
    ]


def test_allow_has_no_default() -> None:
    with pytest.raises(
        TypeError, match=r"^send_agents\(\) needs allow=, which .* Give a set of agent addresses"
    ):
        send_agents("ask")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("arguments", "kind", "match"),
    [
        ({"allow": None}, TypeError, r'allow must be a set.*or "any".*got None'),
        ({"allow": "Any"}, TypeError, "got the text 'Any': put it into a set"),
        ({"allow": WEATHER}, TypeError, f"got the text '{WEATHER}': put it into a set"),
        ({"allow": 3}, TypeError, "got 3"),
        ({"allow": b"any"}, TypeError, "got b'any'"),
        ({"allow": {BAD_AGENT["address"]}}, ValueError, f"allow holds '{BAD_AGENT['address']}'"),
        ({"allow": ["two words"]}, ValueError, "allow holds 'two words', which is neither"),
        ({"allow": [None]}, ValueError, "allow holds None"),
        ({"allow": "any", "limit": 0}, ValueError, "limit must be .* 1 or more; got 0"),
        ({"allow": "any", "limit": True}, ValueError, "got True"),
        ({"allow": "any", "default": ""}, ValueError, "default must lead to the name of a node"),
        ({"allow": "any", "routes": {"x": END}}, ValueError, "x leads to END, where no agent"),
        (
            {"allow": "any", "routes": {"@weather": "a", "weather": "b"}},
            ValueError,
            "routes names the agent 'weather' twice",
        ),
        ({"allow": "any", "routes": {"agent1x": "a"}}, ValueError, "routes holds 'agent1x'"),
        (
            {"allow": {WEATHER}, "routes": {FLIGHTS: "fly"}},
            ValueError,
            f"routes leads the agent '{FLIGHTS}' to 'fly', but allow does not hold it",
        ),
    ],
)
def test_wrong_arguments_are_refused_when_the_router_is_made(
    arguments: dict[str, Any], kind: type[Exception], match: str
) -> None:
    with pytest.raises(kind, match=match):
        send_agents("ask", **arguments)


def test_the_state_says_why_an_agent_is_left_out() -> None:
    named = [
        *({"handle": handle} for handle in ("a", "b", "c", "stranger", "a")),
        BAD_AGENT,
        {"name": "nobody"},
    ]
    message = AIMessage("", additional_kwargs={"executable_data": named})
    node = executable_data_node(
        keep=allow_agents({"a", "b", "c"}), max_entries=2, output_key="found"
    )
    update = node([message])

    assert [entry["handle"] for entry in update["found"]] == ["a", "b"]
    assert update["found_refused"] == [
        {"agent": "c", "reason": "over_limit"},
        {"agent": "stranger", "reason": "not_allowed"},
        {"agent": "", "reason": "not_identified"},
        {"agent": "", "reason": "not_identified"},
    ]
    assert node([message, HumanMessage("Thanks")]) == {"found": [], "found_refused": []}


def test_the_state_keeps_a_bounded_number_of_agents() -> None:
    named = [{"handle": f"agent-{number}"} for number in range(10_000)]
    message = AIMessage("", additional_kwargs={"executable_data": named})
    nobody = allow_agents(set())
    for keep in (None, allow_agents("any"), nobody):
        update = executable_data_node(keep=keep)([message])
        assert len(update["executable_data"]) == (0 if keep is nobody else 32)
        assert len(update["executable_data_refused"]) == 100
