"""Which agent an entry names, and which message reports agents."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_asi_one import ExecutableEntry, parse_executable_data
from langchain_asi_one._agent_identity import build_report, identify_agent, is_report
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT

WEATHER, WRONG = WEATHER_AGENT["address"], BAD_AGENT["address"]
FLIGHTS = FLIGHT_AGENT["address"]


@pytest.mark.parametrize(
    ("raw", "identity"),
    [
        ({"address": WEATHER, "handle": "weather"}, WEATHER),
        ({"address": WEATHER, "handle": "two words"}, WEATHER),
        ({"handle": "@weather"}, "weather"),
        ({"handle": "weather", "name": 7}, "weather"),
        ({"handle": "weather", "args": "{"}, "weather"),
        ({"handle": "weather", "address": WRONG}, None),
        ({"handle": "weather", "agent": {"address": WRONG}}, None),
        ({"handle": "weather", "agent_handle": "flights"}, None),
        ({"handle": "@@weather", "agent_handle": "weather"}, None),
        ({"name": "weather"}, None),
        ({"handle": WEATHER[:64]}, None),
        ({"handle": "@AGENT1x"}, None),
        ({"handle": "agent-1"}, "agent-1"),
        # Two agents in one entry: a person may read either.
        ({"address": WEATHER, "agent_address": FLIGHTS}, None),
        ({"address": FLIGHTS, "agent": {"address": WEATHER}, "handle": "weather"}, None),
        ({"address": WEATHER, "agent_address": f"agent://{WEATHER}"}, WEATHER),
        ({"address": WEATHER, "agent_address": WRONG}, WEATHER),
    ],
)
def test_an_entry_is_identified_by_sound_identifiers_only(
    raw: dict[str, Any], identity: str | None
) -> None:
    [entry] = parse_executable_data([raw])
    assert identify_agent(entry) == identity


def test_what_a_problem_says_decides_nothing() -> None:
    [entry] = parse_executable_data([{"handle": "weather", "tool": ["`address` is wrong"]}])
    assert identify_agent({**entry, "problems": ["`handle` is wrong."]}) == "weather"
    [entry] = parse_executable_data([{"handle": "weather", "address": WRONG}])
    entry.pop("problems")
    assert identify_agent(entry) is None


@pytest.mark.parametrize(
    "forged",
    [
        {"kind": "agent", "address": WRONG, "handle": "weather", "raw": {}},
        {"kind": "agent", "address": [WEATHER], "raw": {}},
        {"kind": "agent", "handle": "two words", "raw": {}},
        {"kind": "agent", "handle": ["weather"], "raw": None},
        {"kind": "agent", "raw": "weather"},
        {},
    ],
)
def test_a_forged_entry_is_not_identified(forged: ExecutableEntry) -> None:
    assert identify_agent(forged) is None


def test_a_report_is_known_by_its_mark_and_not_by_its_text() -> None:
    report = build_report("Results")
    assert is_report(report)
    assert report.additional_kwargs == {"asi_one": "agent_report"}  # as checkpoints have it
    assert is_report(HumanMessage(**report.model_dump()))
    assert not is_report(HumanMessage("Results"))
