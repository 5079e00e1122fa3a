"""The stand-in's answers to valid requests, made by fixed rules."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._agents import (
    MADE_UP,
    Entries,
    list_agents,
    make_plan_snapshots,
    make_search_steps,
    write_agent_answers,
)
from langchain_asi_one.testing._render import split_words
from langchain_asi_one.testing._responses import to_json
from langchain_asi_one.testing._schema_examples import ExampleMaker
from langchain_asi_one.testing._tool_choice import choose_tools, make_tool_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_asi_one.testing._sessions import Session

MARK = "[local stand-in] "
"""Start of every generated text."""

CREATED = 1768409272
"""``created`` of every generated answer: that of the published sample, so that none varies."""

_DEFERRED = re.compile(r"\[deferred: *(\d{1,6}) *\]")
_POLL = re.compile(r"\s*any update\s*\??\s*", re.IGNORECASE)
_FIELD = re.compile(r"['\"`](\w+)['\"`]")
_END_TOKEN = 151336
_LONGEST_QUESTION = 10_000


@dataclass
class Answer:
    """A completion, with the snapshots of a planner run."""

    body: dict[str, Any]
    plan_states: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Turn:
    content: str
    finish: str = "stop"
    matched: int | str | None = _END_TOKEN
    calls: list[dict[str, Any]] = field(default_factory=list)


def find_last_user_text(payload: dict[str, Any]) -> str:
    """Return the text of the last user message, or ``""``."""
    messages = payload.get("messages")
    users = [
        message
        for message in (messages if isinstance(messages, list) else [])
        if isinstance(message, dict) and message.get("role") == "user"
    ]
    return _join_text(users[-1].get("content")) if users else ""


def make_plain_body(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a fixed short completion, which faults break."""
    turn = _Turn(f"{MARK}This is a short fixed answer, used to show faults.")
    return _make_body(payload, turn, "The stand-in was asked for a fault.", "fault")


def respond(
    payload: dict[str, Any], session: Session, repeat: int, agents: Entries = MADE_UP
) -> Answer:
    """Answer a valid request.

    Args:
        payload: The request body.
        session: The conversation. It is updated.
        repeat: Number of equal requests before this one, so that no id repeats.
        agents: The agents that an answer names.
    """
    text = find_last_user_text(payload)
    key = hashlib.sha256(f"{repeat}|{to_json(payload)}".encode(errors="replace")).hexdigest()
    earlier = list(session.texts)
    by_user = payload["messages"][-1]["role"] == "user"
    if by_user:
        session.add(text)
    reason = f"The user said {text[:80]!r}. A stand-in has no model, so a fixed rule answers."
    question = _take_due_question(session, text) if by_user else _DEFERRED.sub("", text).strip()
    if question is None:
        return Answer(_make_body(payload, _Turn(f"{MARK}I've sent the message"), reason, key))
    turn = _make_turn(payload, session, question, earlier, key, agents)
    if payload.get("web_search"):
        turn.calls.insert(0, _make_search_record(question, key))
    body = _make_body(payload, turn, reason, key)
    if "agent" in question.casefold():
        body["intermediate_steps"] = make_search_steps(question, agents)
        body["executable_data"] = list_agents(agents, with_bad="bad agent" in question.casefold())
    if not payload.get("planner_mode"):
        return Answer(body)
    content = body["choices"][0]["message"]["content"]
    plans = make_plan_snapshots(question, payload.get("agents") or [], content, agents)
    return _add_plan(body, plans, key)


def _take_due_question(session: Session, text: str) -> str | None:
    """Return the question to answer now; ``None`` while it is deferred."""
    if session.question is not None and _POLL.fullmatch(text):
        session.waiting -= 1
        if session.waiting > 0:
            return None
        question, session.question = session.question, None
        return question
    if (marker := _DEFERRED.search(text)) and int(marker[1]) > 0:
        session.waiting = int(marker[1])
        session.question = _DEFERRED.sub("", text).strip()[:_LONGEST_QUESTION]
        return None
    return _DEFERRED.sub("", text).strip()


def _make_turn(
    payload: dict[str, Any],
    session: Session,
    question: str,
    earlier: list[str],
    key: str,
    agents: Entries,
) -> _Turn:
    if tools := choose_tools(payload, question):
        names = ", ".join(tool["name"] for tool in tools)
        ids = (f"call_{hashlib.sha256(f'{key}{n}'.encode()).hexdigest()[:24]}" for n in range(999))
        calls = [
            make_tool_call(tool, question, call) for tool, call in zip(tools, ids, strict=False)
        ]
        return _Turn(f"{MARK}I'll call {names}.", "tool_calls", None, calls)
    form = payload.get("response_format") or {}
    if form.get("type") in ("json_schema", "json_object"):
        return _apply_stop(payload, _Turn(to_json(_make_structured_value(payload, form, question))))
    if results := _read_tool_results(payload["messages"]):
        return _apply_stop(payload, _Turn(f"{MARK}The tools answered: {'; '.join(results)}"))
    if payload.get("planner_mode") and (asked_agents := payload.get("agents")):
        said = write_agent_answers(question, asked_agents, agents)
        return _apply_stop(payload, _Turn(f"{MARK}{said}"))
    if reported := _read_agent_results(question):
        return _apply_stop(payload, _Turn(f"{MARK}The agents answered: {'; '.join(reported)}"))
    asked = question.casefold()
    if "what did i say" in asked or "remember" in asked:
        quoted = "; ".join(f'"{text}"' for text in earlier) or "nothing"
        return _apply_stop(payload, _Turn(f"{MARK}Earlier in this session you said: {quoted}."))
    turn = f"This is turn {session.turns} of the session."
    return _apply_stop(payload, _Turn(f'{MARK}You said: "{question[:400]}". {turn}'))


