"""All that one local Agentverse remembers, and the agents that it runs."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from uagents_core.identity import Identity
from uagents_core.registration import AgentProfile, RegistrationRequest
from uagents_core.types import AgentEndpoint

from langchain_asi_one.testing._agentverse.agents import (
    CHAT_PROTOCOL,
    LocalAgent,
    deliver,
    read_question,
    seal,
)
from langchain_asi_one.testing._agentverse.almanac import MAILBOX_PATH, Almanac
from langchain_asi_one.testing._agentverse.mailboxes import Mailboxes
from langchain_asi_one.testing._agentverse.routes import SUBMIT_PATH

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import httpx
    from uagents_core.contrib.protocols.chat import ChatMessage
    from uagents_core.envelope import Envelope

    from langchain_asi_one.testing._agentverse.behaviours import Behaviour

_MOST_CHALLENGES = 1_000


class State:
    """Almanac, mailboxes, account and agents of one server.

    The owner locks it.

    Args:
        url: Address of the server.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.api_key = secrets.token_urlsafe(24)
        self.clock_skew = 0.0
        self.almanac = Almanac()
        self.mailboxes = Mailboxes()
        self.client: httpx.AsyncClient | None = None
        self._challenges: OrderedDict[str, str] = OrderedDict()
        self._owned: set[str] = set()
        self._agents: dict[str, LocalAgent] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        """Return the server's time, in seconds since 1970."""
        return time.time() + self.clock_skew

    def give_challenge(self, address: str) -> str:
        """Return a new text for an address to sign.

        It replaces the one before.
        """
        self._challenges[address] = secrets.token_hex(16)
        while len(self._challenges) > _MOST_CHALLENGES:
            self._challenges.popitem(last=False)
        return self._challenges[address]

    def take_challenge(self, address: str) -> str | None:
        """Return the challenge of an address, which is then used up."""
        return self._challenges.pop(address, None)

    def own(self, address: str) -> None:
        """Make an address one of the account."""
        self._owned.add(address)

    def owns(self, address: str) -> bool:
        """Return whether an address is one of the account."""
        return address in self._owned

    def register(self, request: RegistrationRequest) -> None:
        """Record an agent; give it a mailbox if it wants one."""
        self.almanac.register(request, self.now())
        if request.agent_type == "mailbox" or any(
            one.url == f"{self.url}{MAILBOX_PATH}" for one in request.endpoints
        ):
            self.mailboxes.open(request.address)

    def add_agent(
        self, behaviour: Behaviour, handle: str | None, name: str | None, delay: float
    ) -> str:
        """Start an agent, and return its address."""
        number = len(self._agents) + 1
        # Not by chance: notebooks and pages that show an address are the same in each run.
        identity = Identity.from_seed(f"local agent {number}", 0)
        what = behaviour if isinstance(behaviour, str) else "function"
        request = RegistrationRequest(
            address=identity.address,
            name=name or f"Local agent {number}",
            handle=handle,
            profile=AgentProfile(description=f"Local agent, behaviour {what}."),
            endpoints=[AgentEndpoint(url=f"{self.url}{SUBMIT_PATH}", weight=1)],
            protocols=[CHAT_PROTOCOL],
        )
        self.register(request)
        address = str(identity.address)
        self._agents[address] = LocalAgent(identity, behaviour, delay)
        return address

    def list_agents(self) -> list[dict[str, Any]]:
        """Return the server's own agents, with the fields of the search."""
        return [self.almanac.describe(address) for address in self._agents]

    def ask(self, envelope: Envelope) -> bool:
        """Give an envelope to one of the server's agents.

        Return whether it is one of them.
        """
        agent = self._agents.get(envelope.target)
        question = read_question(envelope)
        if agent is not None and question is not None:
            self._start(self._answer(agent, envelope, question))
        return agent is not None

    def post(self, envelope: Envelope, urls: list[str]) -> None:
        """Post an envelope, later."""
        if self.client is not None:
            self._start(deliver(self.client, envelope, urls))

    async def _answer(self, agent: LocalAgent, asked: Envelope, question: ChatMessage) -> None:
        async for message in agent.answer(question):
            record = self.almanac.resolve(asked.sender) or {"endpoints": []}
            ordered = sorted(record["endpoints"], key=lambda one: -one["weight"])
            envelope = seal(agent.identity, asked.sender, asked.session, message)
            if self.client is not None:
                await deliver(self.client, envelope, [one["url"] for one in ordered])

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
