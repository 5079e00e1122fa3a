"""What is shown of an agent's own answer: by which way, signed by whom, how it ended."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_asi_one.display import card, format_message
from langchain_asi_one.display._agent_answer import is_agent_answer, list_agent_fields
from langchain_asi_one.testing._agents import WEATHER_AGENT
from tests.support.answers import read_body, read_stream

WEATHER = WEATHER_AGENT["address"]
OURS = {
    "agent": WEATHER,
    "session_id": "s-1",
    "acknowledged": True,
    "ended": "end-session",
    "inbox": "mailbox",
}
BY_MAILBOX = [
    ("asked", "directly, the answer came by mailbox"),
    ("signed by", WEATHER),
    ("session", "s-1"),
]


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({}, BY_MAILBOX),
        (
            {"inbox": "endpoint"},
            [("asked", "directly, the answer came to an endpoint of one's own"), *BY_MAILBOX[1:]],
        ),
        (
            {"ended": "quiet"},
            [
                *BY_MAILBOX[:2],
                ("ended by", "the agent said no more, and did not end the session"),
                BY_MAILBOX[2],
            ],
        ),
        (
            {"ended": "timeout"},
            [
                *BY_MAILBOX[:2],
                ("ended by", "the time was over before the agent had ended: more may be missing"),
                BY_MAILBOX[2],
            ],
        ),
        ({"agent": WEATHER[:-1] + "3"}, []),
        ({"agent": None}, []),
        ({"inbox": ["mailbox"]}, []),
        ({"ended": {"a": 1}, "session_id": None}, BY_MAILBOX[:2]),
        (
            {"session_id": "\x1b[2J\u202e" + "x" * 1_000},
            [
                *BY_MAILBOX[:2],
                ("session", r"\x1b[2J\u202e" + "x" * 387 + "... (613 more characters)"),
            ],
        ),
    ],
)
def test_what_metadata_say(changed: dict[str, Any], shown: list[tuple[str, str]]) -> None:
    assert list(list_agent_fields({**OURS, **changed})) == shown


@pytest.mark.parametrize("value", [None, "mailbox", [OURS], 7])
def test_what_is_no_metadata_says_nothing(value: object) -> None:
    assert list(list_agent_fields(value)) == []


def test_what_asi_one_tells_of_an_agent_is_unsigned() -> None:
    told = {"model_provider": "asi-one", "session_id": "s-2", "ended": "end-session"}
    assert not is_agent_answer(told)
    assert list(list_agent_fields(told)) == [
        ("asked", "through ASI:One, which tells what the agent said; unsigned"),
        ("session", "s-2"),
    ]


def test_an_answer_of_an_agent_is_called_so() -> None:
    message = AIMessage("It rains.", response_metadata=OURS)
    assert "Answer of an agent, a third party" in card(message)._repr_html_()
    assert format_message(message).endswith(
        f"  asked      {BY_MAILBOX[0][1]}\n  signed by  {WEATHER}\n  session    s-1"
    )
    assert "Answer of an agent" not in card(AIMessage("It rains."))._repr_html_()


def make_state(**more: Any) -> dict[str, Any]:
    named = AIMessage("Here.", additional_kwargs={"executable_data": [WEATHER_AGENT]})
    entries = [{"kind": "agent", "address": WEATHER, "raw": {}}]
    return {"messages": [HumanMessage("Who?"), named], "executable_data": entries, **more}


def test_a_run_shows_who_has_signed_what() -> None:
    result = {"agent": WEATHER, "result": "It rains.", "response_metadata": OURS}
    shown = str(card(make_state(agent_results=[result])))
    assert "✓ answered: it was asked, and has answered" in shown
    assert "asked      directly, the answer came by mailbox\n" in shown
    assert f"signed by  {WEATHER}" in shown


def test_no_field_of_asi_one_makes_its_answer_that_of_an_agent() -> None:
    claims = {"agent": WEATHER, "inbox": "mailbox", "ended": "end-session"}
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "Hi", **claims}, **claims}
    body = {"id": "1", "model": "asi1", "choices": [choice], "usage": claims, **claims}
    chunk = {**body, "choices": [{"index": 0, "delta": {"content": "Hi", **claims}, **claims}]}
    for message in (read_body(body), read_stream([chunk])):
        assert not is_agent_answer(message.response_metadata)
        assert "signed by" not in dict(list_agent_fields(message.response_metadata))
