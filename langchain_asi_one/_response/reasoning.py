"""The reasoning text of an answer, and texts in fields.

Generations and models differ in the field that holds it (docs/wire-format.md, 2 and 6).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from io import StringIO
from typing import Any

JSONObject = dict[str, Any]

# Each level of a chunk may hold each of them.
THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thought")


def read_text(value: object) -> str:
    """Read the text of a content field.

    It is a string, null, or a list of text parts; anything else becomes JSON.

    Example:
        >>> read_text([{"type": "text", "text": "Hel"}, "lo"])
        'Hello'
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(read_text(part) for part in value)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return str(value["text"])
    return json.dumps(value, ensure_ascii=False)


class ReasoningReader:
    """Finds the reasoning text among `THOUGHT_FIELDS`.

    The first field that is not blank is the thought. In a stream, whose later chunks are unknown,
    it is the field that first becomes not blank.
    """

    def __init__(self) -> None:
        self._texts: defaultdict[str, StringIO] = defaultdict(StringIO)
        self._items: defaultdict[str, list[str]] = defaultdict(list)
        self._source: str | None = None

    @property
    def text(self) -> str:
        """The thought so far."""
        return self._texts[self._source].getvalue() if self._source else ""

    def feed(self, levels: Sequence[JSONObject], whole: JSONObject | None = None) -> str:
        """Take the thought fields of a chunk; return what the thought gains.

        `levels` are objects that may hold any of `THOUGHT_FIELDS`, innermost first; `whole` is a
        whole message on a stream's chunk.
        """
        added = {name: self._read_field(name, levels, whole or {}) for name in THOUGHT_FIELDS}
        if self._source:
            return added[self._source]
        self._source = next((name for name in THOUGHT_FIELDS if added[name].strip()), None)
        return self.text

    def feed_text(self, name: str, text: str) -> str:
        """Take a chunk's only thought field; return what the thought gains."""
        self._texts[name].write(text)
        if self._source is None and text.strip():
            self._source = name
            return self.text
        return text if name == self._source else ""

    def find_unused(self) -> dict[str, Any]:
        """Return the fields whose text differs from the thought."""
        texts = {name: self._texts[name].getvalue() for name in THOUGHT_FIELDS}
        return {
            name: text
            for name, text in texts.items()
            if name != self._source and text.strip() and text.strip() != self.text.strip()
        }

    def _read_field(self, name: str, levels: Sequence[JSONObject], whole: JSONObject) -> str:
        """Write what a chunk adds to a field's text; return it."""
        held = self._texts[name]
        before = held.tell()
        if not before:  # then a whole message is read as that of a body is
            levels = (*levels[:1], whole, *levels[1:])
        values = [level[name] for level in levels if level.get(name) is not None]
        filled = (value for value in values if read_text(value).strip())
        held.write(self._find_new_text(name, next(filled, values[0] if values else None)))
        full = "\n".join(_list_texts(whole.get(name)))
        if len(full) > held.tell() and full.startswith(held.getvalue()):
            held.write(full[held.tell() :])
        held.seek(before)
        return held.read()

    def _find_new_text(self, name: str, value: object) -> str:
        if not isinstance(value, list):
            return read_text(value)
        # In a stream a list may be sent again with more items, or with the new items only.
        items, seen = _list_texts(value), self._items[name]
        new = items[len(seen) :] if items[: len(seen)] == seen else items
        seen += new
        separator = "\n" if self._texts[name].tell() and new else ""
        return separator + "\n".join(new)


def _list_texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [read_text(item) for item in items if item is not None]
