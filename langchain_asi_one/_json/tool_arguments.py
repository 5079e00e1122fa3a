"""JSON text that arrives in pieces, made safe to parse and to store.

Text from the wire may hold what JSON allows and a checkpoint store does not: NUL (PostgreSQL text
refuses it), lone surrogates (UTF-8 cannot hold them), integers beyond 64 bits (msgpack cannot),
nesting that exhausts the interpreter's stack. `JSONTextFilter` rewrites such text while it streams.
"""

from __future__ import annotations

import json
import math
import re
from enum import Enum
from typing import Final

from langchain_asi_one._json.safe import MAX_DEPTH, integer_fits, safe_text

_REPLACEMENT: Final = "\ufffd"
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_CLOSER: Final = {"{": "}", "[": "]"}

_TOKEN = re.compile(r'[ \t\n\r]+|["{}\[\],:]|[^ \t\n\r"{}\[\],:]+')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)")
_CONTROL = re.compile(r"[\x00-\x1f]")
# The bound keeps the regex engine's memory small; the caller matches again from where it stopped.
_PLAIN = re.compile(
    r'[^"\\]*(?:\\(?:["\\/bfnrt]|u(?!0000|[dD][89a-fA-F])[0-9a-fA-F]{4})[^"\\]*){0,200}'
)
_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
_UNICODE_CUT = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_LOW = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LOW_CUT = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?")


class _Expect(Enum):
    """What the grammar allows next."""

    VALUE = "a value"
    ITEM = "a value, or the end of an empty array"
    KEY = "a key"
    FIRST_KEY = "a key, or the end of an empty object"
    COLON = "a colon"
    NEXT = "a comma, or the end of the container"
    END = "nothing: the value is complete"
    ANY = "anything: the text is malformed"


_VALUE_AHEAD: Final = frozenset({_Expect.VALUE, _Expect.ITEM})
_KEY_AHEAD: Final = frozenset({_Expect.KEY, _Expect.FIRST_KEY})
_CLOSABLE: Final = frozenset({_Expect.ITEM, _Expect.FIRST_KEY, _Expect.NEXT})


