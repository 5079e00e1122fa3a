"""A JSON value while its text arrives: pure; each piece is read once."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from langchain_asi_one._json.safe import MAX_DEPTH, loads, safe_text

_BLANK = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^"\\]*')
_ESCAPES = re.compile(r'(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+')
_ESCAPE_CUT = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_HIGH_LAST = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_WORD = re.compile(r'[^ \t\n\r,:{}\[\]"]*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}
_NOTHING: Final = object()

# What the grammar allows next.
_VALUE, _ITEM, _KEY, _FIRST_KEY, _COLON, _NEXT, _END = range(7)


class _Level:
    """An open object or array."""

    def __init__(self, container: dict[str, Any] | list[Any]) -> None:
        self.container = container
        self.key = ""

    def put(self, value: object) -> None:
        if isinstance(self.container, dict):
            self.container[self.key] = value
        else:
            self.container.append(value)

    def copy(self, value: object) -> dict[str, Any] | list[Any]:
        """The container with a value that is still open."""
        if value is _NOTHING:
            return self.container.copy()
        if isinstance(self.container, dict):
            return {**self.container, self.key: value}
        return [*self.container, value]


class PartialJSON:
    """Builds a JSON object or array from text that arrives in pieces.

    `value` is what LangChain's `parse_partial_json` makes of the text so far: containers and
    strings as if they ended here, keys without a value left out. Where the text is no JSON any more
    it stays as it was. Values are safe as by `langchain_asi_one._json.safe.loads`.

    Example:
        >>> answer = PartialJSON()
        >>> for piece in ('{"city": "Lon', 'don", "sights": ["Tow', 'er", 12'):
        ...     answer.feed(piece)
        ...     answer.value
        {'city': 'Lon'}
        {'city': 'London', 'sights': ['Tow']}
        {'city': 'London', 'sights': ['Tower', 12]}
    """

    def __init__(self) -> None:
        self.ended = False
        """Whether no further text counts."""
        self._expect = _VALUE
        self._levels: list[_Level] = []
        self._root: Any = None
        self._string: str | None = None
        self._is_key = False
        self._word = ""
        self._held = ""  # an escape, or half of a pair of them, that may go on

    @property
    def value(self) -> Any:
        """The object or array as far as it has come; `None` before its first character.

        Open containers are new ones each time; those that have ended are shared.
        """
        if not self._levels:
            return self._root
        inner = self._unfinished()
        for level in reversed(self._levels):
            inner = level.copy(inner)
        return inner

    def feed(self, piece: str) -> None:
        """Take the next piece of the text.

        Args:
            piece: Text of any length, cut anywhere.
        """
        text, self._held = self._held + piece, ""
        at = 0
        while at < len(text) and not self.ended:
            at = self._structure(text, at) if self._string is None else self._within(text, at)

    def _unfinished(self) -> Any:
        """The value that is being read, as far as it can be told."""
        if self._string is not None:
            return _NOTHING if self._is_key else self._string
        if self._expect not in (_VALUE, _ITEM):
            return _NOTHING
        for word, value in _WORDS.items():
            if self._word.startswith(word):
                return value
        number = _NUMBER.match(self._word)
        return loads(number[0]) if number else _NOTHING

    def _within(self, text: str, at: int) -> int:
        """Read on within a string, up to its end, an escape, or the end of the text."""
        assert self._string is not None  # noqa: S101 - told by the caller
        plain = _PLAIN.match(text, at)
        end = plain.end() if plain else at
        if end > at:
            self._string += safe_text(text[at:end])
        if end == len(text):
            return end
        if text[end] == '"':
            string, self._string = self._string, None
            if self._is_key:
                self._levels[-1].key, self._expect = string, _COLON
            else:
                self._read(string)
            return end + 1
        return self._escapes(text, end)

    def _escapes(self, text: str, at: int) -> int:
        found = _ESCAPES.match(text, at)
        end = found.end() if found else at
        if _ESCAPE_CUT.fullmatch(text, end):
            # Perhaps the second half of a pair.
            high = _HIGH_LAST.search(text, at, end)
            end = high.start() if high else end
            self._held = text[end:]
        elif high := _HIGH_LAST.search(text, at, end) if end == len(text) else None:
            end = high.start()
            self._held = text[end:]
        elif not found:
            self.ended = True
        if end > at and self._string is not None:
            self._string += safe_text(json.loads(f'"{text[at:end]}"'))
        return end + len(self._held)

    def _structure(self, text: str, at: int) -> int:
        word = _WORD.match(text, at)
        if word and word[0]:
            self._word += word[0]
            return word.end()
        if self._word:
            self._end_word()
        blank = _BLANK.match(text, at)
        if blank and blank[0]:
            return blank.end()
        if not self.ended:
            self._mark(text[at])
        return at + 1

    def _end_word(self) -> None:
        value = self._unfinished()
        whole = self._word in _WORDS or _NUMBER.fullmatch(self._word)
        if whole and self._expect in (_VALUE, _ITEM) and self._levels:
            self._read(value)
            self._word = ""
        else:
            self.ended = True

    def _mark(self, char: str) -> None:
        if char == '"' and self._levels and self._expect in (_VALUE, _ITEM, _KEY, _FIRST_KEY):
            self._is_key = self._expect in (_KEY, _FIRST_KEY)
            self._string = ""
        elif char in "{[" and self._expect in (_VALUE, _ITEM) and len(self._levels) < MAX_DEPTH:
            self._levels.append(_Level({} if char == "{" else []))
            self._expect = _FIRST_KEY if char == "{" else _ITEM
        elif char == ":" and self._expect == _COLON:
            self._expect = _VALUE
        elif char == "," and self._expect == _NEXT:
            self._expect = _KEY if isinstance(self._levels[-1].container, dict) else _VALUE
        elif char in "}]" and self._closes(char):
            self._read(self._levels.pop().container)
        else:
            self.ended = True

    def _closes(self, char: str) -> bool:
        if not self._levels or self._expect not in (_ITEM, _FIRST_KEY, _NEXT):
            return False
        return isinstance(self._levels[-1].container, dict) == (char == "}")

    def _read(self, value: object) -> None:
        if self._levels:
            self._levels[-1].put(value)
            self._expect = _NEXT
        else:
            self._root = value
            self._expect = _END
            self.ended = True
