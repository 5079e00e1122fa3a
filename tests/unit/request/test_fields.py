"""The declaration of the request fields, and the checks that read it."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one._request.fields import (
    CALL_ARGUMENTS,
    DOMAINS,
    MODEL_FIELDS,
    TYPES,
    check_names,
    check_value,
    clean_name,
    fit_name,
)
from langchain_asi_one.testing._agents import WEATHER_AGENT

AGENT = WEATHER_AGENT["address"]


def test_each_field_of_the_model_is_checked_and_taken_in_a_call() -> None:
    assert {*MODEL_FIELDS} <= DOMAINS.keys() <= TYPES.keys() <= CALL_ARGUMENTS
    assert TYPES["temperature"] == float | None
    assert TYPES["web_search"] == bool | None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0),
        ("temperature", 2),
        ("top_p", 0.5),
        ("frequency_penalty", -2),
        ("max_tokens", 0),
        ("web_search", False),
        ("agents", []),
        ("agents", (AGENT,)),
        ("stop", "a"),
        ("stop", ["a"]),
        ("model", "asi2"),
        ("tool_choice", "anything"),
        ("temperature", None),
    ],
)
def test_a_value_in_range_is_left_alone(name: str, value: Any) -> None:
    assert check_value(name, value) is value


def test_a_whole_number_is_sent_as_one() -> None:
    sent = check_value("max_tokens", 7.0)
    assert (sent, type(sent)) == (7, int)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("temperature", 2.5, "temperature must be a number from 0 to 2; got 2.5."),
        ("temperature", True, "temperature must be a number from 0 to 2; got True."),
        ("top_p", float("nan"), "top_p must be a number from 0 to 1; got nan."),
        ("max_tokens", -1, "max_tokens must be a whole number of tokens, 0 or more; got -1."),
        ("temperature", 10**400, "temperature must be a number from 0 to 2"),
        ("temperature", float("nan"), "temperature must be a number from 0 to 2"),
        ("max_tokens", float("nan"), "max_tokens must be a whole number of tokens"),
        ("max_tokens", -(10**400), "max_tokens must be a whole number of tokens"),
        ("max_tokens", float("inf"), "max_tokens must be a whole number of tokens"),
        ("study_mode", 1, "study_mode must be True or False; got 1."),
        ("agent_address", " ", "agent_address must be a text; got ' '."),
        ("stop", [1], r"stop must be a text or a list of texts; got \[1\]."),
        ("agents", AGENT, "agents must be a list of agent addresses .*; got 'agent1"),
        ("agents", [AGENT, "agent1x"], "agents must be a list of .*; got 'agent1x'."),
        ("agent_address", 10**200, r"got 1(0{99})…\."),
    ],
)
def test_another_value_is_refused_by_name(name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_value(name, value)


def test_an_unknown_name_leads_to_the_nearest() -> None:
    known = ["temperature", "openai_api_key"]
    check_names(["temperature"], known, {}, where="A call")
    with pytest.raises(ValueError, match=r"A call has no parameter 'n'. Leave it out."):
        check_names(["n"], known, {"n": "Leave it out."}, where="A call")
    with pytest.raises(ValueError, match=r"Did you mean 'temperature'\?.*extra_body={'temprature'"):
        check_names(["temprature"], known, {}, where="A call")
    with pytest.raises(ValueError, match=r"no parameter 'tempe'\. A field"):
        check_names(["tempe"], known, {}, where="A call")
    with pytest.raises(ValueError, match=r"no parameter 'openai_api_ke'\. A field"):
        check_names(["openai_api_ke"], known, {}, where="A call")


@pytest.mark.parametrize("name", ["get_weather", "a-b", "x" * 64])
def test_names_of_tools(name: str) -> None:
    assert fit_name(name) == clean_name(name) == name


@pytest.mark.parametrize(
    ("name", "fitted"),
    [
        ("Reply[int]", "Reply_int"),
        ("Movie review: [new]", "Movie_review_new"),
        ("größe", "gr_e"),
        ("functions.look_up", "functions_look_up"),
        ("_private", "_private"),
        ("Xbox?", "Xbox"),
        ("x" * 70, "x" * 64),
    ],
)
def test_other_names_are_made_fit(name: str, fitted: str) -> None:
    assert fit_name(name) == fitted
    assert fit_name(fitted) == fitted


@pytest.mark.parametrize("name", ["", "???", "研究", None, 3])
def test_a_name_of_which_nothing_is_left_is_refused(name: object) -> None:
    assert clean_name(name) == ""
    with pytest.raises(ValueError, match="is not a tool name that ASI:One takes"):
        fit_name(name)


def test_a_name_that_is_taken_here_needs_no_hint() -> None:
    check_names(["stop"], {"stop"}, {"stop": "It goes elsewhere."}, where="A call")
    with pytest.raises(ValueError, match="It goes elsewhere"):
        check_names(["stop"], {"model"}, {"stop": "It goes elsewhere."}, where="A call")
