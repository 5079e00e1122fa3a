"""JSON text of tool arguments, made safe while it arrives.

Such text may hold what JSON allows and a checkpoint store does not: NUL (PostgreSQL refuses it),
lone surrogates (UTF-8 has none), integers beyond 64 bits (msgpack has none), nesting that exhausts
the interpreter's stack. `ToolArgumentsFilter` rewrites it while it streams.
"""

from __future__ import annotations

import json
import re
from typing import Final

from langchain_asi_one._json.safe import MAX_DEPTH, is_json, make_scalar_safe, make_text_safe

MOST_LEVELS: Final = 10_000
"""Levels of nesting beyond which arguments are not read: a reader needs some time for each."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_CLOSER: Final = {"{": "}", "[": "]"}
_SPACE: Final = " \t\n\r"
_TOKEN = re.compile(r'[ \t\n\r]+|["{}\[\],:]|[^ \t\n\r"{}\[\],:]+')
# Within a string. The bound keeps the regex engine's memory small.
_HEX = "[0-9a-fA-F]"
_PAIR = rf"u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
_PLAIN = re.compile(
    rf'[^"\\]*(?:\\(?:["\\/bfnrt]|u(?!0000|[dD][89a-fA-F]){_HEX}{{4}}|{_PAIR})[^"\\]*){{0,200}}'
)
_ESCAPE = re.compile(rf"\\u({_HEX}{{4}})")
# The beginning of an escape, or of a pair of them that stand for one character.
_CUT = re.compile(
    rf"\\(?:u(?:{_HEX}{{0,3}}|[dD][89abAB]{_HEX}{{2}}"
    rf"(?:\\(?:u(?:[dD](?:[c-fC-F]{_HEX}?)?)?)?)?)?)?"
)


class ToolArgumentsFilter:
    r"""Rewrites JSON text that arrives in deltas; all output parses safely.

    Changed are integers beyond -2**63 ... 2**64 - 1 (quoted), `NaN`, `Infinity` and overflowing
    floats (`null`), NUL within strings (removed), lone surrogates (U+FFFD), and containers below
    level `MAX_DEPTH` (one JSON string with their text). All other text passes unchanged and at
    once. Held back is only a token that may still change. The output is the same however the text
    is cut.

    Malformed text raises no error: it stays malformed. Control characters within strings count as
    well-formed, as LangChain parses arguments with `strict=False`. Text that has more than
    `MOST_LEVELS` levels is malformed from there on.

    Example:
        >>> arguments = ToolArgumentsFilter()
        >>> arguments.feed('{"id": 99999999999999')
        '{"id": '
        >>> arguments.feed('9999999}') + arguments.close()
        '"999999999999999999999"}'
        >>> arguments.complete, arguments.is_object
        (True, True)
    """

    def __init__(self) -> None:
        self.is_object = False
        """Whether the first character that is not white space was an opening brace."""
        self.is_too_deep = False
        """Whether the text has more than `MOST_LEVELS` levels."""
        self._output: list[str] = []
        self._closers: list[str] = []  # brackets that are due, innermost last
        self._before = ""  # the token before this one, without white space
        self._scalar: list[str] = []  # a number or word that may go on
        self._held = ""  # an escape or a surrogate pair that may go on
        self._deep: list[str] | None = None  # the text of a deep container, which the output quotes
        self._in_string = False
        self._ends_in_escape = False  # the text was cut after a backslash
        self._is_value = False  # the output is one whole value, perhaps followed by white space
        self._malformed = False
        self._mismatched = False  # the output holds a mismatched bracket: no parser reads on
        self._closed = False

    @property
    def complete(self) -> bool:
        """Whether exactly one JSON value was read, to its end.

        A number ends only with `close`.
        """
        open_token = self._in_string or self._scalar or self._held
        return self._is_value and not (open_token or self._malformed or self._mismatched)

    @property
    def text(self) -> str:
        """The whole output so far."""
        return "".join(self._output)

    def feed(self, text: str) -> str:
        """Take the next delta, cut anywhere; return what cannot change any more.

        Raises:
            ValueError: The filter is closed.
        """
        if self._closed:
            raise ValueError("feed() after close(): use a new ToolArgumentsFilter for each text.")
        return text if self.feed_plain(text) else self._rewrite(text)

    def feed_plain(self, text: str) -> bool:
        """Take plain text within a string; it is its own output.

        The result is whether it was taken: False also for some plain texts.
        """
        if (
            not self._in_string
            or not text.isascii()
            or '"' in text
            or "\\" in text
            or "\0" in text
            or self._held
            or self._deep is not None
            or self._mismatched
            or self._closed
        ):
            return False
        self._output.append(text)
        return True

    def close(self) -> str:
        """End the text and return what was held back."""
        if self._closed:
            return ""
        self._closed = True
        return self._rewrite("")

    def make_unparseable(self) -> str:
        """End the text so that no parser takes it for an object.

        `langchain_core.utils.json.parse_partial_json` completes cut JSON, so a tool call without
        half of its arguments would be valid. It gives up at a closing bracket that does not match,
        and so does `json.loads`. Such a bracket ends the result, behind what was held back.

        Example:
            >>> arguments = ToolArgumentsFilter()
            >>> arguments.feed('{"to": "Bo') + arguments.make_unparseable()
            '{"to": "Bo"]'
        """
        begin = len(self._output)
        self.close()
        self._write_mismatch()
        return "".join(self._output[begin:])

    def _rewrite(self, text: str) -> str:
        begin, at = len(self._output), 0
        text, self._held = self._held + text, ""
        surrogate = ""
        if not text.isascii() or "\0" in text:
            if "\ud800" <= text[-1:] <= "\udbff" and not self._closed:
                text, surrogate = text[:-1], text[-1]
            # What a NUL is, depends on where it stands.
            text = "\0".join(map(make_text_safe, text.split("\0")))
        while at < len(text) and not self._mismatched:
            if self._in_string:
                at = self._read_string(text, at)
            elif token := _TOKEN.match(text, at):
                self._read_lexeme(token[0])
                at = token.end()
        if self._closed:
            self._end_scalar()
        self._held += surrogate
        self._output.append(text[at:].replace("\0", ""))
        return "".join(self._output[begin:])

    def _write(self, text: str) -> None:
        if "\0" in text:  # malformed text must not become well-formed without it
            text = text.replace("\0", "\ufffd" if self._malformed else "")
        if self._deep is None:
            self._output.append(text)
        else:
            self._deep.append(text)
            self._output.append(_ENCODER.encode(text)[1:-1])

    def _read_lexeme(self, lexeme: str) -> None:
        if lexeme[0] in _SPACE:
            self._end_scalar()
            self._write(lexeme)
        elif lexeme not in '"{}[],:':
            self._scalar.append(lexeme.replace("\0", "\ufffd"))
        else:
            self._end_scalar()
            if lexeme in "{[":
                self._open(lexeme)
            elif lexeme in "}]":
                self._shut(lexeme)
            else:
                self._in_string = lexeme == '"'
                # At the top only a string may stand, and nothing before it.
                self._malformed |= not self._closers and (lexeme != '"' or self._before != "")
                self._write(lexeme)
            self._before = lexeme

    def _is_value_due(self) -> bool:
        if self._before == ",":
            return self._closers[-1:] == ["]"]
        return self._before in ("", ":", "[")

    def _open(self, bracket: str) -> None:
        if len(self._closers) == MOST_LEVELS:
            self.is_too_deep = True
            self._write_mismatch()
            return
        if not self._before:
            self.is_object = bracket == "{"
        if not self._is_value_due():
            self._malformed = True
        elif len(self._closers) == MAX_DEPTH and not self._malformed:
            self._output.append('"')
            self._deep = []
        self._write(bracket)
        self._closers.append(_CLOSER[bracket])

    def _shut(self, bracket: str) -> None:
        if self._closers[-1:] != [bracket]:
            if self._deep is not None:
                self._write_mismatch()
            self._mismatched = True
        self._write(bracket)
        if self._mismatched:
            return
        self._closers.pop()
        if self._deep is not None and len(self._closers) == MAX_DEPTH:
            # The quoted text would parse although the original does not.
            if is_json("".join(self._deep)):
                self._output.append('"')
            else:
                self._write_mismatch()
            self._deep = None
        self._end_value()

    def _end_value(self) -> None:
        if not self._closers:
            self._is_value = not self._malformed and is_json(self.text)

    def _end_scalar(self) -> None:
        if not self._scalar:
            return
        word = "".join(self._scalar)
        self._scalar.clear()
        safe = make_scalar_safe(word) if self._is_value_due() and not self._malformed else None
        self._malformed |= safe is None
        self._write(word if safe is None else safe)
        self._before = word
        self._end_value()

    def _read_string(self, text: str, at: int) -> int:
        """Read up to the string's end, an unusual escape, or the end."""
        plain = _PLAIN.match(text, at)
        if plain and plain.end() > at:
            self._write(plain[0])
            return plain.end()
        if text[at] == '"':
            self._in_string = False
            self._write('"')
            self._end_value()
            return at + 1
        if not self._closed and _CUT.fullmatch(text, at):
            self._held = text[at:]
            return len(text)
        escape = _ESCAPE.match(text, at)
        if escape and not self._malformed:
            self._write("" if escape[1] == "0000" else "\\ufffd")
            return escape.end()
        self._malformed = True
        self._ends_in_escape = text[at:] == "\\"
        end = escape.end() if escape else min(at + 2, len(text))
        self._write(text[at:end])
        return end

    def _write_mismatch(self) -> None:
        """Write a closing bracket that does not match, outside of any string."""
        if self._mismatched:
            return
        self._mismatched = True
        level = min(len(self._closers), MAX_DEPTH)
        escape = "\\" if self._ends_in_escape and self._deep is None else ""
        quote = '"' if self._in_string or self._deep is not None else ""
        bracket = "}" if level and self._closers[level - 1] == "]" else "]"
        self._deep = None
        self._output.append(escape + quote + bracket)
