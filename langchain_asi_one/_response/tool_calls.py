"""Tool calls of an answer, in every form the API has been seen to send them: pure, without I/O.

Forms and their sources are in the wire contract, section 4: `index: -1`, arguments as an object,
ids and names that are missing or repeated in deltas, and calls that leak as text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from io import StringIO
from typing import Any, TypedDict

from langchain_asi_one._json.safe import json_safe
from langchain_asi_one._json.tool_arguments import JSONTextFilter


class ToolCallDelta(TypedDict):
    """A piece of a tool call, as LangChain adds pieces up: `name` and `args` are concatenated.

    Attributes:
        index: Position of the call in the answer, counted by us from 0.
        id: The call's id, on one piece only.
        name: The tool's name, on one piece only (or in parts).
        args: A piece of the JSON text of the arguments.
    """

    index: int
    id: str | None
    name: str | None
    args: str


@dataclass(frozen=True)
class _Entry:
    """One item of a wire `tool_calls` list."""

    index: int | None
    id: str | None
    name: str | None
    args: str

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> _Entry:
        function = item.get("function")
        function = function if isinstance(function, dict) else item
        index = item.get("index")
        return cls(
            index=index if isinstance(index, int) and index >= 0 else None,
            id=_text(item.get("id")),
            name=_text(function.get("name")),
            args=_arguments(function.get("arguments")),
        )

    @property
    def brings_something(self) -> bool:
        """Whether there is more than an index: orphan deltas have been seen that hold no more."""
        return bool(self.id or self.name or self.args)


class _Call:
    """A call that is being put together."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.id: str | None = None
        self.name = ""
        self._arguments = JSONTextFilter()
        self._received = StringIO()
        self._emitted = StringIO()
        self._begun = False

    @property
    def complete(self) -> bool:
        """Whether the arguments are a whole JSON object."""
        return self._arguments.complete and self._arguments.is_object

    @property
    def open(self) -> bool:
        """Whether the arguments have begun and are not whole."""
        return self._begun and not self.complete

    def could_be(self, entry: _Entry) -> bool:
        """Whether an item that names a tool may say more of this call, not yet of its arguments."""
        return not self._begun and entry.name == self.name

    def repeated_by(self, entry: _Entry) -> bool:
        """Whether an item says again, at once, what was said in pieces."""
        if len(entry.args) != self._received.tell() or entry.args != self._received.getvalue():
            return False
        return not self.name or entry.name in (None, self.name)

    def take(self, entry: _Entry) -> ToolCallDelta:
        """Add an item; what it repeats is left out."""
        new_id = entry.id if self.id is None else None
        self.id = self.id or new_id
        # Before the arguments a name may come in parts, and it may come late.
        new_name = None
        if entry.name != self.name and not (self._begun and self.name):
            new_name = entry.name
        self.name += new_name or ""
        # White space before arguments says nothing: alone it means what "" does, none.
        piece = entry.args if self._begun else entry.args.lstrip()
        args = "" if self.complete and self.repeated_by(entry) else self._arguments.feed(piece)
        self._begun = self._begun or bool(piece)
        self._received.write(entry.args)
        if self.id is None:
            self._emitted.write(args)
        return ToolCallDelta(index=self.position, id=new_id, name=new_name, args=args)

    def take_args(self, piece: str) -> ToolCallDelta | None:
        """Add a piece of a string in the arguments: `take` of most items.

        Args:
            piece: All that an item brings.

        Returns:
            What `take` would return; `None`, and nothing is added, for any other piece.
        """
        if not self._arguments.passes(piece):
            return None
        self._received.write(piece)
        if self.id is None:
            self._emitted.write(piece)
        return {"index": self.position, "id": None, "name": None, "args": piece}

    def close(self, answer_id: str | None) -> ToolCallDelta:
        """End the call: give it an id if it has none, and make cut-off arguments unreadable.

        LangChain's chunk addition completes truncated JSON by guessing, so a call that was cut off
        would run with half its arguments. What cannot be read at all becomes an invalid tool call.
        """
        args = self._arguments.close()
        if (self._begun and not self.complete) or not self.name:
            args += self._arguments.spoil()
        new_id = None
        if self.id is None:
            told = f"{self._emitted.getvalue()}{args}{answer_id}{self.position}{self.name}"
            new_id = self.id = f"call_{sha256(told.encode()).hexdigest()[:24]}"
        return ToolCallDelta(index=self.position, id=new_id, name=None, args=args)


