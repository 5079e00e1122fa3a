"""Ask agents of Agentverse, and get their own signed answers.

::

    chat = AgentChat()  # the seed of its identity is in AGENTVERSE_AGENT_SEED
    answer = chat.ask("agent1q…", "What is the weather in Oslo?")
    print(answer.text)

It speaks the Agent Chat Protocol over HTTPS, and needs the packages of the extra `agents`. Answers
are words of strangers: data, not instructions. Nothing is told to anybody but Agentverse and the
agent that is asked. Messages are signed, and not encrypted from end to end: Agentverse can read
what lies in a mailbox.
"""

from langchain_asi_one._version import make_missing_error as _make_missing_error

try:
    import httpx as _httpx
    import uagents_core as _uagents_core
except ImportError as _missing:
    raise _make_missing_error(
        "langchain_asi_one.agents", "uagents-core httpx", _missing
    ) from _missing

from langchain_asi_one.agents._almanac import (
    AgentRecord,
    aresolve,
    asearch_agents,
    resolve,
    search_agents,
)
from langchain_asi_one.agents._chat import AgentChat
from langchain_asi_one.agents._errors import (
    AgentError,
    AgentPaymentRequiredError,
    AgentRefusedError,
    AgentTimeoutError,
    AgentUnreachableError,
)

__all__ = [
    "AgentChat",
    "AgentError",
    "AgentPaymentRequiredError",
    "AgentRecord",
    "AgentRefusedError",
    "AgentTimeoutError",
    "AgentUnreachableError",
    "aresolve",
    "asearch_agents",
    "resolve",
    "search_agents",
]

del _httpx, _uagents_core
