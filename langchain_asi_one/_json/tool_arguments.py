"""JSON text of tool arguments, made safe while it arrives.

Such text may hold what JSON allows and a checkpoint store does not: NUL (PostgreSQL refuses it),
lone surrogates (UTF-8 has none), integers beyond 64 bits (msgpack has none), nesting that exhausts
the interpreter's stack. `ToolArgumentsFilter` rewrites it while it streams.
"""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Final

from langchain_asi_one._json.safe import MAX_DEPTH, is_json, make_scalar_safe, make_text_safe

MOST_LEVELS: Final = 10_000
"""Levels of nesting beyond which arguments are not read: a reader needs some time for each."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)
_CLOSER: Final = {"{": "}", "[": "]"}
_TOKEN = re.compile(r'[ \t\n\r,:]+|["{}\[\]]|[^ \t\n\r"{}\[\],:]+')
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
    r"""Rewrites JSON text of arguments as it arrives; all output parses safely.

    Changed are integers beyond -2**63 ... 2**64 - 1 (quoted), `NaN`, `Infinity` and overflowing
    floats (`null`), NUL (removed), lone surrogates (U+FFFD), and containers below level `MAX_DEPTH`
    (one JSON string with their text). White space at the beginning is left out. All other text
    passes unchanged and at once. Held back is only a token that may still change. The output is the
    same however the text is cut.

    Malformed text raises no error, it is never `complete`. Control characters within strings count
    as well-formed, as LangChain parses arguments with `strict=False`. Text that has more than
    `MOST_LEVELS` levels is malformed.

    Example:
        >>> arguments = ToolArgumentsFilter()
        >>> arguments.feed('{"id": 99999999999999')
        '{"id": '
        >>> arguments.feed('9999999}')
        '"999999999999999999999"}'
        >>> arguments.complete
        True
    """

    def __init__(self) -> None:
        self.complete = False
        """Whether exactly one JSON object was read, to its end."""
        self.is_too_deep = False
        """Whether the text has more than `MOST_LEVELS` levels."""
        self._received = StringIO()
        self._begun = False  # what is no white space has come
        self._closers: list[str] = []  # brackets that are due, innermost last
        self._scalar: list[str] = []  # a number or word that may go on
        self._held = ""  # an escape or a surrogate pair that may go on
        self._in_string = False
        self._ended = False  # a bracket has closed the outermost container
        self._mismatched = False  # the output holds a mismatched bracket: no parser reads on

    @property
    def received(self) -> str:
        """The text as it was fed."""
        return self._received.getvalue()

    def feed(self, text: str) -> str:
        """Take the next delta, cut anywhere; return what cannot change any more."""
        self._received.write(text)
        self.complete = self.complete and not text.strip(" \t\n\r")
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        text, self._held, surrogate = self._held + text, "", ""
        if not text.isascii() or "\0" in text:
            if "\ud800" <= text[-1:] <= "\udbff":
                text, surrogate = text[:-1], text[-1]
            text = make_text_safe(text)
        output: list[str] = []
        at = 0
        while at < len(text) and not self._mismatched:
            if self._in_string:
                at = self._read_string(text, at, output)
            elif token := _TOKEN.match(text, at):
                self._read_lexeme(token[0], output)
                at = token.end()
        self._held += surrogate
        output.append(text[at:])
        return "".join(output)

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
            or len(self._closers) > MAX_DEPTH
        ):
            return False
        self._received.write(text)
        return True

    def make_unparseable(self) -> str:
        """End the text so that no parser takes it for an object.

        `langchain_core.utils.json.parse_partial_json` completes cut JSON, so a tool call without
        half of its arguments would be valid. It gives up at a closing bracket that does not match,
        and so does `json.loads`.

        Example:
            >>> arguments = ToolArgumentsFilter()
            >>> arguments.feed('{"to": "Bo') + arguments.make_unparseable()
            '{"to": "Bo"]'
        """
        output: list[str] = []
        self._end_scalar(output)
        half = make_text_safe(self._held)
        # A backslash would escape the quote behind it.
        self._write(half + "\\" if half.endswith("\\") else half, output)
        self._held = ""
        self._write_mismatch(output)
        return "".join(output)

    def _write(self, text: str, output: list[str]) -> None:
        deep = len(self._closers) > MAX_DEPTH
        output.append(_ENCODER.encode(text)[1:-1] if deep else text)

    def _read_lexeme(self, lexeme: str, output: list[str]) -> None:
        if lexeme[0] not in ' \t\n\r,:"{}[]':
            self._scalar.append(lexeme)
            return
        self._end_scalar(output)
        if lexeme in "{[":
            self._open(lexeme, output)
        elif lexeme in "}]":
            self._shut(lexeme, output)
        else:
            self._in_string = lexeme == '"'
            self._write(lexeme, output)

    def _open(self, bracket: str, output: list[str]) -> None:
        if len(self._closers) == MOST_LEVELS:
            self.is_too_deep = True
            self._write_mismatch(output)
            return
        if len(self._closers) == MAX_DEPTH:
            output.append('"')
        self._closers.append(_CLOSER[bracket])
        self._write(bracket, output)

    def _shut(self, bracket: str, output: list[str]) -> None:
        if self._closers[-1:] != [bracket]:
            self._write_mismatch(output, bracket)
            return
        self._write(bracket, output)
        self._closers.pop()
        if len(self._closers) == MAX_DEPTH:
            output.append('"')
        elif not self._closers and not self._ended:
            self._ended = True
            self.complete = bracket == "}" and is_json(self.received.lstrip())

    def _end_scalar(self, output: list[str]) -> None:
        if self._scalar:
            word = "".join(self._scalar)
            self._scalar.clear()
            self._write(make_scalar_safe(word) or word, output)

    def _read_string(self, text: str, at: int, output: list[str]) -> int:
        """Read up to the string's end, an unusual escape, or the end."""
        plain = _PLAIN.match(text, at)
        if plain and plain.end() > at:
            self._write(plain[0], output)
            return plain.end()
        if text[at] == '"':
            self._in_string = False
            self._write('"', output)
            return at + 1
        if _CUT.fullmatch(text, at):
            self._held = text[at:]
            return len(text)
        if escape := _ESCAPE.match(text, at):
            self._write("" if escape[1] == "0000" else "\\ufffd", output)
            return escape.end()
        self._write(text[at : at + 2], output)
        return at + 2

    def _write_mismatch(self, output: list[str], bracket: str = "]") -> None:
        """Write a closing bracket that does not match, outside of any string.

        Where nothing is open, none matches, and `bracket` is written.
        """
        if self._mismatched:
            return
        self._mismatched = True
        quoted = self._in_string or len(self._closers) > MAX_DEPTH
        due = self._closers[:MAX_DEPTH][-1:]
        if due:
            bracket = "}" if due == ["]"] else "]"
        output.append(('"' if quoted else "") + bracket)
