"""Calls of agents that repeat others."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one import parse_executable_data
from langchain_asi_one.langgraph._repeated_calls import drop_repeated_calls
from langchain_asi_one.testing._agents import WEATHER_AGENT

WEATHER = WEATHER_AGENT["address"]


@pytest.mark.parametrize(
    ("raws", "kept"),
    [
        ([{"tool": "rain"}, {"tool": "rain"}], [0]),
        ([{"tool": "rain", "args": {}}, {"tool": "snow", "args": {}}], [0, 1]),
        ([{"tool": "rain", "args": {}}, {"tool": "rain", "args": {"day": 1}}], [0, 1]),
        ([{"args": {"a": 1, "b": 2}}, {"args": {"b": 2, "a": 1}}], [0]),
        ([{"args": {"a": 1}}, {"args": {"a": 2}}], [0, 1]),
        ([{}, {"args": {}}, {"name": "again"}], [0]),
        # Without arguments an entry only names a tool beside its agent; it calls none.
        ([{}, {"tool": "rain"}], [0]),
        (
            [{"tool": "rain", "args": {"a": [1, {"b": None}]}}, {"args": {"a": [1, {"b": None}]}}],
            [0, 1],
        ),
    ],
)
def test_calls_of_one_agent_differ_by_tool_and_arguments(raws: list[Any], kept: list[int]) -> None:
    entries = parse_executable_data(
        [{"address": WEATHER, "id": str(n), **raw} for n, raw in enumerate(raws)]
    )
    assert [int(entry["id"]) for entry in drop_repeated_calls(entries)] == kept


def test_entries_without_an_agent_differ_by_what_was_sent() -> None:
    sent = [{"x": 1, "y": 2}, {"y": 2, "x": 1}, {"x": 1.0, "y": 2}, "agent1 of no sound form"]
    entries = [entry for raw in sent * 2 for entry in parse_executable_data(raw)]
    kept = drop_repeated_calls(entries)
    assert [repr(entry["raw"]) for entry in kept] == [repr(sent[0]), *map(repr, sent[2:])]
