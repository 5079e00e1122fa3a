"""Convert an answer from a body to a stream and back.

This follows the recorded bodies and the recorded stream alone. It shares no code with the chat
model, so that tests can compare the two.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._responses import DONE, encode_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PIECE = re.compile(r"\s+|\S+\s*")
_NAMED_MESSAGE_FIELDS = frozenset({"role", "content", "reasoning", "reasoning_content"})
_ARGUMENT_PIECE = 16


def render_stream(body: dict[str, Any], *, include_usage: bool = True) -> bytes:
    """Return a completion body as an event stream, ``data: [DONE]`` included.

    A body of the first two wire generations (a ``thought`` list, or an ``id`` that starts with
    ``id_``) becomes a stream like the one recorded in 2025: thought as string deltas, a repeated
    end chunk, the second time with usage. Any other body becomes a stream in the OpenAI form of
    2026: ``reasoning_content`` deltas and a last chunk with usage and ``choices: []``. No stream of
    2026 is published; clients read this form, and the server software emits it. Fields that neither
    form knows go into the end chunk, so nothing of the body is lost.

    Args:
        body: A completion body as the API returns it without ``stream``.
        include_usage: Whether to send usage, as with ``stream_options.include_usage``.
    """
    return b"".join(map(encode_event, render_chunks(body, include_usage=include_usage))) + DONE


def render_chunks(
    body: dict[str, Any],
    *,
    include_usage: bool = True,
    plan_states: Sequence[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return the chunks of `render_stream` as dicts.

    Args:
        body: A completion body.
        include_usage: Whether to send usage.
        plan_states: Growing snapshots of a planner run, sent instead of the body's only one.
    """
    if "thought" in body or str(body.get("id", "")).startswith("id_"):
        return _to_chunks_of_2025(body, include_usage)
    return _to_openai_chunks(body, include_usage, plan_states)


def render_body(stream: bytes) -> dict[str, Any]:
    """Return a stream of 2025 as a completion body of that time.

    The body has ``thought`` as a list, the text in ``message.content``, the last usage and the last
    ``finish_reason``.

    Raises:
        ValueError: The stream carries ``reasoning_content``, or an event is no JSON object.
    """
    chunks = _parse_events(stream)
    content, thought, last = "", "", {}
    usage = finish = None
    extras: dict[str, Any] = {}
    for chunk in chunks:
        choice = (chunk.get("choices") or [{}])[0]
        delta = choice.get("delta") or {}
        if "reasoning_content" in delta:
            msg = (
                "render_body reads streams of 2025; this one carries reasoning_content (2026 form)"
            )
            raise ValueError(msg)
        content += delta.get("content") or ""
        thought += chunk.get("thought") or ""
        usage = chunk.get("usage") or usage
        finish = choice.get("finish_reason") or finish
        last = chunk
        extras |= {k: v for k, v in chunk.items() if k not in _PER_CHUNK}
    message = {"role": "assistant", "content": content, "reasoning": None}
    return {
        "model": last.get("model"),
        "id": last.get("id"),
        **extras,
        "thought": [thought] if thought else [],
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": usage,
    }


_PER_CHUNK = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "thought", "init_thought"}
)


def split_words(text: str) -> list[str]:
    """Split text into words that keep the white space around them.

    Example:
        >>> split_words("one two")
        ['one ', 'two']
    """
    return _PIECE.findall(text)


def _pick(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: body[name] for name in names if name in body}


def _parse_events(stream: bytes) -> list[dict[str, Any]]:
    chunks = []
    for line in stream.decode().split("\n"):
        data = line.removeprefix("data:").strip()
        if line.startswith("data:") and data != "[DONE]":
            chunk = json.loads(data)
            if not isinstance(chunk, dict):
                msg = f"an event of the stream is not a JSON object: {data[:80]!r}"
                raise ValueError(msg)
            chunks.append(chunk)
    return chunks


