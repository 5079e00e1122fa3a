"""A human's approval before agents are asked: one interrupt, in a node of its own."""

import copy
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast, get_args

from langgraph.types import interrupt

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one._json.safe import json_safe
from langchain_asi_one.executable_data import ExecutableEntry
from langchain_asi_one.langgraph._allow import drop_repeated_agents
from langchain_asi_one.langgraph._contract import NodeContract, declare
from langchain_asi_one.langgraph._state import ENTRIES, ENTRIES_KEY, Node, read_entries

logger = logging.getLogger(__name__)

Decision: TypeAlias = Literal["approve", "edit", "reject"]

ACTION_NAME: Final = "ask_agent"
"""Name of the action in each request; never text of the model."""

_DECISIONS: Final[tuple[Decision, ...]] = get_args(Decision)
_FIXED: Final = ("address", "handle", "tool")
_MAX_TEXT: Final = 300


def review_agents(
    *,
    key: str = ENTRIES_KEY,
    allowed_decisions: Sequence[Decision] = ("approve", "reject"),
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
        allowed_decisions: Any of `"approve"`, `"edit"` and `"reject"`.
        limit: Most agents to show, 1 or more, or `None` for any number. Give it the limit of
            `send_agents`, so that nobody approves an agent that is not asked. The last request and
            `left_out` of the interrupt's value say how many are not shown.

    Returns:
        A function named `review_agents`, for `add_node`. It leaves the approved entries in the key.
        Without an agent to show, it writes `[]` and does not pause.

    Raises:
        ValueError: If `allowed_decisions` is empty or names another decision, or `limit` is below
            1.

    Example:
        >>> review_agents()({"executable_data": []})
        {'executable_data': []}
    """
    decisions = _read_decisions(allowed_decisions)
    _check_limit(limit)

    def review_agents(state: Any) -> dict[str, Any]:
        entries = read_entries(state, key, reader="review_agents")
        agents = drop_repeated_agents(entry for entry in entries if identify_agent(entry))
        if not agents:
            return {key: []}
        shown = agents[:limit]
        left_out = len(agents) - len(shown)
        requests = [_build_request(entry) for entry in shown]
        config = {"action_name": ACTION_NAME, "allowed_decisions": list(decisions)}
        value: dict[str, Any] = {
            "action_requests": requests,
            "review_configs": [dict(config) for _ in requests],
        }
        if left_out:
            value["left_out"] = left_out
            requests[-1]["description"] += (
                f"\n({left_out} more agents are left out: at most {limit} are asked.)"
            )
        # LangGraph keeps a resume value even if the node raises, and would replay it for ever. So
        # a wrong answer leads to a second interrupt.
        answer = interrupt(value)
        while problem := _find_problem(answer, requests, decisions):
            logger.warning("review_agents: the answer was not used. %s", problem)
            answer = interrupt({**value, "error": problem})
        decided = zip(shown, answer["decisions"], strict=True)
        return {
            key: [
                _apply_decision(entry, decision)
                for entry, decision in decided
                if decision["type"] != "reject"
            ]
        }

    return declare(review_agents, {key: ENTRIES}, NodeContract(reads=(key,)))


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


def _build_request(entry: ExecutableEntry) -> dict[str, Any]:
    args: dict[str, Any] = {name: entry[name] for name in _FIXED if name in entry}
    # In full: a human approves them.
    args["args"] = copy.deepcopy(entry.get("args", {}))
    return {"name": ACTION_NAME, "args": args, "description": _describe(entry)}


def _describe(entry: ExecutableEntry) -> str:
    parts = [f"Ask the agent {identify_agent(entry)}."]
    for field, title in [("name", "Name"), ("description", "Description")]:
        text = entry.get(field)
        if isinstance(text, str) and text.strip():
            parts.append(f"{title}, by its author: {_quote(text)}")
    problems = entry.get("problems", [])
    parts += [f"Problem: {_quote(problem)}" for problem in problems[:3]]
    if len(problems) > 3:
        parts.append(f"({len(problems) - 3} more problems)")
    return "\n".join(parts)


def _quote(text: str) -> str:
    """Return untrusted text as one quoted line, without control characters, cut if long."""
    beginning = text[: 4 * _MAX_TEXT]
    line = " ".join("".join(c if c.isprintable() else " " for c in beginning).split())
    cut = len(line) > _MAX_TEXT or len(text) > len(beginning)
    return json.dumps(f"{line[:_MAX_TEXT]}…" if cut else line, ensure_ascii=False)


def _find_problem(
    answer: Any, requests: list[dict[str, Any]], decisions: tuple[Decision, ...]
) -> str | None:
    given = answer.get("decisions") if isinstance(answer, Mapping) else None
    if not isinstance(given, list):
        return 'Answer with {"decisions": [...]}, one decision per action request.'
    if len(given) != len(requests):
        return f"{len(requests)} action requests need as many decisions; got {len(given)}."
    for number, (decision, request) in enumerate(zip(given, requests, strict=True), start=1):
        kind = decision.get("type") if isinstance(decision, Mapping) else None
        if kind not in decisions:
            return (
                f"Decision {number} must have a `type` that is one of {list(decisions)}; "
                f"got {_quote(repr(kind))}."
            )
        wrong = _find_edit_problem(decision, request) if kind == "edit" else None
        if wrong:
            return f"Decision {number}: {wrong}"
    return None


def _find_edit_problem(decision: Mapping[str, Any], request: dict[str, Any]) -> str | None:
    action = decision.get("edited_action")
    args = action.get("args") if isinstance(action, Mapping) else None
    if not isinstance(action, Mapping) or not isinstance(args, Mapping):
        return 'an edit needs "edited_action": {"name": ..., "args": {...}}.'
    if action.get("name") != ACTION_NAME:
        return f"an edit cannot change the action's name, {ACTION_NAME!r}."
    before = request["args"]
    changed = sorted(
        str(name)
        for name in args.keys() | before.keys()
        if name != "args" and args.get(name) != before.get(name)
    )
    if changed:
        return (
            f"an edit may change `args` only, but {', '.join(map(_quote, changed))} differs; to "
            "ask another agent, reject this one."
        )
    return None if isinstance(args.get("args"), Mapping) else "`args` must be an object."


def _apply_decision(entry: ExecutableEntry, decision: Mapping[str, Any]) -> ExecutableEntry:
    if decision["type"] != "edit":
        return entry
    edited = {**entry, "args": json_safe(dict(decision["edited_action"]["args"]["args"]))}
    return cast("ExecutableEntry", edited)
