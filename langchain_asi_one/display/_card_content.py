"""What a card shows of a message: its sections and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from langchain_asi_one._follow_up.pending_rule import is_deferred
from langchain_asi_one._json.printable import make_printable
from langchain_asi_one._json.safe import make_json_safe
from langchain_asi_one._response.fields import OWN_FIELDS
from langchain_asi_one.display._agent_answer import is_agent_answer, list_agent_fields
from langchain_asi_one.display._pictures import list_picture_rows
from langchain_asi_one.display._sections import (
    ABOUT,
    ANSWER,
    PENDING_LABEL,
    THOUGHT,
    Form,
    MessageView,
    Row,
    Section,
    shorten,
    to_text,
)
from langchain_asi_one.display._steps import list_step_rows, read_plan
from langchain_asi_one.executable_data import ExecutableEntry, get_executable_data

MAX_ROWS: Final = 1_000
"""Most rows of a section: an answer may name any number of agents."""
UNSHOWN: Final = Row(())
"""A row beyond `MAX_ROWS`, which is only counted."""
PICTURES: Final = "Pictures"
PLAN: Final = "Plan"
TASKS: Final = "Tasks of the plan"
NO_TEXT: Final = "(no text)"
NO_NAME: Final = "(no name)"

_ENTRY_FIELDS: Final = {
    "handle": "handle",
    "address": "address",
    "rating": "rating",
    "tool": "tool",
    "args": "arguments",
    "description": "about",
    "id": "id",
}
_FIELDS: Final = ("thought", "server_tool_calls", "refusal", *OWN_FIELDS)
# Fields with sections of their own form, or whose entries have.
_WITH_FORM: Final = frozenset(("plan_state", "intermediate_steps", "executable_data"))

_WAITING: Final = "Still pending: ASI:One gives the real answer later, in this session."
_SPEAKERS: Final = {
    "human": "You",
    "system": "System",
    "developer": "System",
    "tool": "Result of a tool",
    "function": "Result of a tool",
}


def view_message(message: BaseMessage, entries: list[ExecutableEntry] | None = None) -> MessageView:
    """Return the view of any message.

    Args:
        message: The message.
        entries: What `get_executable_data` reads in it, if that is known.
    """
    if isinstance(message, AIMessage):
        own = message.response_metadata.get("model_provider") == "asi-one"
        label = "Answer of ASI:One" if own else "Answer of the model"
        if is_agent_answer(message.response_metadata):
            label = "Answer of an agent, a third party"
        waiting = _WAITING if is_pending(message) else ""
        return MessageView("answer", label, tuple(list_answer_sections(message, entries)), waiting)
    label = _SPEAKERS.get(message.type, "Other message")
    fields: list[tuple[str | None, str]] = []
    if isinstance(message, ToolMessage):
        about = (("name", message.name), ("id", message.tool_call_id))
        fields = [(name, shorten(value)) for name, value in about if value]
    rows = [Row(tuple(fields))] if fields else []
    sections = [Section(label, "fields", tuple(rows))] if rows else []
    text = make_printable(message.text).strip("\n") or _name_blocks(message)
    title = label if not rows else "Result"
    pictures = tuple(list_picture_rows(message))
    if message.text.strip() or not pictures:
        sections.append(make_text_section(title, text))
        title = PICTURES
    if pictures:
        sections.append(Section(title, "pictures", pictures))
    return MessageView("asked", label, tuple(sections))


def list_answer_sections(
    message: AIMessage, entries: list[ExecutableEntry] | None = None
) -> list[Section]:
    """Return the sections of an answer that are not empty; see `view_message`."""
    # Of what is named, the entries are shown, which are made safe as they are read.
    sent = {**message.additional_kwargs, "executable_data": None}
    fields = {name: make_json_safe(sent.get(name)) for name in _FIELDS}
    entries = get_executable_data(message) if entries is None else entries
    found: tuple[tuple[str, Form, Iterable[Row]], ...] = (
        (THOUGHT, "prose", _list_text_rows(fields.get("thought"))),
        *_list_plan_parts(fields.get("plan_state")),
        ("Steps", "numbered", list_step_rows(_to_list(fields.get("intermediate_steps")))),
        (
            "Tools that ASI:One ran",
            "numbered",
            list_step_rows(_to_list(fields.get("server_tool_calls"))),
        ),
        *(
            (
                name.replace("_", " ").capitalize(),
                "numbered",
                list_step_rows(_to_list(fields[name])),
            )
            for name in OWN_FIELDS
            if name not in _WITH_FORM
        ),
        (ANSWER, "prose", _list_answer_rows(message)),
        (PICTURES, "pictures", list_picture_rows(message)),
        ("Refusal", "prose", _list_text_rows(fields.get("refusal"))),
        ("Tools to run", "named", _list_call_rows(message)),
        ("Agents named", "named", _list_entry_rows(entries, "agent")),
        ("Calls named", "named", _list_entry_rows(entries, "tool_call")),
        ("Also named", "named", _list_entry_rows(entries, "unknown")),
        (ABOUT, "fields", _list_about_rows(message)),
    )
    sections = (Section(title, form, tuple(limit_rows(rows))) for title, form, rows in found)
    return [section for section in sections if section.rows]


def list_plan_sections(plan: object) -> list[Section]:
    """Return the sections of a plan that are not empty."""
    found = _list_plan_parts(make_json_safe(plan))
    sections = (Section(title, form, tuple(limit_rows(rows))) for title, form, rows in found)
    return [section for section in sections if section.rows]


def _list_plan_parts(plan: object) -> tuple[tuple[str, Form, Iterable[Row]], ...]:
    fields, tasks = read_plan(plan)
    return ((PLAN, "fields", [Row(fields)] if fields else []), (TASKS, "numbered", tasks))


def is_pending(message: AIMessage) -> bool:
    """Return whether the real answer comes later."""
    return bool(message.response_metadata.get("pending")) or is_deferred(message)


def make_text_section(title: str, text: str) -> Section:
    """Return a section of one text, which must be safe to print."""
    return Section(title, "prose", (Row(((None, text),)),))


def describe_entry(entry: ExecutableEntry, kind: str = "agent") -> tuple[dict[str, Any], Row]:
    """Return the shown fields of an entry, raw and as a `Row`."""
    name, fields = _read_entry(entry, kind)
    row = _make_named_row(name, fields, entry.get("problems", ()))
    return {"name": name, **fields}, row


def _read_entry(entry: ExecutableEntry, kind: str) -> tuple[Any, dict[str, Any]]:
    known: dict[str, Any] = {"name": None, **entry}
    rating = _read_rating(entry.get("raw"))
    if rating is not None:
        known["rating"] = rating
    fields = {label: known[name] for name, label in _ENTRY_FIELDS.items() if name in known}
    if "handle" in fields:
        fields["handle"] = f"@{fields['handle']}"
    if kind == "unknown":
        fields["as sent"] = known["raw"]
    return known["name"] or fields.pop("tool", None), fields


def _name_blocks(message: BaseMessage) -> str:
    blocks = message.content if isinstance(message.content, list) else []
    kinds = [str(block.get("type", "?")) for block in blocks if isinstance(block, dict)]
    return f"(no text; {shorten(', '.join(kinds))})" if kinds else NO_TEXT


def _list_answer_rows(message: AIMessage) -> Iterator[Row]:
    yield from _list_text_rows(message.text)
    if not message.text.strip() and not message.tool_calls and not message.invalid_tool_calls:
        yield Row(((None, NO_TEXT),))


def _list_text_rows(value: object) -> Iterator[Row]:
    text = make_printable(
        value if isinstance(value, str) else "" if value is None else to_text(value)
    )
    if text.strip():
        yield Row(((None, text.strip("\n")),))


def _list_call_rows(message: AIMessage) -> Iterator[Row]:
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        fields = {"arguments": call["args"], "id": call["id"]}
        broken = call.get("type") == "invalid_tool_call"
        error = call.get("error") or "The arguments are not the JSON text of an object."
        yield _make_named_row(call["name"], fields, [error] if broken else [])


def _list_entry_rows(entries: Iterable[ExecutableEntry], kind: str) -> Iterator[Row]:
    first: dict[str, set[str]] = {}
    shown = 0
    for entry in entries:
        if entry["kind"] != kind:
            continue
        name, fields = _read_entry(entry, kind)
        problems = entry.get("problems", ())
        named = {"name": name, **fields}
        facts = {f"{label}: {to_text(value)}" for label, value in named.items() if value}
        identity = str(entry.get("address") or entry.get("handle") or "")
        # A planner run names agents again, with less: shown only if something is new or wrong.
        known = first.setdefault(identity, facts) if identity else facts
        if problems or known is facts or not facts <= known:
            shown += 1
            yield _make_named_row(name, fields, problems) if shown <= MAX_ROWS else UNSHOWN


def limit_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the first rows, and how many more there are."""
    rows = iter(rows)
    yield from islice(rows, MAX_ROWS)
    if more := sum(1 for _ in rows):
        yield Row(((None, f"({more:,} more, not shown)"),), "(more)")


