"""A local Agentverse, and an identity that asks its agents."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Final, Protocol

import pytest

from langchain_asi_one.agents import AgentChat
from langchain_asi_one.testing import local_agentverse
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.support.patience import FOREVER
from tests.support.puppet import Puppet

POLL: Final = 0.02


class MakeChat(Protocol):
    def __call__(self, **arguments: Any) -> AgentChat: ...


@pytest.fixture(autouse=True)
def _no_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AGENT_URI", "AGENTVERSE_AGENT_SEED", "AGENTVERSE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def _agentverse() -> Iterator[LocalAgentverse]:
    with local_agentverse() as server:
        yield server


@pytest.fixture
def agentverse(_agentverse: LocalAgentverse) -> LocalAgentverse:
    """A local Agentverse without requests and queued replies; agents and mail stay."""
    _agentverse.clear()
    _agentverse.clock_skew = 0.0
    return _agentverse


@pytest.fixture
def make_chat(agentverse: LocalAgentverse) -> Iterator[MakeChat]:
    """Make an identity of its own that asks agents of the local Agentverse."""
    made: list[AgentChat] = []

    def make(**arguments: Any) -> AgentChat:
        given = {
            "seed": secrets.token_hex(),
            "api_key": agentverse.api_key,
            "agentverse": agentverse.url,
            "poll_interval": POLL,
            "quiet": FOREVER,  # so that a slow machine ends no answer
        }
        made.append(AgentChat(**{**given, **arguments}))
        return made[-1]

    yield make
    for chat in made:
        chat.close()


@pytest.fixture
def chat(make_chat: MakeChat) -> AgentChat:
    return make_chat()


@pytest.fixture
def puppet(agentverse: LocalAgentverse) -> Puppet:
    """An agent whose every word the test writes."""
    return Puppet(agentverse)
