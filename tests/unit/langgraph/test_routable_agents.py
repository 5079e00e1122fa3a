"""Rules for the agents that may be asked, and calls that repeat others."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from langchain_asi_one import parse_executable_data
from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.langgraph import allow_agents, send_agents
from langchain_asi_one.langgraph._routable_agents import (
    apply_predicate,
    drop_repeated_calls,
    require_identifier,
)
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def test_an_async_predicate_is_refused() -> None:
    async def allow(entry: Any) -> bool:
        return True

    class Rule:
        async def __call__(self, entry: Any) -> bool:
            return True

    for rule in (allow, Rule()):
        with pytest.raises(TypeError, match="allow must be a plain function, not async"):
            send_agents("ask", allow=rule)  # type: ignore[arg-type]


def test_the_allow_rule_is_usable_by_itself() -> None:
    rule = allow_agents({WEATHER})
    entries = parse_executable_data([WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT])

    assert [rule(entry) for entry in entries] == [True, False, False]
    forged = {**entries[2], "address": BAD_AGENT["address"]}
    assert identify_agent(forged) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "look_alike",
    [{"handle": WEATHER[:64]}, {"handle": f"@{WEATHER[:10]}x"}, {"handle": "AGENT1q2s25dz79"}],
)
def test_a_handle_that_looks_like_an_address_is_never_allowed(look_alike: Any) -> None:
    [entry] = parse_executable_data([look_alike])
    rules: list[Any] = [{WEATHER}, "any", lambda entry: True]
    assert [allow_agents(rule)(entry) for rule in rules] == [False] * 3
    with pytest.raises(ValueError, match="which is neither an agent address"):
        allow_agents({look_alike["handle"]})


def test_an_entry_with_two_addresses_is_refused_whichever_comes_first() -> None:
    entries = parse_executable_data(
        [
            {"address": WEATHER, "agent_address": FLIGHTS},
            {"address": FLIGHTS, "agent_address": WEATHER},
        ]
    )
    rules: list[Any] = [{WEATHER}, {WEATHER, FLIGHTS}, "any"]
    assert [[allow_agents(rule)(entry) for entry in entries] for rule in rules] == [
        [False, False]
    ] * 3


def test_what_the_model_wrote_forges_no_line_of_a_log(caplog: pytest.LogCaptureFixture) -> None:
    def allow(entry: Any) -> bool:
        raise KeyError(entry["name"])

    [entry] = parse_executable_data([{"address": WEATHER, "name": "x\nERROR: forged\x1b[2J\u202e"}])
    with caplog.at_level(logging.DEBUG):
        assert not allow_agents(allow)(entry)

    error = r"KeyError: 'x\nERROR: forged\x1b[2J\u202e'"
    assert caplog.records[0].getMessage() == (
        f"The allow predicate raised {error}: the agent is refused."
    )
    assert "forged" not in caplog.records[1].getMessage()
    assert all(record.exc_info is None for record in caplog.records)


def test_what_a_developer_wrote_is_an_address_or_a_handle_without_its_at() -> None:
    assert require_identifier("@weather", "allow") == "weather"
    assert require_identifier(WEATHER_AGENT["address"], "allow") == WEATHER_AGENT["address"]
    with pytest.raises(ValueError, match="allow holds 'no handle', which is neither"):
        require_identifier("no handle", "allow")


@pytest.mark.parametrize(("verdict", "allowed"), [(1, True), ("", False), (None, False)])
def test_a_predicate_may_return_any_truth(verdict: Any, allowed: bool) -> None:
    (entry,) = parse_executable_data([FLIGHT_AGENT])
    assert apply_predicate(lambda _: verdict, entry, "allow") is allowed


def test_a_predicate_that_gives_something_to_await_refuses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def later() -> bool:
        return True

    class Awaitable:
        def __await__(self) -> Any:
            yield

    [entry] = parse_executable_data([WEATHER_AGENT])
    rules: list[Any] = [lambda _: later(), lambda _: Awaitable()]
    assert [allow_agents(rule)(entry) for rule in rules] == [False, False]
    refusal = "The allow predicate is async: refused. Make it a plain function."
    assert [record.getMessage() for record in caplog.records] == [refusal] * 2


# --- Calls that repeat others ---

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
