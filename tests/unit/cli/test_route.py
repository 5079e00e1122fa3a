"""The lines that the routing demo writes."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any

import pytest

from langchain_asi_one._cli import route
from langchain_asi_one.langgraph import allow_agents
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.graphs import naming

WEATHER = WEATHER_AGENT["address"]


def test_each_named_agent_is_allowed_or_refused_with_a_reason() -> None:
    message = naming(WEATHER_AGENT, FLIGHT_AGENT, BAD_AGENT, {"name": "x\x1b[2J"})
    lines = [*route._describe_named(message, allow_agents({WEATHER}))]
    assert [line.text for line in lines if line.role == "name"] == [
        "Stand-in Weather",
        "Stand-in Flights",
        "Stand-in Impostor",
        r"x\x1b[2J",
    ]
    assert [line.text[:45] for line in lines if line.text[:7] in ("allowed", "refused")] == [
        "allowed",
        "refused: not among the agents that may be ask",
        "refused: `address` is not an agent address (b"[:45],
        "refused: The entry names no agent (address or",
    ]


@pytest.mark.parametrize(
    ("named", "why"), [([FLIGHT_AGENT], "allow one with --allow AGENT"), ([], "none was named")]
)
def test_that_no_agent_is_asked_is_said_with_the_reason(
    named: list[dict[str, Any]], why: str
) -> None:
    *_, last = route._describe_named(naming(*named), allow_agents({WEATHER}))
    assert last.text == f"No agent is asked: {why}."


def test_a_result_is_one_line_and_an_error_is_a_problem() -> None:
    name, result = route._describe_result({"agent": WEATHER, "result": "Rain\nall day"})
    assert (name.text, result.text) == (WEATHER, "Rain all day")
    name, error = route._describe_result({"agent": "weather", "error": "late"})
    assert (name.text, error.text, error.role) == ("@weather", "no answer: late", "problem")


def test_decisions_are_a_persons_or_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    value: dict[str, Any] = {"action_requests": [{}, {}]}
    assert route._decide(value, by_human=False) == [{"type": "approve"}] * 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("YES\nmaybe\n"))
    decisions = route._decide(value, by_human=True)
    assert decisions == [{"type": "approve"}, {"type": "reject"}]
    lines = [*route._describe_decisions(decisions, by_human=True)]
    assert [line.label + line.text for line in lines] == [
        "1. approve, by you",
        "2. reject, by you",
    ]


def test_a_request_for_review_is_written_line_by_line() -> None:
    value: dict[str, Any] = {"action_requests": [{"description": "Ask the agent @a.\nName: b"}]}
    assert [line.label + line.text for line in route._describe_review(value)] == [
        "1. Ask the agent @a.",
        "   Name: b",
    ]


def test_what_the_package_logs_is_one_complaint(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("langchain_asi_one.langgraph")
    with route._complain_for_logger():
        logger.warning("two\n%s", "lines")
        logger.info("nothing")
    assert capsys.readouterr() == ("", "warning: two lines\n")
    assert not any(
        isinstance(one, route._ComplaintHandler)
        for one in logging.getLogger("langchain_asi_one").handlers
    )


def test_an_agent_that_is_none_is_refused_as_an_argument(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        route._read_options(["--allow", "agent1nobody", "Hi"])
    assert "which is neither an agent address" in capsys.readouterr().err
    options = route._read_options(["--allow", WEATHER, "--review", "Hi"])
    assert (options.allow, options.review, options.question) == ([WEATHER], True, "Hi")