def _apply_stop(payload: dict[str, Any], turn: _Turn) -> _Turn:
    """Cut the text at the first stop string."""
    stops = payload.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        before, found, _ = turn.content.partition(stop) if stop else ("", "", "")
        if found:
            turn.content, turn.matched = before, stop
    return turn


def _make_structured_value(payload: dict[str, Any], form: dict[str, Any], question: str) -> Any:
    """Return a value for the schema or the prompt's fields."""
    numbers: Iterator[float] = iter(())

    def write_text(name: str) -> str:
        return f"{MARK}{name} for: {question[:60]}"

    if form["type"] == "json_schema":
        schema = (form.get("json_schema") or {}).get("schema") or {}
        return ExampleMaker(schema, write_text, numbers, question).make(schema)
    prompt = " ".join(
        _join_text(m.get("content")) for m in payload["messages"] if m["role"] == "system"
    )
    names = dict.fromkeys(_FIELD.findall(question) or _FIELD.findall(prompt) or ["answer"])
    return {name: write_text(name) for name in names}


def _read_tool_results(messages: list[dict[str, Any]]) -> list[str]:
    """Return the contents of the last tool messages."""
    results: list[str] = []
    for message in reversed(messages):
        if message["role"] != "tool":
            break
        results.insert(0, message["content"])
    return results


def _read_agent_results(question: str) -> list[str]:
    """Return what a graph reports of its agents, a line each."""
    results = []
    for line in question.splitlines():
        if not line.startswith('{"agent": '):
            continue
        try:
            result = json.loads(line)
        except (ValueError, RecursionError):  # a report that was cut
            continue
        said = result.get("error") or result.get("result")
        results.append(said.removeprefix(MARK) if isinstance(said, str) else to_json(said))
    return results


def _make_search_record(question: str, key: str) -> dict[str, Any]:
    """Return the record of a server-side tool, as in the API reference."""
    found = [{"title": f"{MARK}No search was made", "url": "https://example.com/stand-in"}]
    return {
        "id": f"toolcall-{key[:12]}",
        "tool_name": "web_search",
        "args": {"query": question},
        "result": {"results": found},
    }


def _add_plan(body: dict[str, Any], plans: list[dict[str, Any]], key: str) -> Answer:
    body["id"] = f"{key[:8]}-{key[8:12]}-4{key[13:16]}-8{key[17:20]}-{key[20:32]}"
    body["agent_session_id"] = f"agent-session-{key[32:44]}"
    body["plan_state"] = plans[-1]
    return Answer(body, plans)


def _make_body(payload: dict[str, Any], turn: _Turn, reason: str, key: str) -> dict[str, Any]:
    thinking = split_words("" if payload.get("enable_thinking") is False else reason)
    if payload.get("thinking_budget") is not None:
        thinking = thinking[: max(payload["thinking_budget"], 0)]
    words = split_words(turn.content)
    # 0 meant "no limit" in the recording of 2025; thinking counts against the limit.
    limit = payload.get("max_tokens") or 0
    if 0 < limit < len(thinking) + len(words) and not turn.calls:
        thinking = thinking[:limit]
        words = words[: limit - len(thinking)]
        turn.finish, turn.matched = "length", None
    message = {
        "content": "".join(words),
        "refusal": None,
        "role": "assistant",
        "annotations": None,
        "audio": None,
        "function_call": None,
        "tool_calls": turn.calls or None,
        "reasoning_content": "".join(thinking) or None,
    }
    choice = {
        "finish_reason": turn.finish,
        "index": 0,
        "logprobs": None,
        "message": message,
        "matched_stop": turn.matched,
    }
    spent = sum(
        len(split_words(call["function"]["arguments"])) for call in turn.calls if "function" in call
    )
    return {
        "id": hashlib.sha256(key.encode()).hexdigest()[:32],
        "choices": [choice],
        "created": CREATED,
        "model": payload.get("model", "asi1"),
        "object": "chat.completion",
        "service_tier": None,
        "system_fingerprint": None,
        "usage": _count_usage(payload, len(thinking) + len(words) + spent, len(thinking)),
        "metadata": {"stand_in": True},
    }


def _count_usage(payload: dict[str, Any], completion: int, reasoning: int) -> dict[str, Any]:
    prompt = len(split_words(json.dumps([payload.get("messages"), payload.get("tools")])))
    return {
        "completion_tokens": completion,
        "prompt_tokens": prompt,
        "total_tokens": completion + prompt,
        "completion_tokens_details": None,
        "prompt_tokens_details": None,
        "reasoning_tokens": reasoning,
    }


def _join_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return " ".join(
        p["text"] for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)
    )
