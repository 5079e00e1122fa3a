"""A JSON value while its text arrives, read once: no I/O."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from langchain_asi_one._json.safe import MAX_DEPTH, loads, make_text_safe

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
        """Return a copy with a value that is still open."""
        if value is _NOTHING:
            return self.container.copy()
        if isinstance(self.container, dict):
            return {**self.container, self.key: value}
        return [*self.container, value]


class PartialJSON:
    """Builds a JSON object or array from pieces, in linear time.

    `value` equals the result of LangChain's `parse_partial_json` for the text so far: open
    containers and strings end here, keys without a value are left out. After malformed text the
    value stays as it was. Values are safe as by `langchain_asi_one._json.safe.loads`.

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
        """Whether further text is ignored."""
        self._expect = _VALUE
        self._levels: list[_Level] = []
        self._root: Any = None
        self._string: str | None = None
        self._is_key = False
        self._word = ""
        self._held = ""  # an incomplete escape, or the first half of a surrogate pair

    @property
    def value(self) -> Any:
        """The object or array so far; `None` before its first character.

        Open containers are new ones each time; complete ones are shared.
        """
        if not self._levels:
            return self._root
        inner = self._open_value()
        for level in reversed(self._levels):
            inner = level.copy(inner)
        return inner

    def feed(self, piece: str) -> None:
        """Read the next piece of the text, cut anywhere."""
        text, self._held = self._held + piece, ""
        at = 0
        while at < len(text) and not self.ended:
            at = (
                self._read_structure(text, at)
                if self._string is None
                else self._read_string(text, at)
            )

    def _open_value(self) -> Any:
        """Return the open value as far as it is known, or `_NOTHING`."""
        if self._string is not None:
            return _NOTHING if self._is_key else self._string
        if self._expect not in (_VALUE, _ITEM):
            return _NOTHING
        for word, value in _WORDS.items():
            if self._word.startswith(word):
                return value
        number = _NUMBER.match(self._word)
        return loads(number[0]) if number else _NOTHING

    def _read_string(self, text: str, at: int) -> int:
        """Read up to the string's end, an escape, or the text's end."""
        assert self._string is not None  # noqa: S101 - the caller checks it
        plain = _PLAIN.match(text, at)
        end = plain.end() if plain else at
        if end > at:
            self._string += make_text_safe(text[at:end])
        if end == len(text):
            return end
        if text[end] == '"':
            string, self._string = self._string, None
            if self._is_key:
                self._levels[-1].key, self._expect = string, _COLON
            else:
                self._put(string)
            return end + 1
        return self._read_escapes(text, end)

    def _read_escapes(self, text: str, at: int) -> int:
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
            self._string += make_text_safe(json.loads(f'"{text[at:end]}"'))
        return end + len(self._held)

    def _read_structure(self, text: str, at: int) -> int:
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
            self._read_mark(text[at])
        return at + 1

    def _end_word(self) -> None:
        value = self._open_value()
        whole = self._word in _WORDS or _NUMBER.fullmatch(self._word)
        if whole and self._expect in (_VALUE, _ITEM) and self._levels:
            self._put(value)
            self._word = ""
        else:
            self.ended = True

    def _read_mark(self, char: str) -> None:
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
            self._put(self._levels.pop().container)
        else:
            self.ended = True

    def _closes(self, char: str) -> bool:
        if not self._levels or self._expect not in (_ITEM, _FIRST_KEY, _NEXT):
            return False
        return isinstance(self._levels[-1].container, dict) == (char == "}")

    def _put(self, value: object) -> None:
        if self._levels:
            self._levels[-1].put(value)
            self._expect = _NEXT
        else:
            self._root = value
            self._expect = _END
            self.ended = True
