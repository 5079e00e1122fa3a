"""The question to a human about asking agents, and the answer."""

import copy
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, cast

from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from langchain_asi_one._agent_identity import identify_agent
from langchain_asi_one._json.safe import make_json_safe
from langchain_asi_one.executable_data import ExecutableEntry

logger = logging.getLogger(__name__)

Decision: TypeAlias = Literal["approve", "edit", "reject"]

ACTION_NAME: Final = "ask_agent"
"""Name of the action in each request; never text of the model."""

_FIXED: Final = ("address", "handle", "tool")
_MAX_TEXT: Final = 300


def ask_human(
    entries: Sequence[ExecutableEntry], decisions: tuple[Decision, ...], *, left_out: int = 0
) -> list[ExecutableEntry | None]:
    """Pause the graph until a human has decided on each entry.

    Args:
        entries: Entries to decide on, at least one.
        decisions: The decisions that are allowed.
        left_out: Number of further agents, which are not shown.

    Returns:
        For each entry: the entry, perhaps edited, or `None` if it was rejected.
    """
    requests = [_build_request(entry) for entry in entries]
    config = {"action_name": ACTION_NAME, "allowed_decisions": list(decisions)}
    value: dict[str, Any] = {
        "action_requests": requests,
        "review_configs": [dict(config) for _ in requests],
    }
    if left_out:
        value["left_out"] = left_out
        requests[-1]["description"] += (
            f"\n({left_out} more agents are left out: at most {len(entries)} are asked.)"
        )
    # LangGraph keeps a resume value even if the node raises, and would replay it for ever. So a
    # wrong answer leads to a second interrupt.
    answer = interrupt(value)
    while problem := _find_problem(answer, requests, decisions):
        try:
            answer = interrupt({**value, "error": problem})
        except GraphInterrupt:  # a new answer; those that LangGraph replays are logged already
            logger.warning("review_agents: the answer was not used. %s", problem)
            raise
    decided = zip(entries, answer["decisions"], strict=True)
    return [_apply_decision(entry, decision) for entry, decision in decided]


def _build_request(entry: ExecutableEntry) -> dict[str, Any]:
    args: dict[str, Any] = {name: entry[name] for name in _FIXED if name in entry}
    # In full: a human approves them.
    args["args"] = copy.deepcopy(entry.get("args", {}))
    return {"name": ACTION_NAME, "args": args, "description": _describe(entry)}


def _describe(entry: ExecutableEntry) -> str:
    handle = "" if "address" in entry else "@"
    lines = [f"Ask the agent {handle}{identify_agent(entry)}."]
    for field, title in [("name", "Name"), ("description", "Description")]:
        text = entry.get(field)
        if isinstance(text, str) and text.strip():
            lines.append(f"{title}, by its author: {_quote(text)}")
    problems = entry.get("problems", [])
    lines += [f"Problem: {_quote(problem)}" for problem in problems[:3]]
    if len(problems) > 3:
        lines.append(f"({len(problems) - 3} more problems)")
    return "\n".join(lines)


def _quote(text: str) -> str:
    """Return untrusted text as one quoted line, cut if long.

    Control characters become blanks.
    """
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


def _apply_decision(entry: ExecutableEntry, decision: Mapping[str, Any]) -> ExecutableEntry | None:
    if decision["type"] == "reject":
        return None
    if decision["type"] == "edit":
        args = make_json_safe(dict(decision["edited_action"]["args"]["args"]))
        entry = cast("ExecutableEntry", {**entry, "args": args})
    return entry
