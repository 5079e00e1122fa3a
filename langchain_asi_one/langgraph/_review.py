"""A human's approval before agents are asked: one interrupt in a node."""

from collections.abc import Sequence
from typing import Any, Final, get_args

from langgraph.config import get_config

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one.langgraph._approval import approve
from langchain_asi_one.langgraph._contract import NodeContract, declare
from langchain_asi_one.langgraph._decisions import Decision, ask_human
from langchain_asi_one.langgraph._routable_agents import drop_repeated_calls
from langchain_asi_one.langgraph._state import (
    ENTRIES,
    ENTRIES_KEY,
    MAX_REFUSED,
    REFUSED,
    Node,
    name_refused_key,
    read_entries,
    read_list,
    refuse_agents,
)

_DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)
_CHECKPOINTER: Final = "__pregel_checkpointer"  # in the config that LangGraph gives a node
_UNKNOWN: Final = object()


def review_agents(
    *,
    key: str = ENTRIES_KEY,
    allowed_decisions: Sequence[Decision] = _DECISIONS,
    limit: int | None = None,
) -> Node:
    """Make the node that asks a human before agents are asked.

    It pauses the graph with one `interrupt` for all agents, in the form of LangChain's
    `HumanInTheLoopMiddleware`, which LangChain's clients draw. The graph needs a checkpointer. The
    human sees only entries with a checked address or a sound handle. To show allowed agents only,
    give `executable_data_node` the rule: `keep=allow_agents(...)`.

    Answer with `Command(resume={"decisions": [...]})` and one decision per request, in order:
    `{"type": "approve"}`, `{"type": "reject"}` or `{"type": "edit", "edited_action": {"name":
    "ask_agent", "args": {...}}}`. An edit repeats the request's `args`; only their member `args`
    may differ. Any other answer changes nothing: the graph pauses again, with the reason under
    `error` of the interrupt's value.
    `Command(resume=...)` answers the question that is pending now. If another may have been asked
    meanwhile, answer by the interrupt's id, `Command(resume={interrupt.id: {...}})`: a stale id
    does nothing.

    Args:
        key: State key that `executable_data_node` wrote.
        allowed_decisions: Any of `"approve"`, `"edit"` and `"reject"`; by default all of them.
        limit: Most agents to show, 1 or more, or `None` for any number. Give it the limit of
            `send_agents`, so that nobody approves an agent that is not asked. The last request and
            `left_out` of the interrupt's value say how many are not shown.

    Returns:
        A function named `review_agents`, for `add_node`. It leaves the approved entries in the key,
        and notes the others in the key of refused agents; see `ExecutableDataState`. Without an
        agent to show, it writes `[]` and does not pause.

    Raises:
        ValueError: If `allowed_decisions` is empty or names another decision, or `limit` is below
            1.

    Example:
        >>> review_agents()({"executable_data": []})
        {'executable_data': [], 'executable_data_refused': []}
    """
    decisions = _read_decisions(allowed_decisions)
    _check_limit(limit)

    refused_key = name_refused_key(key)

    def review_agents(state: Any) -> dict[str, Any]:
        _require_checkpointer()
        entries = read_entries(state, key, reader="review_agents")
        agents = drop_repeated_calls(entry for entry in entries if identify_agent(entry))
        shown = agents[:limit]
        excess = agents[len(shown) :]
        decided = ask_human(shown, decisions, left_out=len(excess)) if shown else []
        rejected = [entry for entry, kept in zip(shown, decided, strict=True) if kept is None]
        noted = [
            *refuse_agents(rejected, "rejected"),
            *refuse_agents(excess, "over_limit"),
            *refuse_agents(
                [entry for entry in entries if not identify_agent(entry)], "not_allowed"
            ),
            *read_list(state, refused_key),
        ]
        return {
            key: [approve(entry) for entry in decided if entry is not None],
            refused_key: noted[:MAX_REFUSED],
        }

    keys = {key: ENTRIES, refused_key: REFUSED}
    contract = NodeContract(reads=(key,), writes=(refused_key,))
    return declare(review_agents, keys, contract)


def _require_checkpointer() -> None:
    try:
        configurable = get_config()["configurable"]
    except RuntimeError:  # not in a graph
        return
    if configurable.get(_CHECKPOINTER, _UNKNOWN) is None:
        msg = (
            "a review pauses the graph, and without a checkpointer nobody can resume it: compile "
            "the graph with one, as in create_asi_one_graph(..., review=True, "
            'checkpointer=InMemorySaver()), and run it with {"configurable": {"thread_id": ...}}'
        )
        raise ValueError(msg)


def _check_limit(limit: object) -> None:
    if limit is None:
        return
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        msg = f"limit must be a whole number of 1 or more, or None for any number; got {limit!r}"
        raise ValueError(msg)


def _read_decisions(given: Sequence[Decision]) -> tuple[Decision, ...]:
    decisions = () if isinstance(given, str) else tuple(dict.fromkeys(given))
    if not decisions or not set(decisions) <= set(_DECISIONS):
        msg = f"allowed_decisions must be a list of some of {list(_DECISIONS)}; got {given!r}"
        raise ValueError(msg)
    return decisions
