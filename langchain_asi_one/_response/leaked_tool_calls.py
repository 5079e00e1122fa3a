"""Tool calls that leak into the text of an answer as `<tool_call>`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from langchain_asi_one._json.safe import loads


class LeakedCallReader:
    """Recovers tool calls that leak into the text, if they name a bound tool.

    Seen form (docs/wire-format.md, 4.2):
    `<tool_call>name<arg_key>k</arg_key><arg_value>v</arg_value>…</tool_call>`.
    The JSON form of other open models is read as well. Anything else stays text.

    Args:
        tools: Parameter schemas of the bound tools by name. Empty: nothing is recovered.
    """

    _OPEN, _CLOSE = "<tool_call>", "</tool_call>"
    _LIMIT = 1_000_000

    def __init__(self, tools: Mapping[str, Mapping[str, Any]]) -> None:
        self._tools = tools
        self._open = False
        self._tail = ""
        self._hold("")

    def feed(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """Take answer text as it arrives.

        Args:
            text: Any piece.

        Returns:
            The text to show now, and recovered calls as wire items.
        """
        if not self._tools or ("<" not in text and not self._size):
            return text, []
        self._held.append(text)
        self._size += len(text)
        if self._open:
            seen = self._tail + text
            self._tail = seen[1 - len(self._CLOSE) :]
            if self._CLOSE not in seen and self._size < self._LIMIT:
                return "", []
        return self._decide("".join(self._held))

    def _decide(self, held: str) -> tuple[str, list[dict[str, Any]]]:
        """Read the text so far, each part of it a bounded number of times; hold back its end."""
        shown: list[str] = []
        calls = []
        at = end = 0
        while (start := held.find(self._OPEN, at)) >= 0:
            shown.append(held[at:start])
            at = start
            if 0 <= end <= start:
                end = held.find(self._CLOSE, start)
            if end < 0 and len(held) - start < self._LIMIT:
                break
            call = self._read(held[start + len(self._OPEN) : end]) if end >= 0 else None
            if call is not None:
                calls.append(call)
                at = end + len(self._CLOSE)
                continue
            # Of tags in one another the innermost may still be a call.
            inner = held.rfind(self._OPEN, start + 1, end) if end >= 0 else -1
            at = inner if inner >= 0 else start + len(self._OPEN)
            shown.append(held[start:at])
        self._open = start >= 0
        keep = len(held) - at if self._open else _overlap(held[at:], self._OPEN)
        shown.append(held[at : len(held) - keep])
        self._hold(held[len(held) - keep :])
        return "".join(shown), calls

    def _hold(self, text: str) -> None:
        self._held, self._size = [text], len(text)
        self._tail = text[1 - len(self._CLOSE) :]

    def close(self) -> str:
        """Return the text still held back."""
        held = "".join(self._held)
        self._hold("")
        return held

    def _read(self, inner: str) -> dict[str, Any] | None:
        name, arguments = _read_json_leak(inner) or _read_tagged_leak(inner, self._tools)
        if name not in self._tools:
            return None
        return {"function": {"name": name, "arguments": arguments}}


_KEY = re.compile(r"\s*<arg_key>([^<]*)</arg_key>\s*<arg_value>")
_BLANK = re.compile(r"\s*")
_VALUE_END = "</arg_value>"


def _read_tagged_leak(
    inner: str, tools: Mapping[str, Mapping[str, Any]]
) -> tuple[str, dict[str, Any]]:
    head = inner.partition("<arg_key>")[0]
    name, at = head.strip(), len(head)
    properties = tools.get(name, {}).get("properties")
    arguments: dict[str, Any] = {}
    while not _BLANK.fullmatch(inner, at):
        match = _KEY.match(inner, at)
        end = inner.find(_VALUE_END, match.end()) if match else -1
        if match is None or end < 0:
            return "", {}
        key = match[1].strip()
        schema = properties.get(key) if isinstance(properties, dict) else None
        arguments[key] = _leaked_value(inner[match.end() : end], schema)
        at = end + len(_VALUE_END)
    return name, arguments


def _read_json_leak(inner: str) -> tuple[str, Any] | None:
    try:
        value: Any = loads(inner)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    return value["name"], value.get("arguments", value.get("parameters", {}))


def _leaked_value(text: str, schema: object) -> Any:
    kinds = _kinds(schema)
    if kinds == {"string"}:
        return text
    try:
        value = loads(text)
    except ValueError:
        return text
    # `12345` for an optional postcode is text, `null` is not.
    return text if "string" in kinds and value is not None else value


def _kinds(schema: object) -> set[Any]:
    if not isinstance(schema, dict):
        return set()
    options = [*(schema.get("anyOf") or ()), *(schema.get("oneOf") or ())]
    kind = schema.get("type")
    own = set(kind) if isinstance(kind, list) else {kind} - {None}
    return own.union(*map(_kinds, options))


def _overlap(text: str, tag: str) -> int:
    """Length of the longest end of `text` that is a beginning of `tag`."""
    longest = min(len(text), len(tag) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(tag[:n])), 0)
