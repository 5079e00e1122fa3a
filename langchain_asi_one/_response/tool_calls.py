"""Tool calls for the caller, from any form that servers send.

Seen in APIs of this kind (docs/wire-format.md, 4.2): indexes of -1, or 0 for every call, arguments
as an object, ids and names that are missing, repeated in each delta, or different in each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypedDict

from langchain_asi_one._json.safe import make_json_safe
from langchain_asi_one._json.tool_arguments import MOST_LEVELS, ToolArgumentsFilter

MOST_CALLS = 1_000
"""Tool calls that an answer may hold."""


class ToolCallDelta(TypedDict):
    """What a chunk adds to a tool call.

    LangChain concatenates `name` and `args` of deltas.

    Attributes:
        index: Position of the call in the answer, from 0.
        id: The call's id, in one delta only.
        name: The tool's name or a further part of it, rarely in more than one delta.
        args: JSON text to append to the arguments.
    """

    index: int
    id: str | None
    name: str | None
    args: str


_KINDS: dict[type, str] = {
    str: "a string",
    list: "a list",
    bool: "a boolean",
    type(None): "null",
    int: "a number",
    float: "a number",
}


@dataclass(frozen=True)
class _Item:
    """One item of a `tool_calls` list in the response."""

    index: int | None
    id: str | None
    name: str | None
    args: str

    @classmethod
    def read(cls, item: Mapping[str, Any], names: Mapping[str, str]) -> _Item:
        function = item.get("function")
        function = function if isinstance(function, dict) else item
        index = item.get("index")
        return cls(
            index=index if isinstance(index, int) and index >= 0 else None,
            id=_get_text(item.get("id")),
            name=names.get(name, name) if (name := _get_text(function.get("name"))) else None,
            args=_write_arguments(function.get("arguments")),
        )

    @property
    def is_empty(self) -> bool:
        """Whether it holds at most an index, as some servers send."""
        return not (self.id or self.name or self.args)


class _Call:
    """A call that is being put together."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.id: str | None = None
        self.name = ""
        self._arguments = ToolArgumentsFilter()
        self._null: list[str] = []  # the beginning of the arguments as far as it may be `null`
        self._word = ""  # that without white space
        self._begun = False

    @property
    def complete(self) -> bool:
        """Whether the arguments are a whole JSON object, or `null` for none."""
        return self._word == "null" or self._arguments.complete

    @property
    def error(self) -> str | None:
        """What is wrong with the call, after `close`."""
        if not self.name:
            return "The call names no tool."
        if not self.open:
            return None
        if self._arguments.is_too_deep:
            return f"The arguments are nested more than {MOST_LEVELS:,} levels deep."
        try:
            value = json.loads(self.received, strict=False)
        except (ValueError, RecursionError) as error:
            return f"The arguments are not complete JSON: {error}"
        return f"The arguments must be a JSON object, but are {_KINDS[type(value)]}."

    @property
    def received(self) -> str:
        """The arguments as they were sent."""
        return "".join([self._arguments.received, *self._null])

    @property
    def open(self) -> bool:
        """Whether the arguments have begun and are not whole."""
        return self._begun and not self.complete

    def may_continue_with(self, item: _Item) -> bool:
        """Return whether an item with a name may belong to this call.

        The call's arguments have not begun.
        """
        return not self._begun and item.name == self.name

    def is_repeated_by(self, item: _Item) -> bool:
        """Return whether an item sends the whole call again."""
        if not item.args.strip() or item.args != self.received:
            return False
        return not self.name or item.name in (None, self.name)

    def add(self, item: _Item) -> ToolCallDelta:
        """Add an item; fields that it repeats are left out."""
        new_id = item.id if self.id is None else None
        self.id = self.id or new_id
        # Before the arguments a name may come in parts, and it may come late.
        new_name = None
        if item.name != self.name and not (self._begun and self.name):
            new_name = item.name
        self.name += new_name or ""
        # White space before arguments means nothing; alone it means no arguments, as "" does.
        repeated = self.complete and self.is_repeated_by(item)
        args = "" if repeated else self._feed(item.args)
        return ToolCallDelta(index=self.position, id=new_id, name=new_name, args=args)

    def _feed(self, text: str) -> str:
        if self._begun and not self._null:
            return self._arguments.feed(text)
        word = (self._word + text).lstrip()
        self._begun = bool(word)
        if word and ("null".startswith(word) or word.rstrip() == "null"):
            self._word = word.rstrip()
            self._null.append(text)
            return ""
        return self._arguments.feed(self._take_null() + text)

    def _take_null(self) -> str:
        text = "".join(self._null)
        self._null, self._word = [], ""
        return text

    def add_plain(self, text: str) -> ToolCallDelta | None:
        """Add plain text within a string; return `None` for other text."""
        if not self._arguments.feed_plain(text):
            return None
        return {"index": self.position, "id": None, "name": None, "args": text}

    def close(self, answer_id: str | None) -> ToolCallDelta:
        """End the call; complete its id, and make cut arguments unparseable.

        LangChain completes truncated JSON by guessing when it adds chunks, so a call that was cut
        off would run with half its arguments. Arguments that nothing can parse become an invalid
        tool call.
        """
        args = ""
        if self.open or not self.name:
            args = self._arguments.feed(self._take_null()) + self._arguments.make_unparseable()
        new_id = None
        if self.id is None:
            source = f"{self._arguments.received}{answer_id}{self.position}{self.name}"
            new_id = self.id = (
                f"call_{sha256(source.encode(errors='surrogatepass')).hexdigest()[:24]}"
            )
        return ToolCallDelta(index=self.position, id=new_id, name=None, args=args)


