"""Workers of graphs that ask the named agent directly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableLambda

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.agents._loop import arun, run
from langchain_asi_one.executable_data import ExecutableEntry, is_agent_address
from langchain_asi_one.langgraph._routable_agents import Allow, allow_agents
from langchain_asi_one.langgraph._state import AgentTask

if TYPE_CHECKING:
    from langchain_asi_one.agents._chat import AgentChat
    from langchain_asi_one.agents._conversations import Conversations


class AddressRule:
    """Finds the address of a named agent that may be asked."""

    def __init__(self, allow: Allow | None) -> None:
        self._is_allowed: Callable[[ExecutableEntry], bool] | None = None
        if allow is not None:
            self._is_allowed = allow_agents(allow)

    async def find_address(
        self, conversations: Conversations, entry: ExecutableEntry, *, seconds: float
    ) -> str:
        """Return the address of an entry's agent; a handle is looked up.

        Raises:
            PermissionError: If the address is not allowed, or that of a handle without a rule.
            ValueError: If the entry names no agent.
        """
        identity = identify_agent(entry)
        if identity is None:
            msg = "the entry names no agent by a sound address or handle, so none was asked"
            raise ValueError(msg)
        address = identity
        if not is_agent_address(identity):
            record = await conversations.almanac.find(f"@{identity}", seconds=seconds)
            address = record["address"]
        if self._is_allowed is None and address == identity:
            return address
        named = ExecutableEntry(kind="agent", address=address, raw={"address": address})
        if self._is_allowed is None or not self._is_allowed(named):
            handle = "" if address == identity else f"@{identity} is the agent {address}, but "
            msg = (
                f"{handle}allow of the worker does not name this address, so it was not asked: "
                "give allow= with the addresses that may be asked"
            )
            raise PermissionError(msg)
        return address


def make_worker(
    chat: AgentChat, *, allow: Allow | None, timeout: float
) -> Runnable[AgentTask, AIMessage]:
    """Make a worker that asks the agent that was named."""
    rule = AddressRule(allow)

    async def ask_agent(task: AgentTask) -> AIMessage:
        conversations = await chat.find_conversations()
        address = await rule.find_address(conversations, task["agent"], seconds=timeout)
        return await chat.ask_on_loop(address, task["messages"], timeout=timeout)

    def ask(task: AgentTask) -> AIMessage:
        return run(ask_agent(task))

    async def ask_async(task: AgentTask) -> AIMessage:
        return await arun(ask_agent(task))

    return RunnableLambda(ask, afunc=ask_async, name="ask_agent")
