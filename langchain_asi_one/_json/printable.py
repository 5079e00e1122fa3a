"""Untrusted text that a person may read: in a terminal, a log or an error message."""

from __future__ import annotations

import unicodedata
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
