"""Made-up agents, with the fields of Agentverse's public search API.

The addresses are valid Bech32 with the prefix ``agent``, made from hashes of plain words: nobody
holds their keys. It is not published how ASI:One fills ``executable_data``. The entries therefore
have the documented fields of Agentverse's agent object (https://docs.agentverse.ai, search API).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from langchain_asi_one._agent_address import is_agent_address

WEATHER_AGENT: dict[str, Any] = {
    "address": "agent1q2s25dz79wlykf8kczjw0333y9ru5dl42vflyks9tvrz4qcny7gucd0pk92",
    "prefix": "agent",
    "name": "Stand-in Weather",
    "handle": "stand-in-weather",
    "description": "Example agent of the local stand-in: tells the weather.",
    "readme": "Does not exist on Agentverse.",
    "protocols": [{"name": "AgentChatProtocol", "version": "0.3.0"}],
    "total_interactions": 1200,
    "recent_interactions": 87,
    "rating": 4.5,
    "status": "active",
    "type": "hosted",
    "category": "community",
    "system_wide_tags": ["weather"],
}

FLIGHT_AGENT: dict[str, Any] = {
    "address": "agent1qg0jawpnuknvqmqv3cf7q5jtccmhfur0uj2thhuz3xenggnlv8qyyg9vrl7",
    "prefix": "agent",
    "name": "Stand-in Flights",
    "handle": "stand-in-flights",
    "description": "Example agent of the local stand-in: finds flights.",
    "readme": "Does not exist on Agentverse.",
    "protocols": [{"name": "AgentChatProtocol", "version": "0.3.0"}],
    "total_interactions": 310,
    "recent_interactions": 12,
    "rating": None,
    "status": "responsive",
    "type": "mailbox",
    "category": "fetch-ai",
    "system_wide_tags": ["travel", "flights"],
}

BAD_AGENT: dict[str, Any] = {
    **WEATHER_AGENT,
    "address": WEATHER_AGENT["address"][:-1] + "3",
    "name": "Stand-in Impostor",
    "handle": "stand-in-impostor",
    "description": "Example entry whose address has one wrong character.",
}


Entries = Sequence[Mapping[str, Any]]
MADE_UP: Entries = (WEATHER_AGENT, FLIGHT_AGENT)

_MADE_UP_ANSWERS = {
    WEATHER_AGENT["address"]: "18 °C and light rain",
    FLIGHT_AGENT["address"]: "a seat at 9:40, 120 EUR",
}


def make_entries(agents: Sequence[str | Mapping[str, Any]]) -> Entries:
    """Return entries for ``executable_data``, where there are only addresses too.

    Raises:
        ValueError: A text is not an agent's address.
    """
    return [_make_entry(agent) if isinstance(agent, str) else dict(agent) for agent in agents]


def _make_entry(address: str) -> dict[str, Any]:
    if not is_agent_address(address):
        msg = f"{address!r} in agents is not an agent's address; give that, or an entry as a dict"
        raise ValueError(msg)
    protocols = [{"name": "AgentChatProtocol", "version": "0.3.0"}]
    return {"address": address, "name": f"Agent {address[-6:]}", "protocols": protocols}


def list_agents(agents: Entries = MADE_UP, *, with_bad: bool) -> list[dict[str, Any]]:
    """Return entries for ``executable_data``, as copies.

    With ``with_bad`` there is a further one, whose address is broken.
    """
    return deepcopy([*map(dict, agents), BAD_AGENT] if with_bad else [*map(dict, agents)])


def write_agent_answers(question: str, addresses: list[str], agents: Entries = MADE_UP) -> str:
    """Return what the agents of a request answer; none is really asked."""
    return " ".join(
        f'{agent.get("name")}, asked "{question[:400]}": '
        f"{_MADE_UP_ANSWERS.get(agent['address'], 'no more is known of this agent')}."
        for agent in _find_agents(addresses, agents)
    )


def make_search_steps(question: str, agents: Entries = MADE_UP) -> list[dict[str, Any]]:
    """Return the ``intermediate_steps`` of a search for agents."""
    return [
        {"step": 1, "action": "search_agents", "input": question, "status": "completed"},
        {
            "step": 2,
            "action": "rank_agents",
            "output": [agent.get("name") for agent in agents],
            "status": "completed",
        },
    ]


def make_plan_snapshots(
    question: str, addresses: list[str], answer: str, agents: Entries = MADE_UP
) -> list[dict[str, Any]]:
    """Return the growing ``plan_state`` snapshots of a planner run.

    The last has the status ``"completed"``. That status, ``agent_used`` with its four members and
    ``agent_response`` are as reported in https://github.com/fetchai/agentverse/issues/115. The
    nesting is made up.

    Args:
        question: The user's text.
        addresses: The agents that the request names; without any, those that are known.
        answer: The response of each agent.
        agents: The agents that are known.
    """
    chosen = _find_agents(addresses, agents) if addresses else agents
    tasks: list[dict[str, Any]] = []
    snapshots: list[dict[str, Any]] = [{"status": "planning", "goal": question, "tasks": []}]
    for number, agent in enumerate(chosen, start=1):
        used = {
            "agent_name": agent.get("name"),
            "agent_address": agent.get("address"),
            "agent_rating": agent.get("rating"),
            "agent_interactions": agent.get("total_interactions", 0),
        }
        task = {"task_id": number, "status": "in_progress", "agent_used": used}
        snapshots.append({"status": "running", "goal": question, "tasks": [*tasks, task]})
        tasks.append({**task, "status": "completed", "agent_response": answer})
        snapshots.append({"status": "running", "goal": question, "tasks": list(tasks)})
    snapshots.append({"status": "completed", "goal": question, "tasks": list(tasks)})
    return deepcopy(snapshots)


def _find_agents(addresses: list[str], agents: Entries) -> list[Mapping[str, Any]]:
    known = {agent.get("address"): agent for agent in agents}
    return [known.get(a, {"address": a, "name": "Unknown agent"}) for a in addresses]
