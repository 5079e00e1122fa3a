"""The bytes of the benchmarks: which answer a prompt asks for, in the shapes that ASI:One sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

Kind = Literal["text", "json", "tool", "thought", "data", "own", "answer", "extras"]
Form = Literal["burst", "events"]

_TEXT = (
    "the agent found a table for two near Covent Garden and asks whether seven o'clock suits you "
    "because every later slot on Friday is taken, while Saturday has three: 18:30, 19:15, 21:00. "
    "Prices start at £42 per person; the “tasting menu” needs a day's notice, naïve guests forget"
)
WORDS = _TEXT.split()

# What LangChain's classes have no field for, as ASI:One has sent it (docs/wire-format.md).
EXTRAS: dict[str, Any] = {
    "thought": ["t"],
    "intermediate_steps": [{"s": 1}],
    "executable_data": [{"name": "a"}],
    "conversation_id": "c",
    "tool_thought": ["x"],
    "metadata": {"weight_version": "default"},
    "matched_stop": 1,
    "reasoning_content": "r",
    "plan_state": {"status": "completed"},
    "agent_session_id": "s",
}

DATA_BYTES = 1_000_000
_REPEATED_ABOVE, _BLOCK = 200_000, 10_000


@dataclass(frozen=True)
class Prompt:
    """The answer that a request asks for, written as the text of its last message.

    Attributes:
        kind: What the answer consists of.
        amount: Chunks of a stream; characters of a whole answer.
        form: How a stream is sent: all bytes under one content length, or each event as an HTTP
            chunk of its own.
        number: Which of the streams with words of their own; else the megabytes of `data`.
        gate: Chunks after which the server waits for `POST /release`; 0 for none.
    """

    kind: Kind
    amount: int
    form: Form = "burst"
    number: int = 0
    gate: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.form} {self.number} {self.gate}"

    @classmethod
    def parse(cls, text: str) -> Prompt:
        """Read what `str` wrote.

        Raises:
            ValueError: If the text is something else.
        """
        kind, amount, form, number, gate = text.split()
        if kind not in get_args(Kind) or form not in get_args(Form):
            msg = f"no such answer: {text!r}"
            raise ValueError(msg)
        return cls(kind, int(amount), form, int(number), int(gate))  # type: ignore[arg-type]


def word(index: int) -> str:
    """One of many words, so that no two neighbouring chunks are equal."""
    return f" {WORDS[index % len(WORDS)]}"


def own_word(stream: int, index: int) -> str:
    """A word that no other place of no other stream has."""
    return f" {WORDS[index % len(WORDS)]}-{stream}-{index}"


def own_text(stream: int, amount: int) -> str:
    """The whole text of a stream with words of its own."""
    return "".join(own_word(stream, index) for index in range(amount))


def answer_text(characters: int) -> str:
    """A text of that many characters."""
    words = f"{_TEXT} "
    return (words * (characters // len(words) + 1))[:characters]


def executable_data(size: int) -> list[dict[str, Any]]:
    """Entries that take about `size` bytes on the wire."""
    entry = {
        "name": "book_table",
        "agent_address": "agent1q" + "0f3k9w2m5x" * 5 + "abcdefgh",
        "arguments": {"city": "London", "guests": 2, "notes": answer_text(360)},
    }
    length = len(json.dumps(entry))
    return [{**entry, "id": f"entry-{number}"} for number in range(max(1, size // length))]


def _event(delta: dict[str, Any], finish: str | None = None, **extra: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "ec3e76554baa4ebb838173e7f32fdb94",
        "object": "chat.completion.chunk",
        "created": 1768409272,
        "model": "asi1",
        "choices": [choice],
        **extra,
    }
    text = json.dumps(chunk, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode()


def _call(arguments: str, **extra: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": 0, "function": {**extra, "arguments": arguments}}]}


def _opened_call(name: str) -> dict[str, Any]:
    delta = _call("", name=name)
    delta["tool_calls"][0] |= {"id": "call_0123456789abcdef01234567", "type": "function"}
    return delta


def _structured_parts(amount: int) -> list[str]:
    """A JSON object that fits `{title: str, text: str}`, in that many parts."""
    inner = [json.dumps(word(index))[1:-1] for index in range(amount - 2)]
    return ['{"title": "A table", "text": "', *inner, '"}']


def _deltas(prompt: Prompt) -> Iterator[dict[str, Any]]:
    amount = prompt.amount
    if prompt.kind == "thought":
        yield from ({"reasoning_content": word(index)} for index in range(amount))
    elif prompt.kind == "tool":
        yield from (_call(part) for part in _structured_parts(amount))
    elif prompt.kind == "json":
        yield from ({"content": part} for part in _structured_parts(amount))
    elif prompt.kind == "own":
        yield from ({"content": own_word(prompt.number, index)} for index in range(amount))
    else:
        yield from ({"content": word(index)} for index in range(amount))


def _opening(prompt: Prompt) -> list[bytes]:
    opener: dict[str, Any] = {"role": "assistant", "content": ""}
    if prompt.kind == "tool":
        # Structured output by a tool call names the schema; see peers.Answer.
        opener |= _opened_call("Answer")
    events = [_event(opener)]
    if prompt.kind == "text":
        events.append(_event({"content": ""}, thought="Which agents can book a table?"))
    return events


def _ending(prompt: Prompt) -> list[bytes]:
    extra: dict[str, Any] = {}
    if prompt.kind == "text":
        extra = {
            "intermediate_steps": [{"agent": "agent1q", "step": "searched the Almanac"}],
            "executable_data": executable_data(600),
        }
    elif prompt.kind == "data":
        extra = {"executable_data": executable_data(DATA_BYTES * max(1, prompt.number))}
    usage = {
        "prompt_tokens": 2105,
        "completion_tokens": prompt.amount,
        "total_tokens": 2105 + prompt.amount,
        "reasoning_tokens": 0,
    }
    finish = "tool_calls" if prompt.kind == "tool" else "stop"
    return [_event({"content": ""}, finish, **extra, usage=usage), b"data: [DONE]\n\n"]


@lru_cache(maxsize=2048)
def stream_parts(prompt: Prompt) -> tuple[bytes, ...]:
    """The body of a stream, to be sent one after the other.

    Two parts if there is a gate; else as few as memory allows, the blocks of a long one repeated.
    """
    deltas = _deltas(prompt)
    if prompt.amount > _REPEATED_ABOVE and not prompt.gate:
        block = b"".join(_event(delta) for _, delta in zip(range(_BLOCK), deltas, strict=False))
        parts = [block] * (prompt.amount // _BLOCK)
        return (*_opening(prompt), *parts, *_ending(prompt))
    events = [*_opening(prompt), *(_event(delta) for delta in deltas), *_ending(prompt)]
    if prompt.form == "events":
        events = [b"%x\r\n%b\r\n" % (len(event), event) for event in events] + [b"0\r\n\r\n"]
    if not prompt.gate:
        return (b"".join(events),)
    first = prompt.gate + len(_opening(prompt))
    return b"".join(events[:first]), b"".join(events[first:])


@lru_cache(maxsize=16)
def whole_body(prompt: Prompt) -> bytes:
    """The body of an answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": answer_text(prompt.amount)}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    extra: dict[str, Any] = {
        "thought": ["Which agents can book a table?"],
        "intermediate_steps": [{"agent": "agent1q", "step": "searched the Almanac"}],
        "executable_data": executable_data(600),
        "metadata": {"weight_version": "default"},
    }
    if prompt.kind == "extras":
        extra = dict(EXTRAS)
        message["reasoning_content"] = extra.pop("reasoning_content")
        choice["matched_stop"] = extra.pop("matched_stop")
    body = {
        "id": "ec3e76554baa4ebb838173e7f32fdb94",
        "object": "chat.completion",
        "created": 1768409272,
        "model": "asi1",
        "choices": [choice],
        "service_tier": None,
        "system_fingerprint": None,
        "usage": {"prompt_tokens": 2105, "completion_tokens": 149, "total_tokens": 2254},
        **extra,
    }
    return json.dumps(body, ensure_ascii=False).encode()
