"""Readers of an answer that still arrives, each piece once: no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Protocol

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from langchain_asi_one._json.partial import PartialJSON
from langchain_asi_one._structured_output.json_text import FENCE

_FENCE = re.compile(rf"{FENCE}\s*(?=[{{\[])", re.IGNORECASE)
_LONGEST_FENCE = 40


class PieceReader(Protocol):
    """Reads an answer while it arrives."""

    def feed(self, piece: str | BaseMessage) -> Any:
        """Read a piece; return the value so far, or `None`."""


class JSONTextReader:
    """Reads an answer whose text is JSON.

    Args:
        validate: Returns the value if it fits the schema, `None` if it does not, or not yet.
    """

    def __init__(self, validate: Callable[[Any], Any]) -> None:
        self._validate = validate
        self._json = PartialJSON()
        self._before = ""
        self._has_begun = self._has_prose = self._has_calls = False

    def feed(self, piece: str | BaseMessage) -> Any:
        """Read a piece; return the value so far, or `None`."""
        if isinstance(piece, AIMessage):
            self._has_calls = self._has_calls or bool(piece.tool_calls or piece.invalid_tool_calls)
        text = piece if isinstance(piece, str) else str(piece.text)
        if self._has_calls or not text:
            return None
        if not self._has_begun:
            text = self._find_json(text)
        self._json.feed(text)
        value = self._json.value
        return None if value is None else self._validate(value)

    def _find_json(self, text: str) -> str:
        """Return the text from where JSON begins, perhaps in a code fence."""
        self._before += text
        start = self._before.lstrip()
        fence = _FENCE.search(self._before)
        self._has_prose = self._has_prose or start[:1] not in ("", "{", "[")
        self._has_begun = bool(fence) or (start != "" and not self._has_prose)
        if self._has_begun:
            return self._before[fence.end() :] if fence else start
        self._before = self._before[-_LONGEST_FENCE:]
        return ""


class ToolArgumentsReader:
    """Reads the arguments of the first call of one tool.

    Args:
        tool: The tool's name.
        validate: As for `JSONTextReader`.
    """

    def __init__(self, tool: str, validate: Callable[[dict[str, Any]], Any]) -> None:
        self._tool = tool
        self._validate = validate
        self._names: dict[int | None, str] = {}
        self._arguments: dict[int | None, PartialJSON] = {}

    def feed(self, piece: str | BaseMessage) -> Any:
        """Read a piece; return the value so far, or `None`."""
        chunks = piece.tool_call_chunks if isinstance(piece, AIMessageChunk) else []
        for chunk in chunks:
            index = chunk["index"]
            self._names[index] = self._names.get(index, "") + (chunk["name"] or "")
            self._arguments.setdefault(index, PartialJSON()).feed(chunk["args"] or "")
        if not chunks:
            return None
        for index, arguments in self._arguments.items():
            value = arguments.value
            if self._names[index] == self._tool and (value is None or isinstance(value, dict)):
                return self._validate(value or {})
        return None
