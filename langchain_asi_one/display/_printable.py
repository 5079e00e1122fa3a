"""Untrusted text on a terminal: made harmless, measured in columns, and wrapped as it arrives."""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import Final

_TAB: Final = "    "
_LINE_ENDS: Final = "\n\x85\u2028\u2029"
# Invisible, and part of ordinary text (emoji, Persian, hyphenation): left out, not shown.
_LEFT_OUT: Final = {
    *(0x0D, 0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810)),
    *(0x200B, 0x200C, 0x200D, 0x2060, 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *range(0xE0100, 0xE01F0),
}


class _Replacements(dict[int, str]):
    """What each character becomes, found out on first use."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _replacement(chr(code))
        return found


def _replacement(character: str) -> str:
    if character in _LINE_ENDS:
        return "\n"
    if character == "\t":
        return _TAB
    code = ord(character)
    if code in _LEFT_OUT:
        return ""
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_REPLACEMENTS: Final = _Replacements()


def printable(text: str) -> str:
    r"""Make text safe to print: nothing in it can move the cursor, recolour, reorder or hide.

    Each character is treated on its own, so the pieces of a stream can be treated one by one.

    Args:
        text: Any text.

    Returns:
        The text with line separators as newlines, tabs and unusual blanks as spaces, zero-width
        characters and carriage returns left out, and every other character that cannot be seen
        (control, escape, bidirectional, tag, private, unassigned) as a backslash escape.

    Example:
        >>> print(printable("\x1b[31mred\u202e"))
        \x1b[31mred\u202e
    """
    return text.translate(_REPLACEMENTS)


def one_line(text: str) -> str:
    r"""Make text safe to print within a line.

    Args:
        text: Any text.

    Returns:
        The text as by `printable`, every run of blanks and newlines as one space.

    Example:
        >>> one_line(" two\n lines ")
        'two lines'
    """
    return " ".join(printable(text).split())


def columns(text: str) -> int:
    """Count the terminal columns of printable text.

    Args:
        text: Text of one line, as by `printable`.

    Returns:
        2 for each wide character, 0 for each combining one, 1 for any other.

    Example:
        >>> columns("né"), columns("東京")
        (2, 4)
    """
    return sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    if _is_wide(character):
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me") else 1


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


class Flow:
    """Wraps text that arrives in pieces, between words and around wide characters.

    A word longer than a line is not broken, so that addresses can be copied; blanks at the start
    of a line stay, so that code keeps its shape.

    Args:
        width: Columns of a line; `None` keeps lines as they are.
        first: What the first line starts with.
        rest: What all other lines start with.

    Example:
        >>> flow = Flow(width=10, first="- ", rest="  ")
        >>> print(flow.feed("one two th") + flow.feed("ree four") + flow.close())
        - one two
          three
          four
    """

    def __init__(self, *, width: int | None, first: str = "", rest: str = "") -> None:
        self._width = width
        self._prefix = first
        self._rest = rest
        self._column = 0
        self._blanks = ""
        self._word = ""

    def feed(self, text: str) -> str:
        """Take printable text.

        Args:
            text: The next piece, as by `printable`.

        Returns:
            What can be printed by now: all but a word or blanks that may go on.
        """
        done = ""
        for kind, run in groupby(text, _kind):
            if kind == "word":
                self._word += "".join(run)
                continue
            done += self._put_word()
            if kind == "blank":
                self._blanks += "".join(run)
            elif kind == "wide":
                done += "".join(map(self._put, run))
            else:
                done += "".join(map(self._end_line, run))
        return done

    def close(self) -> str:
        """End the text.

        Returns:
            What was held back.
        """
        return self._put_word()

    def _put_word(self) -> str:
        word, self._word = self._word, ""
        return self._put(word) if word else ""

    def _put(self, word: str) -> str:
        wide = columns(word)
        start = ""
        # A line that only has its prefix gains nothing from a break.
        if self._column and self._width and self._column + len(self._blanks) + wide > self._width:
            start = self._end_line()
        if not self._column:
            start += self._prefix
            self._column = columns(self._prefix)
        blanks, self._blanks = self._blanks, ""
        self._column += len(blanks) + wide
        return start + blanks + word

    def _end_line(self, _: str = "\n") -> str:
        self._column, self._prefix, self._blanks = 0, self._rest, ""
        return "\n"


def _kind(character: str) -> str:
    if character == "\n":
        return "end"
    if character == " ":
        return "blank"
    return "wide" if _is_wide(character) else "word"
