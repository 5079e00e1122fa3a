"""Keys of a state, read from any class of state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from langchain_asi_one import parse_executable_data
from langchain_asi_one.langgraph import AgentResult
from langchain_asi_one.langgraph._state import (
    add_agent_results,
    find_question,
    read_entries,
    read_key,
    read_list,
    read_messages,
    refuse_agents,
)
from langchain_asi_one.testing._agents import BAD_AGENT, WEATHER_AGENT


@dataclass
class Data:
    key: Any


class Model(BaseModel):
    key: Any


@pytest.mark.parametrize("state", [{"key": [1]}, Data([1]), Model(key=[1])])
def test_a_key_is_read_from_each_class_of_state(state: Any) -> None:
    assert read_key(state, "key", reader="it", remedy="") == [1]
    assert read_list(state, "key") == [1]
    assert read_list(state, "other") == []
    with pytest.raises(ValueError, match=r"it: the state has no key 'no' .*: key\)\. Add it\."):
        read_key(state, "no", reader="it", remedy="Add it.")


def test_messages_and_entries_are_read_from_json() -> None:
    [message] = read_messages({"messages": [("user", "Hi")]}, "messages", reader="it")
    assert message == HumanMessage("Hi")
    assert read_entries({"found": [{"kind": "agent"}, "text", None]}, "found", reader="it") == [
        {"kind": "agent"}
    ]


def test_the_question_is_the_last_human_message() -> None:
    first, last = HumanMessage("first"), HumanMessage("last")
    assert find_question([first, AIMessage("."), last, AIMessage(".")]) == [last]
    assert find_question([AIMessage(".")]) == []


def test_results_are_added_and_removed() -> None:
    one, two = AgentResult(agent="a", result=1), AgentResult(agent="b", error="x")
    assert add_agent_results(None, [one]) == [one]
    assert add_agent_results([one], [two]) == [one, two]
    assert add_agent_results([one, two], None) == []


def test_a_refusal_names_the_agent_or_says_that_it_cannot() -> None:
    entries = parse_executable_data([WEATHER_AGENT, BAD_AGENT, {"handle": "one"}])
    assert refuse_agents(entries, "rejected") == [
        {"agent": WEATHER_AGENT["address"], "reason": "rejected"},
        {"agent": "", "reason": "not_identified"},
        {"agent": "one", "reason": "rejected"},
    ]