class ToolCallReader:
    """Puts the caller's tool calls of one answer together."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._wholes: set[_Entry] = set()

    def __len__(self) -> int:
        return len(self._calls)

    def whole(self, item: Mapping[str, Any]) -> list[ToolCallDelta]:
        """Read a call that is complete, as in an answer that was not streamed.

        Args:
            item: An item of `message.tool_calls`. Its `index` says nothing (it is sent as -1).

        Returns:
            The call as one piece; nothing for one that is empty, or sent a second time.
        """
        entry = _Entry.read(item)
        sent = replace(entry, index=None)
        if not entry.brings_something or (entry.id and sent in self._wholes):
            return []
        self._wholes.add(sent)
        return [self._take(self._new(), entry)]

    def delta(self, item: Mapping[str, Any]) -> list[ToolCallDelta]:
        """Read a piece of a call, as in a stream.

        Args:
            item: An item of `delta.tool_calls`.

        Returns:
            The piece, without what it repeats; nothing for an item that is empty.
        """
        if (piece := self._more_args(item)) is not None:
            return [piece]
        entry = _Entry.read(item)
        if not entry.brings_something:
            return []
        return [self._take(self._find(entry), entry)]

    def _more_args(self, item: Mapping[str, Any]) -> ToolCallDelta | None:
        """Read an item that names an index and brings nothing but arguments."""
        index, function = item.get("index"), item.get("function")
        if type(index) is not int or item.get("id") or not isinstance(function, dict):
            return None
        call, args = self._by_index.get(index), function.get("arguments")
        if call is None or not args or not isinstance(args, str) or function.get("name"):
            return None
        return call.take_args(args)

    def close(self, answer_id: str | None) -> list[ToolCallDelta]:
        """End all calls.

        Args:
            answer_id: The answer's `id`, from which missing call ids are derived.

        Returns:
            What is still to be added to the calls.
        """
        deltas = [call.close(answer_id) for call in self._calls]
        return [delta for delta in deltas if delta["args"] or delta["id"]]

    def _take(self, call: _Call, entry: _Entry) -> ToolCallDelta:
        # Results name their call by its id: one that another call has gives way to one of ours.
        if entry.id and self._by_id.setdefault(entry.id, call) is not call:
            entry = replace(entry, id=None)
        return call.take(entry)

    def _new(self) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        return call

    def _find(self, entry: _Entry) -> _Call:
        if entry.index is not None:
            call = self._by_index.get(entry.index)
        else:
            call = self._by_id.get(entry.id or "", self._calls[-1] if self._calls else None)
        if call is None or _starts_another(call, entry):
            call = self._new()
        if entry.index is not None:
            self._by_index[entry.index] = call
        return call


def _starts_another(call: _Call, entry: _Entry) -> bool:
    """Whether an item that points at `call` begins a further one instead.

    Servers have been seen to give every call the same index, or none, and to repeat the name and
    the id, or change the id, in each delta. Only an item with a name can begin a call.
    """
    if not entry.name:
        return False
    again = call.complete and entry.args.lstrip().startswith("{")
    if not call.name or (entry.id and entry.id == call.id):
        return again and not call.repeated_by(entry)
    if entry.id and call.id:
        return not (call.open or (entry.index is not None and call.could_be(entry)))
    if entry.name != call.name:
        return call.complete or (entry.index is None and not call.open)
    return again


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _arguments(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(json_safe(value), ensure_ascii=False)
