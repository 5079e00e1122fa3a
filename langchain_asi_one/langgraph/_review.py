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
from langchain_asi_one.langgraph._allow import distinct_agents
from langchain_asi_one.langgraph._contract import NodeContract, declare
from langchain_asi_one.langgraph._state import ENTRIES, ENTRIES_KEY, Node, entries_of

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
    `HumanInTheLoopMiddleware`, which its clients draw, and does nothing else. The graph needs a
    checkpointer. Only entries with a checked address or sound handle are shown: no other can be
    asked. To be asked about allowed agents only, give `executable_data_node` the rule:
    `keep=allow_agents(...)`.

    The answer is `Command(resume={"decisions": [...]})` with one decision per request, in order:
    `{"type": "approve"}`, `{"type": "reject"}` or `{"type": "edit", "edited_action": {"name":
    "ask_agent", "args": {...}}}`, where only the member `args` of the request's `args` may differ.
    An answer of any other form changes nothing: the graph pauses again, with the reason under
    `error` of the interrupt's value, so that it can be answered again.
    `Command(resume=...)` answers whatever is pending now; where another question may have been
    asked meanwhile, answer by the interrupt's id, `Command(resume={interrupt.id: {...}})`, which
    does nothing once that interrupt is stale.

    Args:
        key: State key that `executable_data_node` wrote.
        allowed_decisions: Any of `"approve"`, `"edit"` and `"reject"`.
        limit: Most agents to ask about, 1 or more, or `None` for any number: that of `send_agents`,
            so that nobody approves what is not asked. How many were left out is told in the last
            request and under `left_out` of the interrupt's value.

    Returns:
        A function named `review_agents`, for `add_node`. Afterwards the key holds what was approved
        and nothing else; without anything to show it is `[]`, and there is no pause.

    Raises:
        ValueError: If `allowed_decisions` is empty or names another decision, or `limit` is below
            1.

    Example:
        >>> review_agents()({"executable_data": []})
        {'executable_data': []}
    """
    decisions = _checked_decisions(allowed_decisions)
    _check_limit(limit)

    def review_agents(state: Any) -> dict[str, Any]:
        entries = entries_of(state, key, part="review_agents")
        agents = distinct_agents(entry for entry in entries if identify_agent(entry))
        if not agents:
            return {key: []}
        shown = agents[:limit]
        left_out = len(agents) - len(shown)
        requests = [_request(entry) for entry in shown]
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
        # LangGraph keeps a resume value even if the node raises, and would replay it for ever:
        # a wrong answer is therefore answered by asking again.
        answer = interrupt(value)
        while problem := _problem(answer, requests, decisions):
            logger.warning("review_agents: the answer was not used. %s", problem)
            answer = interrupt({**value, "error": problem})
        judged = zip(shown, answer["decisions"], strict=True)
        return {
            key: [_decided(entry, choice) for entry, choice in judged if choice["type"] != "reject"]
        }

    return declare(review_agents, {key: ENTRIES}, NodeContract(reads=(key,)))


def _check_limit(limit: object) -> None:
    if limit is None:
        return
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        msg = f"limit must be a whole number of 1 or more, or None for any number; got {limit!r}"
        raise ValueError(msg)


def _checked_decisions(given: Sequence[Decision]) -> tuple[Decision, ...]:
    decisions = () if isinstance(given, str) else tuple(dict.fromkeys(given))
    if not decisions or not set(decisions) <= set(_DECISIONS):
        msg = f"allowed_decisions must be a list of some of {list(_DECISIONS)}; got {given!r}"
        raise ValueError(msg)
    return decisions


def _request(entry: ExecutableEntry) -> dict[str, Any]:
    args: dict[str, Any] = {name: entry[name] for name in _FIXED if name in entry}
    # In full: nobody can approve what is not shown.
    args["args"] = copy.deepcopy(entry.get("args", {}))
    return {"name": ACTION_NAME, "args": args, "description": _description(entry)}


def _description(entry: ExecutableEntry) -> str:
    parts = [f"Ask the agent {identify_agent(entry)}."]
    for field, title in [("name", "Name"), ("description", "Description")]:
        text = entry.get(field)
        if isinstance(text, str) and text.strip():
            parts.append(f"{title}, by its author: {_plain(text)}")
    problems = entry.get("problems", [])
    parts += [f"Problem: {_plain(problem)}" for problem in problems[:3]]
    if len(problems) > 3:
        parts.append(f"({len(problems) - 3} more problems)")
    return "\n".join(parts)


def _plain(text: str) -> str:
    """Text of a stranger as one line without control and direction characters, truncated."""
    beginning = text[: 4 * _MAX_TEXT]
    line = " ".join("".join(c if c.isprintable() else " " for c in beginning).split())
    cut = len(line) > _MAX_TEXT or len(text) > len(beginning)
    return json.dumps(f"{line[:_MAX_TEXT]}…" if cut else line, ensure_ascii=False)


def _problem(
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
                f"got {_plain(repr(kind))}."
            )
        wrong = _edit_problem(decision, request) if kind == "edit" else None
        if wrong:
            return f"Decision {number}: {wrong}"
    return None


def _edit_problem(decision: Mapping[str, Any], request: dict[str, Any]) -> str | None:
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
            f"an edit may change `args` only, but {', '.join(map(_plain, changed))} differs; to "
            "ask another agent, reject this one."
        )
    return None if isinstance(args.get("args"), Mapping) else "`args` must be an object."


def _decided(entry: ExecutableEntry, decision: Mapping[str, Any]) -> ExecutableEntry:
    if decision["type"] != "edit":
        return entry
    edited = {**entry, "args": json_safe(dict(decision["edited_action"]["args"]["args"]))}
    return cast("ExecutableEntry", edited)
