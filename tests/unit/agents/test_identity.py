"""The seed and the key: where they come from, and that they go nowhere."""

from __future__ import annotations

import copy
import pickle
import traceback
import warnings
from typing import Any

import pytest
from pydantic import SecretStr
from uagents_core.identity import Identity

from langchain_asi_one.agents import AgentChat
from langchain_asi_one.agents._identity import read_api_key

SEED = "a text that nobody else has"
KEY = "av-secret-key-of-the-tests"
URI = f"https://ada:{SEED.replace(' ', '-')}@agentverse.ai/Weather%20agent?log=info"


@pytest.fixture(autouse=True)
def _no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENT_URI", "AGENTVERSE_AGENT_SEED", "AGENTVERSE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def address(seed: str) -> str:
    return str(Identity.from_seed(seed, 0).address)


def test_the_argument_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVERSE_AGENT_SEED", "the seed of the environment")
    assert AgentChat().address == address("the seed of the environment")
    monkeypatch.setenv("AGENT_URI", URI)
    assert AgentChat().address == address(SEED.replace(" ", "-"))
    assert AgentChat(seed=SEED).address == AgentChat(seed=SecretStr(f" {SEED}\n")).address
    assert AgentChat(seed=SEED).address == address(SEED)


def test_without_a_seed_it_is_said_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTVERSE_AGENT_SEED", "  ")
    with pytest.raises(ValueError, match=r"AGENTVERSE_AGENT_SEED .*secrets\.token_urlsafe"):
        AgentChat()


@pytest.mark.parametrize(
    ("uri", "complaint"),
    [
        ("https://agentverse.ai/name", "must be like"),
        ("https://ada@agentverse.ai/name", "must be like"),
        ("https://ada:k3y-of-the-test-suite@[agentverse.ai/name", "must be like"),
        ("https://ada:k3y-of-the-test-suite@staging.example/name", "give both alike"),
        ("http://ada:k3y-of-the-test-suite@agentverse.ai/name", "give both alike"),
    ],
)
def test_a_bad_uri_is_refused_without_its_key(
    monkeypatch: pytest.MonkeyPatch, uri: str, complaint: str
) -> None:
    monkeypatch.setenv("AGENT_URI", uri)
    with pytest.raises(ValueError, match=complaint) as caught:
        AgentChat()
    assert "k3y" not in "".join(traceback.format_exception(caught.value))


def test_a_short_seed_is_warned_of_at_the_caller() -> None:
    with pytest.warns(UserWarning, match="fewer than 16 characters") as caught:
        AgentChat(seed="short")
    assert caught[0].filename == __file__
    assert "short" not in str(caught[0].message).replace("shorter", "")


def test_secrets_are_in_no_text_and_no_pickle() -> None:
    chat = AgentChat(seed=SEED, api_key=KEY)
    shown = [repr(chat), str(chat), repr(vars(chat)), str(vars(chat))]
    assert not [text for text in shown if SEED in text or KEY in text]
    attempts: list[Any] = [pickle.dumps, copy.copy, copy.deepcopy]
    for attempt in attempts:
        with pytest.raises(TypeError, match="holds a key"):
            attempt(chat)


def test_the_api_key_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_api_key(None) is None
    monkeypatch.setenv("AGENTVERSE_API_KEY", f"{KEY}\n")
    found = read_api_key("")
    assert found is not None
    assert found.get_secret_value() == KEY
    with pytest.raises(ValueError, match="copy it again") as caught:
        read_api_key("k\u00e9y")
    assert "k\u00e9y" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"agentverse": "http://agentverse.ai"}, "agentverse must be an https"),
        ({"agentverse": "https://u:p@agentverse.ai"}, "must not hold credentials"),
        ({"agentverse": "agentverse.ai"}, "agentverse must be an https"),
        ({"agentverse": "https://[agentverse.ai"}, "agentverse must be an https"),
        ({"poll_interval": 0}, "poll_interval must be a number of seconds"),
        ({"poll_interval": True}, "poll_interval must be a number of seconds"),
        ({"quiet": float("nan")}, "quiet must be a number of seconds"),
        ({"quiet": "2"}, "quiet must be a number of seconds"),
        ({"inbox": "letterbox"}, "inbox must be 'mailbox' or"),
        ({"inbox": "http://ada.example/agent"}, "inbox must be 'mailbox' or"),
        ({"inbox": "https://ada:pass@ada.example/"}, "an address with credentials"),
        ({"name": "n" * 33}, "name must have 1 to 32"),
        ({"name": "  "}, "name must have 1 to 32"),
    ],
)
def test_a_bad_argument_is_refused_by_name(arguments: dict[str, Any], complaint: str) -> None:
    with warnings.catch_warnings(), pytest.raises(ValueError, match=complaint) as caught:
        AgentChat(seed=SEED, **arguments)
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"agent": "nobody at all"}, "neither the address of an agent"),
        ({"agent": address(SEED)[:-1]}, "neither the address of an agent"),
        ({"agent": None}, "neither the address of an agent"),
        ({"message": ""}, "is empty"),
        ({"timeout": 0}, "timeout must be a number of seconds"),
        ({"timeout": float("inf")}, "timeout must be a number of seconds"),
        ({"session_id": ""}, "session_id must be a text"),
        ({"session_id": 7}, "session_id must be a text"),
    ],
)
def test_a_bad_question_is_refused_before_it_is_sent(
    arguments: dict[str, Any], complaint: str
) -> None:
    chat = AgentChat(seed=SEED)
    with pytest.raises(ValueError, match=complaint):
        chat.ask(**{"agent": address("another seed"), "message": "Rain?", **arguments})
