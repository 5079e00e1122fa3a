"""Untrusted text that a person may read: terminal, log, error message."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MAX_ERROR: Final = 500  # characters
_TAB: Final = "    "
_LINE_ENDS: Final = "\n\x85\u2028\u2029"
# Invisible wherever they stand: left out, not shown.
_LEFT_OUT: Final = {
    *(0x0D, 0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x180F),
    *(0x200B, 0x2060, 0x3164, *range(0xFE00, 0xFE0E), 0xFEFF, 0xFFA0),
}
# Invisible, but part of a letter or an emoji when they stand between what they join.
_JOINING: Final = "\u180b-\u180d\u200c\u200d\ufe0e\ufe0f\U000e0100-\U000e01ef"
# Scripts whose letters change their form beside their neighbours: Arabic to Mongolian.
_SHAPED: Final = "\u0600-\u18af\ufb50-\ufdff\ufe70-\ufefc"
_EMOJI: Final = "\u00a9\u00ae\u203c\u2049\u2122-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_KEEP: Final = (
    rf"(?<=[{_SHAPED}])[\u200c\u200d](?=[{_SHAPED}])"
    r"|(?<=[\u1820-\u18aa])[\u180b-\u180d]"
    rf"|(?<=[{_EMOJI}])[\ufe0e\ufe0f]"
    r"|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    rf"|(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
    r"|(?<=[\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af])[\U000e0100-\U000e01ef]"
    # The flags of England, Scotland and Wales. All other tags can hide text.
    r"|(?<=\U0001f3f4)\U000e0067\U000e0062"
    r"(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|\U000e0077\U000e006c\U000e0073)"
    r"\U000e007f"
)
_INVISIBLE: Final = re.compile(rf"({_KEEP})|[{_JOINING}\U000e0000-\U000e007f]")
# The same characters, for `rstrip`.
_INVISIBLES: Final = "\u180b\u180c\u180d\u200c\u200d\ufe0e\ufe0f" + "".join(
    map(chr, (*range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0)))
)


class _Replacements(dict[int, str]):
    """The replacement of each character, computed on first use."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _replace(chr(code))
        return found


def _replace(character: str) -> str:
    if character in _LINE_ENDS:
        return "\n"
    if character == "\t":
        return _TAB
    code = ord(character)
    if code in _LEFT_OUT:
        return ""
    if character.isprintable() or _INVISIBLE.match(character):
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return _escape(code)


def _escape(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


_REPLACEMENTS: Final = _Replacements()


def make_printable(text: str) -> str:
    r"""Make text safe to print.

    Nothing in the result can move the cursor, recolour, reorder or hide.

    Args:
        text: Any text.

    Returns:
        The text with line separators as newlines, tabs and unusual blanks as spaces, and without
        carriage returns. Joiners and variation selectors stay where they belong to an emoji or to
        a script that needs them, and are left out elsewhere. Every other character that cannot
        be seen (control, escape, bidirectional, tag, private, unassigned) becomes a backslash
        escape.

    Example:
        >>> print(make_printable("\x1b[31mred\u202e"))
        \x1b[31mred\u202e
    """
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(_keep, text.translate(_REPLACEMENTS))


def _keep(match: re.Match[str]) -> str:
    code = ord(match[0][0])
    return match[1] or (_escape(code) if 0xE0000 <= code <= 0xE007F else "")


def make_one_line(text: str) -> str:
    r"""Make text safe to print within a line.

    Every run of blanks and newlines becomes one space.

    Example:
        >>> make_one_line(" two\n lines ")
        'two lines'
    """
    return " ".join(make_printable(text).split())


def describe_error(error: BaseException) -> str:
    """Return an error's class and message as one printable line, perhaps cut."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception of a stranger may not even print
        message = ""
    text = f"{type(error).__name__}: {message[: 2 * _MAX_ERROR]}".removesuffix(": ")
    line = make_one_line(text)
    return line if len(line) <= _MAX_ERROR else f"{line[:_MAX_ERROR]}…"


class PrintableStream:
    r"""Makes text that arrives in pieces safe to print, as `make_printable` does.

    Example:
        >>> stream = PrintableStream()
        >>> print(stream.feed("\x1b") + stream.feed("[31m") + stream.close())
        \x1b[31m
    """

    def __init__(self) -> None:
        self._before = ""
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what can be printed.

        Joiners at the end are held back: what follows decides about them.
        """
        text = self._held + text
        ready = text.rstrip(_INVISIBLES)
        self._held = text[len(ready) :]
        return self._print(ready)

    def close(self) -> str:
        """Return the rest."""
        held, self._held = self._held, ""
        return self._print(held)

    def _print(self, text: str) -> str:
        start = len(make_printable(self._before))
        whole = self._before + text
        self._before = whole[-1:]
        return make_printable(whole)[start:]