class InvalidCall(TypedDict):
    """A call that cannot be run.

    Attributes:
        args: The text of its arguments, as sent.
        error: What is wrong with it.
    """

    args: str
    error: str


class ToolCallReader:
    """Puts the caller's tool calls of one answer together.

    `names` has the caller's names of tools by the names that were sent, where they differ.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.dropped = 0
        """How many calls beyond `MOST_CALLS` were not read."""
        self._names = names or {}
        self._beyond = _Call(MOST_CALLS)
        self._calls: list[_Call] = []
        self._last: _Call | None = None
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._wholes: set[_Item] = set()

    def __len__(self) -> int:
        return len(self._calls)

    def read_whole(self, item: Mapping[str, Any]) -> list[ToolCallDelta]:
        """Read a complete call, as in an answer that was not streamed.

        Its `index` is ignored (servers send -1). The result is one delta; nothing for a call that
        is empty, or sent a second time.
        """
        read = _Item.read(item, self._names)
        sent = replace(read, index=None)
        if read.is_empty or (read.id and sent in self._wholes):
            return []
        self._wholes.add(sent)
        return self._add(self._begin_call(), read)

    def read_delta(self, item: Mapping[str, Any]) -> list[ToolCallDelta]:
        """Read an item of a stream as a delta without repeated fields.

        The result is nothing for an item that is empty.
        """
        if (delta := self._read_plain(item)) is not None:
            return [delta]
        read = _Item.read(item, self._names)
        if read.is_empty:
            return []
        return self._add(self._find(read), read)

    def _read_plain(self, item: Mapping[str, Any]) -> ToolCallDelta | None:
        """Read an item of index and plain text only, as most are."""
        index, function = item.get("index"), item.get("function")
        if type(index) is not int or item.get("id") or not isinstance(function, dict):
            return None
        call, args = self._by_index.get(index), function.get("arguments")
        if call is None or call is self._beyond or not args or not isinstance(args, str):
            return None
        if function.get("name"):
            return None
        return call.add_plain(args)

    def close(self, answer_id: str | None) -> list[ToolCallDelta]:
        """End all calls; return what is still to be added to them.

        Missing call ids are derived from the answer's id.
        """
        deltas = [call.close(answer_id) for call in self._calls]
        return [delta for delta in deltas if delta["args"] or delta["id"]]

    def find_invalid(self) -> dict[str, InvalidCall]:
        """Return the calls that cannot be run by their ids, after `close`."""
        return {
            call.id: InvalidCall(args=call.received, error=error)
            for call in self._calls
            if call.id and (error := call.error)
        }

    def _add(self, call: _Call, item: _Item) -> list[ToolCallDelta]:
        if call is self._beyond:
            return []
        # A tool's result names its call by id, so two calls must not share one.
        if item.id and self._by_id.setdefault(item.id, call) is not call:
            item = replace(item, id=None)
        return [call.add(item)]

    def _begin_call(self) -> _Call:
        if len(self._calls) == MOST_CALLS:
            self.dropped += 1
            self._last = self._beyond
            return self._beyond
        self._last = call = _Call(len(self._calls))
        self._calls.append(call)
        return call

    def _find(self, item: _Item) -> _Call:
        if item.index is not None:
            call = self._by_index.get(item.index)
        else:
            call = self._by_id.get(item.id or "", self._last)
        if call is None or _starts_another(call, item):
            call = self._begin_call()
        if item.index is not None:
            self._by_index[item.index] = call
        return call


def _starts_another(call: _Call, item: _Item) -> bool:
    """Return whether an item begins a call other than `call`.

    Some servers give every call the same index, or none. Some repeat the name and the id in each
    delta, or change the id. Only an item with a name can begin a call.
    """
    if not item.name:
        return False
    again = call.complete and item.args.lstrip().startswith("{")
    if not call.name or (item.id and item.id == call.id):
        return again and not call.is_repeated_by(item)
    if item.id and call.id:
        return not (call.open or (item.index is not None and call.may_continue_with(item)))
    if item.name != call.name:
        return call.complete or (item.index is None and not call.open)
    return again


def _get_text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _write_arguments(value: object) -> str:
    if value is None:
        return ""
    return (
        value if isinstance(value, str) else json.dumps(make_json_safe(value), ensure_ascii=False)
    )
