"""From the model's answer to agents' nodes: one node, one router."""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import compress
from typing import Any, TypeAlias

from langgraph.graph import END
from langgraph.types import Send

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.executable_data import (
    ExecutableEntry,
    parse_executable_data,
    parse_handle,
)
from langchain_asi_one.langgraph._contract import NodeContract, declare
from langchain_asi_one.langgraph._routable_agents import (
    Allow,
    allow_agents,
    apply_predicate,
    collect_identifiers,
    drop_repeated_calls,
    require_allow,
    require_identifier,
    require_predicate,
)
from langchain_asi_one.langgraph._state import (
    ENTRIES,
    ENTRIES_KEY,
    MAX_REFUSED,
    MESSAGES,
    MESSAGES_KEY,
    REFUSED,
    AgentTask,
    Node,
    find_answers,
    find_question,
    name_refused_key,
    read_entries,
    read_messages,
    refuse_agents,
)

logger = logging.getLogger(__name__)

Router: TypeAlias = Callable[[Any], list[Send] | str]


def executable_data_node(
    *,
    messages_key: str = MESSAGES_KEY,
    output_key: str = ENTRIES_KEY,
    keep: Callable[[ExecutableEntry], bool] | None = None,
    max_entries: int | None = 32,
) -> Node:
    """Make the node that puts the named agents into the state.

    It reads the model's messages after the last human one, so agents of an earlier turn never
    route again. It always writes the key: `[]` if the model named no agent. It leaves out agents
    that a planner run has asked already (`plan_state`); `get_executable_data` reads those too. An
    agent that is named twice with the same tool and arguments is written once. A second key, with
    `_refused` behind its name, notes which agents are left out and why; see `ExecutableDataState`.
    The state need not declare the keys.

    Args:
        messages_key: State key of the messages.
        output_key: State key to write. It must have no reducer.
        keep: A predicate that selects entries, such as `allow_agents(...)`; an exception in it
            leaves the entry out.
        max_entries: Most entries to write, 0 or more, or `None` for any number. The number of
            those left out is logged.

    Returns:
        A function named `executable_data`, for `add_node`; it works under `invoke` and `ainvoke`.

    Raises:
        TypeError: If `keep` is not a plain function.
        ValueError: If `max_entries` is negative.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> named = {"executable_data": [{"handle": "@weather"}]}
        >>> node = executable_data_node()
        >>> update = node({"messages": [AIMessage("", additional_kwargs=named)]})
        >>> [entry["handle"] for entry in update["executable_data"]]
        ['weather']
    """
    if keep is not None:
        require_predicate(keep, "keep")
    if max_entries is not None and not _is_count(max_entries, 0):
        msg = f"max_entries must be 0 or more, or None for any number; got {max_entries!r}"
        raise ValueError(msg)

    refused_key = name_refused_key(output_key)

    def executable_data(state: Any) -> dict[str, Any]:
        messages = read_messages(state, messages_key, reader="executable_data_node")
        entries = drop_repeated_calls(_read_named_agents(messages))
        verdicts = [keep is None or apply_predicate(keep, entry, "keep") for entry in entries]
        allowed = [*compress(entries, verdicts)]
        kept = allowed[:max_entries]
        excess = allowed[len(kept) :]
        refused = [entry for entry, verdict in zip(entries, verdicts, strict=True) if not verdict]
        if excess:
            logger.warning(
                "ASI:One named %d agents and calls; %d beyond max_entries=%d were left out.",
                len(allowed),
                len(excess),
                len(kept),
            )
        noted = refuse_agents(excess, "over_limit") + refuse_agents(refused, "not_allowed")
        return {output_key: kept, refused_key: noted[:MAX_REFUSED]}

    keys = {messages_key: MESSAGES, output_key: ENTRIES, refused_key: REFUSED}
    contract = NodeContract(reads=(messages_key,), writes=(output_key, refused_key))
    return declare(executable_data, keys, contract)