def _read_rating(raw: object) -> int | float | None:
    agent = raw.get("agent") if isinstance(raw, dict) else None
    for place in (raw, agent):
        rating = place.get("rating") if isinstance(place, dict) else None
        if isinstance(rating, int | float) and not isinstance(rating, bool):
            return rating
    return None


def _make_named_row(name: str | None, fields: Mapping[str, Any], problems: Iterable[Any]) -> Row:
    known = tuple((label, shorten(value)) for label, value in fields.items() if value is not None)
    return Row(known, shorten(name or NO_NAME) or NO_NAME, tuple(map(shorten, problems)))


def _list_about_rows(message: AIMessage) -> Iterator[Row]:
    fields = tuple(_list_about_fields(message))
    if fields:
        yield Row(fields)


def _list_about_fields(message: AIMessage) -> Iterator[tuple[str, str]]:
    metadata = message.response_metadata
    if is_agent_answer(metadata):
        yield from list_agent_fields(metadata)
        return
    for label, name in (("model", "model_name"), ("session", "session_id")):
        if metadata.get(name):
            yield label, shorten(metadata[name])
    if message.usage_metadata:
        yield "tokens", _format_tokens(message.usage_metadata)
    reason = metadata.get("finish_reason")
    if reason and reason != "stop":
        cut = " (cut off: max_tokens is used up)" if reason == "length" else ""
        yield "ended by", shorten(reason) + cut
    if is_pending(message):
        yield PENDING_LABEL, "ASI:One gives the real answer later, in this session"


def _format_tokens(usage: UsageMetadata) -> str:
    reasoning = usage.get("output_token_details", {}).get("reasoning")
    output = usage["output_tokens"]
    share = f", {reasoning / output:.0%}" if reasoning and output else ""
    thinking = f" ({reasoning:,} to think{share})" if reasoning else ""
    return (
        f"{usage['input_tokens']:,} in, {output:,} out{thinking}, {usage['total_tokens']:,} in all"
    )


def _to_list(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value in (None, "", {}) else [value]
