"""What is told of a message, in parts that every form (text, terminal, HTML) lays out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_asi_one._follow_up.rule import is_deferred
from langchain_asi_one._json.printable import one_line, printable
from langchain_asi_one._json.safe import json_safe
from langchain_asi_one.executable_data import ExecutableEntry, get_executable_data

THOUGHT: Final = "Thought"
"""Title of the section that holds the reasoning.

Example:
    >>> THOUGHT
    'Thought'
"""
ANSWER: Final = "Answer"
"""Title of the section that holds the answer.

Example:
    >>> ANSWER
    'Answer'
"""
NO_TEXT: Final = "(no text)"
NO_NAME: Final = "(no name)"
PENDING: Final = "still pending"
STEPS: Final = "Steps"
SERVER_TOOLS: Final = "Tools that ASI:One ran"
ABOUT: Final = "About this answer"

_MOST_SHOWN: Final = 400
_ENTRY_FIELDS: Final = {
    "handle": "handle",
    "address": "address",
    "rating": "rating",
    "tool": "tool",
    "args": "arguments",
    "description": "about",
    "id": "id",
}
_SPEAKERS: Final = {
    "human": "You",
    "system": "System",
    "developer": "System",
    "tool": "Result of a tool",
    "function": "Result of a tool",
}

Form: TypeAlias = Literal["prose", "fields", "numbered", "named"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of a part. All text is safe to print.

    Attributes:
        fields: Label and text; the label is `None` for a value that has none.
        name: What the item is called; `""` if the form gives items no name.
        problems: What is wrong with it.
        status: What became of it in a run: a key of `STATUSES`, or `""`.
    """

    fields: tuple[tuple[str | None, str], ...] = ()
    name: str = ""
    problems: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What stands under one title.

    Attributes:
        title: Ours, never the model's.
        form: How the items are laid out.
        items: At least one.
    """

    title: str
    form: Form
    items: tuple[Item, ...]

    @property
    def text(self) -> str:
        """The text of a part in prose."""
        return "\n".join(text for item in self.items for _, text in item.fields)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one message, or the run itself, tells.

    Attributes:
        speaker: Whose it is: `"answer"`, `"asked"` or `"run"`.
        label: The same for people.
        parts: In the order in which they are read.
        pending: Whether the real answer is still to come.
    """

    speaker: Literal["answer", "asked", "run"]
    label: str
    parts: tuple[Part, ...]
    pending: bool = False


def turn_of(message: BaseMessage) -> Turn:
    """Take any message apart."""
    if isinstance(message, AIMessage):
        own = message.response_metadata.get("model_provider") == "asi-one"
        label = "Answer of ASI:One" if own else "Answer of the model"
        return Turn("answer", label, tuple(message_parts(message)), is_pending(message))
    label = _SPEAKERS.get(message.type, "Other message")
    fields: list[tuple[str | None, str]] = []
    if isinstance(message, ToolMessage):
        about = (("name", message.name), ("id", message.tool_call_id))
        fields = [(name, short(value)) for name, value in about if value]
    items = [Item(tuple(fields))] if fields else []
    parts = [Part(label, "fields", tuple(items))] if items else []
    said = printable(message.text).strip("\n") or _without_text(message)
    title = label if not items else "Result"
    parts.append(prose(title, said))
    return Turn("asked", label, tuple(parts))


def message_parts(message: AIMessage) -> list[Part]:
    """Take an answer apart: the parts that have something to say."""
    extras = {name: json_safe(value) for name, value in message.additional_kwargs.items()}
    entries = get_executable_data(message)
    found: tuple[tuple[str, Form, Iterable[Item]], ...] = (
        (THOUGHT, "prose", _prose(extras.get("thought"))),
        _plan(extras.get("plan_state")),
        (STEPS, "numbered", _numbered(_listed(extras.get("intermediate_steps")))),
        (SERVER_TOOLS, "numbered", _numbered(_listed(extras.get("server_tool_calls")))),
        (ANSWER, "prose", _answer(message)),
        ("Refusal", "prose", _prose(extras.get("refusal"))),
        ("Tools to run", "named", _tool_calls(message)),
        ("Agents named", "named", _entries(entries, "agent")),
        ("Calls named", "named", _entries(entries, "tool_call")),
        ("Also named", "named", _entries(entries, "unknown")),
        (ABOUT, "fields", _about(message)),
    )
    parts = (Part(title, form, tuple(items)) for title, form, items in found)
    return [part for part in parts if part.items]


def is_pending(message: AIMessage) -> bool:
    """Whether an answer only stands in for one to come."""
    return bool(message.response_metadata.get("pending")) or is_deferred(message)


def prose(title: str, text: str) -> Part:
    """Make a part of plain text that is safe to print."""
    return Part(title, "prose", (Item(((None, text),)),))