@require_allow
def send_agents(
    node: str,
    *,
    allow: Allow,
    routes: Mapping[str, str] | None = None,
    default: str = END,
    limit: int = 8,
    key: str = ENTRIES_KEY,
    messages_key: str = MESSAGES_KEY,
) -> Router:
    """Make the router that sends each allowed agent to a node.

    It is for `add_conditional_edges`.

    A model that read untrusted text chose the agents, so `allow` has no default. Names of nodes
    come from `node`, `routes` and `default` only. An agent named twice with one tool and the
    same arguments is sent once. Each
    node gets an `AgentTask`: `{"agent": entry, "messages": [last human message]}`.

    Args:
        node: Node to send an agent to, unless `routes` names another.
        allow: A set of addresses and handles, a predicate over entries, or `"any"`; see
            `allow_agents`.
        routes: Address or handle -> node. An entry with an address matches by its address only.
        default: Node to go to if no agent is allowed.
        limit: Most agents to send, 1 or more. The number of those left out is logged.
        key: State key that `executable_data_node` wrote.
        messages_key: State key of the messages.

    Returns:
        A router that returns a list of `Send`, never an empty one, or `default`. LangGraph draws
        an edge to each node that it may lead to, and `compile()` checks that they exist.

    Raises:
        TypeError: If `allow` is missing or of another kind.
        ValueError: If an address or handle, a node's name or `limit` is wrong, or a key of
            `routes` is not in `allow`.

    Example:
        >>> router = send_agents("ask_agent", allow={"@weather"})
        >>> entry = {"kind": "agent", "handle": "weather", "raw": {}}
        >>> [(send.node, send.arg["agent"]["handle"]) for send in router(
        ...     {"executable_data": [entry], "messages": []})]
        [('ask_agent', 'weather')]
    """
    allowed = allow_agents(allow)
    identifiers = collect_identifiers(allow)
    targets = _read_routes(routes or {}, identifiers)
    _check_targets(node, default, targets)
    if not _is_count(limit, 1):
        msg = f"limit must be a whole number of 1 or more; got {limit!r}"
        raise ValueError(msg)

    def send_agents(state: Any) -> list[Send] | str:
        entries = read_entries(state, key, reader="send_agents")
        verdicts = [(entry, allowed(entry)) for entry in entries]
        agents = drop_repeated_calls(entry for entry, is_allowed in verdicts if is_allowed)
        refused = [entry for entry, is_allowed in verdicts if not is_allowed]
        _log_refusals(refused, agents, limit, identifiers or frozenset())
        if not agents:
            return default
        messages = find_question(read_messages(state, messages_key, reader="send_agents"))
        return [
            Send(
                targets.get(identify_agent(entry) or "", node),
                # A copy: a worker may edit its task.
                AgentTask(agent=copy.deepcopy(entry), messages=list(messages)),
            )
            for entry in agents[:limit]
        ]

    nodes = (node, *targets.values())
    contract = NodeContract(reads=(key, messages_key), targets=(*nodes, default), sends=nodes)
    return declare(send_agents, {messages_key: MESSAGES, key: ENTRIES}, contract)


def _read_named_agents(messages: list[Any]) -> Iterator[ExecutableEntry]:
    for message in find_answers(messages):
        yield from parse_executable_data(message.additional_kwargs.get(ENTRIES_KEY))


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _read_routes(routes: Mapping[str, str], identifiers: frozenset[str] | None) -> dict[str, str]:
    targets: dict[str, str] = {}
    for spelling, target in routes.items():
        agent = require_identifier(spelling, "routes")
        if agent in targets:
            msg = f"routes names the agent {agent!r} twice, in two spellings: leave one"
            raise ValueError(msg)
        targets[agent] = target
    for agent, target in targets.items():
        if identifiers is not None and agent not in identifiers:
            msg = (
                f"routes leads the agent {agent!r} to {target!r}, but allow does not hold "
                "it, so it would never be asked: add it to allow, or take it out of routes"
            )
            raise ValueError(msg)
    return targets


def _check_targets(node: object, default: object, targets: Mapping[str, object]) -> None:
    for argument, name in [("node", node), ("default", default), *targets.items()]:
        if not isinstance(name, str) or not name:
            msg = f"{argument} must lead to the name of a node; got {name!r}"
            raise ValueError(msg)
        if name == END and argument != "default":
            msg = f"{argument} leads to END, where no agent can be sent: name a node instead"
            raise ValueError(msg)


def _log_refusals(
    refused: list[ExecutableEntry],
    agents: list[ExecutableEntry],
    limit: int,
    identifiers: frozenset[str],
) -> None:
    if len(agents) > limit:
        logger.warning(
            "ASI:One named %d allowed agents; %d beyond limit=%d were not asked.",
            len(agents),
            len(agents) - limit,
            limit,
        )
    if refused:
        shown = [identify_agent(entry) or "(no sound identifier)" for entry in refused[:limit]]
        logger.info("Refused %d agents that allow does not name: %s", len(refused), shown)
    # An entry of the state may come from a client, in any form.
    by_handle = [(parse_handle(entry.get("handle")), identify_agent(entry)) for entry in refused]
    by_handle = [pair for pair in by_handle if pair[0] in identifiers and pair[1]]
    for handle, address in by_handle[:limit]:
        logger.warning(
            "Refused @%s: allow names its handle, but the entry has the address %s, which decides. "
            "Put the address into allow if you trust it.",
            handle,
            address,
        )