class JSONTextFilter:
    r"""Rewrites JSON text that arrives in pieces, so that parsing all of the output is safe.

    Changed are integers beyond -2**63 ... 2**64 - 1 (quoted), `NaN`, `Infinity` and overflowing
    floats (`null`), NUL raw or escaped (removed), lone surrogates raw or escaped (U+FFFD), and
    containers below level `MAX_DEPTH` (one JSON string with their text). All else passes unchanged
    and at once; only a token that may still change is held back. How the text was cut into pieces
    does not change the whole output.

    Malformed text never raises: it passes, and is as malformed as before. A deep container that
    proves malformed is ended by a mismatched bracket, as by `spoil`. Control characters within
    strings count as well-formed, as LangChain parses arguments with `strict=False`.

    Example:
        >>> args = JSONTextFilter()
        >>> args.feed('{"id": 99999999999999')
        '{"id": '
        >>> args.feed('9999999}') + args.close()
        '"999999999999999999999"}'
        >>> args.complete, args.is_object
        (True, True)
    """

    def __init__(self, *, strict: bool = False) -> None:
        """Start before the first character.

        Args:
            strict: Take a control character within a string as malformed, as RFC 8259 does.
        """
        self.is_object = False
        """Whether the first character that is not white space was an opening brace."""
        self._strict = strict
        self._expect = _Expect.VALUE
        self._stack: list[str] = []  # closing brackets that are due, innermost last
        self._out: list[str] = []
        self._scalar: list[str] = []  # a number or word that may go on
        self._escape_cut = ""  # an escape, or the first half of a pair, that may go on
        self._high = ""  # a raw high surrogate that may be joined
        self._in_string = False
        self._in_deep = False  # inside the string that holds a deep container
        self._dangling = False  # the output ends in a lone backslash
        self._unreadable = False  # the output holds a mismatched bracket: no parser reads on
        self._closed = False

    @property
    def complete(self) -> bool:
        """Whether exactly one JSON value was read, to its end (a number: only after `close`)."""
        held = self._in_string or self._scalar or self._high
        return self._expect is _Expect.END and not held

    def feed(self, piece: str) -> str:
        """Take the next piece of the text.

        Args:
            piece: Text of any length, cut anywhere.

        Returns:
            The output that cannot change any more; may be empty.

        Raises:
            ValueError: The filter is closed.
        """
        if self._closed:
            raise ValueError("feed() after close(): use a new JSONTextFilter for each text.")
        if self.passes(piece):
            return piece
        if self._high or not piece.isascii() or "\0" in piece:
            piece = self._high + piece
            self._high = piece[-1] if "\ud800" <= piece[-1:] <= "\udbff" else ""
            piece = safe_text(piece[:-1] if self._high else piece)
        return self._take(piece)

    def passes(self, piece: str) -> bool:
        """Whether `feed` would return a piece as it is and stay where it is, within a string.

        Args:
            piece: Text of any length.

        Returns:
            False also if that is not seen at a glance.
        """
        return (
            self._in_string
            and piece.isascii()
            and '"' not in piece
            and "\\" not in piece
            and "\0" not in piece
            and not (self._in_deep or self._escape_cut or self._high or self._strict)
            and not (self._unreadable or self._dangling or self._closed)
        )

    def close(self) -> str:
        """End the text.

        Returns:
            What was held back; empty if the filter was closed before.
        """
        if self._closed:
            return ""
        self._closed = True
        tail, self._high = _REPLACEMENT if self._high else "", ""
        return self._take(tail)

    def spoil(self) -> str:
        """End the text and make sure that no parser takes it for an object.

        `langchain_core.utils.json.parse_partial_json` completes cut JSON, so a tool call of which
        half the arguments are missing would be read as a valid one. It gives up at a closing
        bracket that does not match, and so does `json.loads`.

        Returns:
            What was held back, the end of an open string, and a mismatched closing bracket.

        Example:
            >>> args = JSONTextFilter()
            >>> args.feed('{"to": "Bo') + args.spoil()
            '{"to": "Bo"]'
        """
        held = self.close()
        return held if self._unreadable else held + self._mismatch()

    def _mismatch(self) -> str:
        self._unreadable = True
        escape = "\\" if self._dangling else ""
        quote = '"' if self._in_string or self._in_deep else ""  # in the deep, one for both
        level = min(len(self._stack), MAX_DEPTH)
        return escape + quote + ("}" if level and self._stack[level - 1] == "]" else "]")

    def _take(self, text: str) -> str:
        text, self._escape_cut = self._escape_cut + text, ""
        at, end = 0, len(text)
        while at < end and not self._unreadable:
            if self._in_string:
                at = self._string(text, at)
                continue
            match = _TOKEN.match(text, at)
            if match is None:  # cannot be: the three classes are all characters there are
                break
            found, at = match[0], match.end()
            if found in '"{}[],:':
                self._end_scalar()
                self._structure(found)
            elif found[0] in " \t\n\r":
                self._end_scalar()
                self._write(found)
            else:
                self._scalar.append(found)
        if self._closed:
            self._end_scalar()
        self._out.append(text[at:])
        output = "".join(self._out)
        self._out.clear()
        return output

    def _write(self, text: str) -> None:
        self._out.append(_ENCODER.encode(text)[1:-1] if self._in_deep else text)

    def _malformed(self) -> None:
        self._expect = _Expect.ANY
        if self._in_deep:
            # The quoted text would parse although the original does not.
            self._out.append(self._mismatch())
            self._in_deep = False

    def _value_read(self) -> None:
        self._expect = _Expect.NEXT if self._stack else _Expect.END

    def _structure(self, char: str) -> None:
        if self._unreadable:
            self._write(char)
        elif char in "{[":
            self._open(char)
        elif char in "}]":
            self._shut(char)
        else:
            if char == '"' and self._expect in _VALUE_AHEAD:
                self._value_read()
            elif char == '"' and self._expect in _KEY_AHEAD:
                self._expect = _Expect.COLON
            elif char == ":" and self._expect is _Expect.COLON:
                self._expect = _Expect.VALUE
            elif char == "," and self._expect is _Expect.NEXT:
                self._expect = _Expect.KEY if self._stack[-1] == "}" else _Expect.VALUE
            else:
                self._malformed()
            self._in_string = char == '"'
            self._write(char)

    def _open(self, char: str) -> None:
        if self._expect in _VALUE_AHEAD:
            if char == "{" and not self._stack:
                self.is_object = True
            if len(self._stack) == MAX_DEPTH:
                self._out.append('"')
                self._in_deep = True
            self._expect = _Expect.FIRST_KEY if char == "{" else _Expect.ITEM
        else:
            self._malformed()
        self._write(char)
        self._stack.append(_CLOSER[char])

    def _shut(self, char: str) -> None:
        matches = bool(self._stack) and self._stack[-1] == char
        if not matches or self._expect not in _CLOSABLE:
            self._malformed()
        self._write(char)
        if not matches:
            self._unreadable = True
            return
        self._stack.pop()
        if self._expect is not _Expect.ANY:
            self._value_read()
        if self._in_deep and len(self._stack) == MAX_DEPTH:
            self._in_deep = False
            self._out.append('"')

    def _end_scalar(self) -> None:
        if not self._scalar:
            return
        word = "".join(self._scalar)
        self._scalar.clear()
        safe = _safe_scalar(word) if self._expect in _VALUE_AHEAD else None
        if safe is None:
            self._malformed()
        else:
            self._value_read()
        self._write(word if safe is None else safe)

    def _string(self, text: str, at: int) -> int:
        """Read on within a string, up to its end, an unusual escape, or the end of the text."""
        match = _PLAIN.match(text, at)
        if match and match.end() > at:
            if self._strict and _CONTROL.search(match[0]):
                self._malformed()
            self._write(match[0])
            return match.end()
        if text[at] == '"':
            self._in_string = False
            self._write('"')
            return at + 1
        return self._escape(text, at)

    def _escape(self, text: str, at: int) -> int:
        match = _UNICODE.match(text, at)
        if match is None:
            cut = _UNICODE_CUT.fullmatch(text, at) is not None
            if cut and not self._closed:
                return self._hold(text, at)
            if not cut:
                self._malformed()
            self._dangling = cut and text[at:] == "\\" and not self._in_deep
            stop = len(text) if cut else at + 2
            self._write(text[at:stop])
            return stop
        code = int(match[1], 16)
        if code == 0:
            if self._expect is _Expect.ANY:
                # Taken out of malformed text, it would let what stands around it become an escape.
                self._write("\\ufffd")
            return match.end()
        if code < 0xDC00 and (low := _LOW.match(text, match.end())):
            self._write(match[0] + low[0])
            return low.end()
        if code < 0xDC00 and not self._closed and _LOW_CUT.fullmatch(text, match.end()):
            return self._hold(text, at)
        self._write("\\ufffd")
        return match.end()

    def _hold(self, text: str, at: int) -> int:
        self._escape_cut = text[at:]
        return len(text)


def _safe_scalar(token: str) -> str | None:
    """The safe form of a JSON number or word; None if it is neither."""
    if number := _NUMBER.fullmatch(token):
        if not number[1]:
            return token if integer_fits(token) else f'"{token}"'
        return token if math.isfinite(float(token)) else "null"
    if token in ("true", "false", "null"):
        return token
    return "null" if token in ("NaN", "Infinity", "-Infinity") else None
