"""What a message of `ChatASIOne` says, as text for people.

`format_message` gives plain text for a terminal, a log or a notebook. `sections` is what it is
made of; the command `python -m langchain_asi_one` draws the same sections with or without colour,
so both forms tell the same. All text is made safe to print: a model that read a hostile page can
neither move the cursor nor hide or reorder what is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from langchain_core.messages import AIMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_asi_one._json_safe import json_safe
from langchain_asi_one._printable import Flow, columns, one_line, printable
from langchain_asi_one.executable_data import ExecutableEntry, get_executable_data

__all__ = ["ANSWER", "THOUGHT", "Line", "Section", "format_message", "sections"]

THOUGHT: Final = "Thought"
ANSWER: Final = "Answer"
NARROWEST: Final = 20
"""Fewest columns to wrap to."""

_MARGIN: Final = "  "
_NO_TEXT: Final = "(no text)"
_MOST_SHOWN: Final = 400
_WIDEST_LABEL: Final = 16
_ENTRY_FIELDS: Final = {
    "handle": "handle",
    "address": "address",
    "tool": "tool",
    "args": "arguments",
    "description": "about",
    "id": "id",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a section, safe to print.

    Attributes:
        text: The text; only thought and answer hold newlines.
        label: What it is, padded so that neighbours line up; `""` for none.
        role: `"name"` begins an item, `"problem"` says what is wrong, else `"text"`.
    """

    text: str
    label: str = ""
    role: Literal["text", "name", "problem"] = "text"

    @property
    def start(self) -> str:
        """What stands before the text in its first line."""
        return _MARGIN + self.label

    def wrapped(self, width: int | None) -> str:
        """Lay the line out.

        Args:
            width: Columns to wrap to; `None` wraps nothing.

        Returns:
            `start` and the text, without a newline at the end.
        """
        flow = Flow(width=width, first=self.start, rest=" " * columns(self.start))
        return flow.feed(self.text) + flow.close()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a message under a title of its own.

    Attributes:
        title: What the part is.
        lines: At least one.
    """

    title: str
    lines: tuple[Line, ...]


def format_message(message: AIMessage, *, width: int | None = None) -> str:
    """Write a message as plain text: all that ASI:One said, in the order in which it happened.

    Thought, steps, answer and agents are shown as they are; the value of a step, of a tool's
    argument or of its result is cut after 400 characters, with a note of how many follow.

    Args:
        message: A message of `ChatASIOne`; of any other model, what it has in common.
        width: Columns to wrap to, 20 or more; `None` wraps nothing. Long words are not broken.

    Returns:
        Lines under titles; no control character but the newline, and none at the end.

    Raises:
        ValueError: If `width` is below 20.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> thought = {"thought": "A greeting."}
        >>> print(format_message(AIMessage("Hello!", additional_kwargs=thought)))
        Thought
          A greeting.
        <BLANKLINE>
        Answer
          Hello!
    """
    if width is not None and width < NARROWEST:
        msg = f"width must be {NARROWEST} columns or more, or None to wrap nothing; got {width!r}."
        raise ValueError(msg)
    return "\n\n".join(
        "\n".join([section.title, *(line.wrapped(width) for line in section.lines)]).rstrip("\n")
        for section in sections(message)
    )


def sections(message: AIMessage) -> list[Section]:
    """Take a message apart into what people read.

    Args:
        message: A message of `ChatASIOne`; of any other model, what it has in common.

    Returns:
        The sections that have something to say, thought first and token counts last.
    """
    extras = {name: json_safe(value) for name, value in message.additional_kwargs.items()}
    entries = get_executable_data(message)
    found = (
        (THOUGHT, _prose(extras.get("thought"))),
        ("Plan", _plan(extras.get("plan_state"))),
        ("Steps", _items(_listed(extras.get("intermediate_steps")))),
        ("Tools that ASI:One ran", _items(_listed(extras.get("server_tool_calls")))),
        (ANSWER, _answer(message)),
        ("Refusal", _prose(extras.get("refusal"))),
        ("Tools to run", _tool_calls(message)),
        ("Agents named", _entries(entries, "agent")),
        ("Calls named", _entries(entries, "tool_call")),
        ("Also named", _entries(entries, "unknown")),
        ("About this answer", _labelled(_about(message))),
    )
    return [
        Section(title, lines)
        for title, lines in ((title, tuple(made)) for title, made in found)
        if any(line.wrapped(None).strip() for line in lines)
    ]


def _answer(message: AIMessage) -> Iterator[Line]:
    yield from _prose(message.text)
    if not message.text.strip() and not message.tool_calls and not message.invalid_tool_calls:
        yield Line(_NO_TEXT)


def _prose(value: object) -> Iterator[Line]:
    text = printable(value if isinstance(value, str) else "" if value is None else _plain(value))
    if text.strip():
        yield Line(text.strip("\n"))


def _plan(value: object) -> Iterator[Line]:
    if isinstance(value, dict):
        return _labelled((name, _short(field)) for name, field in value.items())
    return _items(_listed(value))


def _items(values: Iterable[object]) -> Iterator[Line]:
    """Number the values; the fields of an object stand below each other."""
    for number, value in enumerate(values, start=1):
        bullet = f"{number}. "
        if isinstance(value, Mapping) and value:
            # The API may number its steps itself.
            fields = {k: v for k, v in value.items() if (k, v) != ("step", number)}
            lines = _labelled((key, _short(field)) for key, field in fields.items())
        else:
            lines = iter([Line(_short(value))])
        for place, line in enumerate(lines):
            yield Line(line.text, (bullet if not place else " " * len(bullet)) + line.label)


def _labelled(pairs: Iterable[tuple[str, str]]) -> Iterator[Line]:
    safe = [(one_line(label), text) for label, text in pairs]
    pad = min(max((columns(label) for label, _ in safe), default=0), _WIDEST_LABEL)
    for label, text in safe:
        yield Line(text, label + " " * max(pad - columns(label), 0) + "  ")


def _tool_calls(message: AIMessage) -> Iterator[Line]:
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        fields = {"arguments": call["args"], "id": call["id"]}
        broken = call.get("type") == "invalid_tool_call"
        error = call.get("error") or "The arguments are not the JSON text of an object."
        yield from _named(call["name"], fields, [error] if broken else [])


def _entries(entries: Iterable[ExecutableEntry], kind: str) -> Iterator[Line]:
    shown: list[dict[str, Any]] = []
    for entry in entries:
        known: dict[str, Any] = {"name": None, "problems": [], **entry}
        fields = {label: known[name] for name, label in _ENTRY_FIELDS.items() if name in known}
        if "handle" in fields:
            fields["handle"] = f"@{fields['handle']}"
        if kind == "unknown":
            fields["as sent"] = known["raw"]
        name = known["name"] or fields.pop("tool", None)
        told = {"name": name, **fields}
        # A planner run names agents again, with less: no news unless something is wrong.
        again = not known["problems"] and any(told.items() <= one.items() for one in shown)
        if known["kind"] == kind and not again:
            shown.append(told)
            yield from _named(name, fields, known["problems"])


def _named(name: str | None, fields: Mapping[str, Any], problems: Iterable[Any]) -> Iterator[Line]:
    yield Line(_short(name or "(no name)"), role="name")
    known = ((label, _short(value)) for label, value in fields.items() if value is not None)
    for line in _labelled(known):
        yield Line(line.text, _MARGIN + line.label)
    for problem in problems:
        yield Line(_short(problem), _MARGIN + "! ", "problem")


def _about(message: AIMessage) -> Iterator[tuple[str, str]]:
    metadata = message.response_metadata
    for label, name in (("model", "model_name"), ("session", "session_id")):
        if metadata.get(name):
            yield label, _short(metadata[name])
    if message.usage_metadata:
        yield "tokens", _tokens(message.usage_metadata)
    reason = metadata.get("finish_reason")
    if reason and reason != "stop":
        cut = " (cut off: max_tokens is used up)" if reason == "length" else ""
        yield "ended by", _short(reason) + cut


def _tokens(usage: UsageMetadata) -> str:
    reasoning = usage.get("output_token_details", {}).get("reasoning")
    thinking = f" ({reasoning:,} to think)" if reasoning else ""
    return (
        f"{usage['input_tokens']:,} in, {usage['output_tokens']:,} out{thinking}, "
        f"{usage['total_tokens']:,} in all"
    )


def _listed(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in (None, "", {}) else [value]


def _short(value: object) -> str:
    text = one_line(_plain(value))
    more = len(text) - _MOST_SHOWN
    return text if more <= 0 else f"{text[:_MOST_SHOWN]}... ({more:,} more characters)"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(json_safe(value), ensure_ascii=False)