def entry_item(entry: ExecutableEntry, kind: str = "agent") -> tuple[dict[str, Any], Item]:
    """Tell of an agent or a call: what is told, and the same as an item."""
    known: dict[str, Any] = {"name": None, "problems": [], **entry}
    rating = _rating(entry.get("raw"))
    if rating is not None:
        known["rating"] = rating
    fields = {label: known[name] for name, label in _ENTRY_FIELDS.items() if name in known}
    if "handle" in fields:
        fields["handle"] = f"@{fields['handle']}"
    if kind == "unknown":
        fields["as sent"] = known["raw"]
    name = known["name"] or fields.pop("tool", None)
    return {"name": name, **fields}, _named(name, fields, known["problems"])


def short(value: object) -> str:
    """One line of a value, cut after 400 characters with a note of how many follow."""
    text = one_line(plain(value))
    more = len(text) - _MOST_SHOWN
    return text if more <= 0 else f"{text[:_MOST_SHOWN]}... ({more:,} more characters)"


def plain(value: object) -> str:
    """A text as it is, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(json_safe(value), ensure_ascii=False)


def _without_text(message: BaseMessage) -> str:
    blocks = message.content if isinstance(message.content, list) else []
    kinds = [str(block.get("type", "?")) for block in blocks if isinstance(block, dict)]
    return f"(no text; {short(', '.join(kinds))})" if kinds else NO_TEXT


def _answer(message: AIMessage) -> Iterator[Item]:
    yield from _prose(message.text)
    if not message.text.strip() and not message.tool_calls and not message.invalid_tool_calls:
        yield Item(((None, NO_TEXT),))


def _prose(value: object) -> Iterator[Item]:
    text = printable(value if isinstance(value, str) else "" if value is None else plain(value))
    if text.strip():
        yield Item(((None, text.strip("\n")),))


def _plan(value: object) -> tuple[str, Form, Iterable[Item]]:
    if isinstance(value, dict):
        fields = tuple((one_line(name), short(field)) for name, field in value.items())
        return "Plan", "fields", [Item(fields)] if fields else []
    return "Plan", "numbered", _numbered(_listed(value))


def _numbered(values: Iterable[object]) -> Iterator[Item]:
    for number, value in enumerate(values, start=1):
        if isinstance(value, Mapping) and value:
            # The API may number its steps itself.
            fields = {k: v for k, v in value.items() if (k, v) != ("step", number)}
            yield Item(tuple((one_line(str(key)), short(field)) for key, field in fields.items()))
        else:
            yield Item(((None, short(value)),))


def _tool_calls(message: AIMessage) -> Iterator[Item]:
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        fields = {"arguments": call["args"], "id": call["id"]}
        broken = call.get("type") == "invalid_tool_call"
        error = call.get("error") or "The arguments are not the JSON text of an object."
        yield _named(call["name"], fields, [error] if broken else [])


def _entries(entries: Iterable[ExecutableEntry], kind: str) -> Iterator[Item]:
    shown: list[dict[str, Any]] = []
    for entry in entries:
        told, item = entry_item(entry, kind)
        # A planner run names agents again, with less: no news unless something is wrong.
        again = not item.problems and any(told.items() <= one.items() for one in shown)
        if entry["kind"] == kind and not again:
            shown.append(told)
            yield item


def _rating(raw: object) -> int | float | None:
    agent = raw.get("agent") if isinstance(raw, dict) else None
    for place in (raw, agent):
        rating = place.get("rating") if isinstance(place, dict) else None
        if isinstance(rating, int | float) and not isinstance(rating, bool):
            return rating
    return None


def _named(name: str | None, fields: Mapping[str, Any], problems: Iterable[Any]) -> Item:
    known = tuple((label, short(value)) for label, value in fields.items() if value is not None)
    return Item(known, short(name or NO_NAME) or NO_NAME, tuple(map(short, problems)))


def _about(message: AIMessage) -> Iterator[Item]:
    fields = tuple(_about_fields(message))
    if fields:
        yield Item(fields)


def _about_fields(message: AIMessage) -> Iterator[tuple[str, str]]:
    metadata = message.response_metadata
    for label, name in (("model", "model_name"), ("session", "session_id")):
        if metadata.get(name):
            yield label, short(metadata[name])
    if message.usage_metadata:
        yield "tokens", _tokens(message.usage_metadata)
    reason = metadata.get("finish_reason")
    if reason and reason != "stop":
        cut = " (cut off: max_tokens is used up)" if reason == "length" else ""
        yield "ended by", short(reason) + cut
    if is_pending(message):
        yield PENDING, "ASI:One gives the real answer later, in this session"


def _tokens(usage: UsageMetadata) -> str:
    reasoning = usage.get("output_token_details", {}).get("reasoning")
    output = usage["output_tokens"]
    share = f", {reasoning / output:.0%}" if reasoning and output else ""
    thinking = f" ({reasoning:,} to think{share})" if reasoning else ""
    return (
        f"{usage['input_tokens']:,} in, {output:,} out{thinking}, {usage['total_tokens']:,} in all"
    )


def _listed(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in (None, "", {}) else [value]