def _to_openai_chunks(
    body: dict[str, Any], include_usage: bool, plan_states: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    known = _pick(body, "id", "created", "model")
    base = {**known, "object": "chat.completion.chunk"}
    steps = _pick(body, "intermediate_steps") if body.get("intermediate_steps") else {}
    # `plan_state` has chunks of its own only where the snapshots of a run are given.
    apart = {*base, *steps, "choices", "usage", *(["plan_state"] if plan_states else [])}
    rest = {key: value for key, value in body.items() if key not in apart}
    session = _pick(body, "agent_session_id") if plan_states else {}
    chunks: list[dict[str, Any]] = []
    for choice in body.get("choices") or []:
        open_, *middle, end = _to_openai_choices(choice)
        chunks.append({**base, "choices": [open_], "usage": None, **session})
        chunks += (
            {**base, "choices": [open_], "usage": None, "plan_state": p, **session}
            for p in plan_states
        )
        chunks += (
            {**base, "choices": [open_], "usage": None, key: value} for key, value in steps.items()
        )
        chunks += ({**base, "choices": [part], "usage": None} for part in middle)
        chunks.append({**base, "choices": [end], "usage": None, **rest})
        plan_states, steps, rest = (), {}, {}
    if include_usage and body.get("usage") is not None:
        chunks.append({**base, "choices": [], "usage": body["usage"]})
    return chunks


def _to_openai_choices(choice: dict[str, Any]) -> list[dict[str, Any]]:
    message = choice.get("message") or {}
    deltas: list[dict[str, Any]] = [
        {"role": message.get("role", "assistant"), "content": "", "reasoning_content": None}
    ]
    deltas += (
        {"role": None, "content": None, "reasoning_content": piece}
        for piece in split_words(message.get("reasoning_content") or "")
    )
    deltas += (
        {"role": None, "content": piece, "reasoning_content": None}
        for piece in split_words(message.get("content") or "")
    )
    deltas += _to_call_deltas(message.get("tool_calls") or [])
    nothing = {"finish_reason": None, "matched_stop": None, "logprobs": None}
    parts = [{"index": choice.get("index", 0), "delta": delta, **nothing} for delta in deltas]
    skipped = {"message", "delta", "index"}
    closing = {key: value for key, value in choice.items() if key not in skipped}
    named = {*_NAMED_MESSAGE_FIELDS, "tool_calls"} - {"reasoning"}
    rest = {key: value for key, value in message.items() if key not in named}
    end = {"index": choice.get("index", 0), "delta": {"content": None, **rest}, **closing}
    return [*parts, end]


def _to_call_deltas(calls: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = []
    position = 0
    for call in calls:
        function = call.get("function")
        if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
            deltas.append({"content": None, "tool_calls": [call]})
            continue
        text = function["arguments"]
        opened = {**call, "index": position, "function": {**function, "arguments": ""}}
        deltas.append({"content": None, "tool_calls": [opened]})
        for start in range(0, len(text), _ARGUMENT_PIECE):
            part = {"name": None, "arguments": text[start : start + _ARGUMENT_PIECE]}
            more = {"index": position, "id": None, "type": "function", "function": part}
            deltas.append({"content": None, "tool_calls": [more]})
        position += 1
    return deltas


def _to_chunks_of_2025(body: dict[str, Any], include_usage: bool) -> list[dict[str, Any]]:
    base = _pick(body, "id", "model")
    created = body.get("created")
    stamp = {"created": created * 1000 if created < 10**11 else created} if created else {}
    unset = _pick(body, "conversation_id", "tool_thought")
    empties = {key: value for key, value in unset.items() if not value}
    early = _pick(body, "executable_data", "intermediate_steps")
    named = {*base, *empties, *early, "object", "created", "thought", "choices", "usage"}
    rest = {key: value for key, value in body.items() if key not in named}
    choice = (body.get("choices") or [{}])[0]
    message = choice.get("message") or {}
    index = choice.get("index", 0)
    empty = {"role": "assistant", "content": ""}
    unfinished = {"index": index, "finish_reason": None, "stop_reason": None}
    chunks: list[dict[str, Any]] = [
        {
            **base,
            "object": "chat.completion.chunk",
            "choices": [{**unfinished, "delta": empty}],
            **early,
            "usage": None,
        },
        {**base, "choices": [{"role": "assistant", "delta": empty}], "init_thought": True},
        *(
            {**base, **part}
            for part in _to_thought_chunks(body.get("thought"), message.get("reasoning"))
        ),
    ]
    deltas = [{"content": piece} for piece in split_words(message.get("content") or "")]
    deltas += _to_call_deltas(message.get("tool_calls") or [])
    late = {**base, **stamp, **empties}
    chunks += ({**late, "choices": [{**unfinished, "delta": delta}]} for delta in deltas)
    extras = {k: v for k, v in message.items() if k not in {*_NAMED_MESSAGE_FIELDS, "tool_calls"}}
    closing = {key: value for key, value in choice.items() if key not in {"message", "delta"}}
    end = {"stop_reason": choice.get("finish_reason"), **closing, "delta": {**empty, **extras}}
    chunks.append({**late, "choices": [end], **rest})
    if include_usage and body.get("usage") is not None:
        chunks.append({**late, "choices": [end], **rest, "usage": body["usage"]})
    return chunks


def _to_thought_chunks(thought: Any, reasoning: str | None) -> list[dict[str, Any]]:
    items = thought if isinstance(thought, list) else [thought]
    text = "\n".join(item for item in items if isinstance(item, str))
    empty = {"role": "assistant", "content": ""}
    if not (reasoning or "").strip():
        choice = {"role": "assistant", "delta": empty}
        return [{"choices": [choice], "thought": piece} for piece in split_words(text)]
    parts: list[dict[str, Any]] = [
        {"choices": [{"role": "assistant", "delta": {**empty, "reasoning": piece}}]}
        for piece in split_words(reasoning or "")
    ]
    if text:
        parts[0]["thought"] = text
    return parts
