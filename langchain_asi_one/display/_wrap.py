"""Printable text on a terminal: measured in columns, wrapped while it arrives."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PARTS: Final = ("Mn", "Me", "Cf")
_JOINER: Final = "\u200d"
# Line ends, blanks, characters that may be parts of a word or may stand for themselves.
_RUNS: Final = re.compile(r"\n+| +|[!-~]+|[^\n -~]")


def count_columns(text: str) -> int:
    """Count the terminal columns of printable text.

    Args:
        text: Text of one line, as by `make_printable`.

    Returns:
        2 for each wide character, 0 for each one that is part of another, 1 for any other.

    Example:
        >>> count_columns("né"), count_columns("東京")
        (2, 4)
    """
    return sum(map(_count_character, text))


def _count_character(character: str) -> int:
    if _is_wide(character):
        return 2
    return 0 if unicodedata.category(character) in _PARTS else 1


def _is_wide(character: str) -> bool:
    """Return whether a character takes two columns."""
    return unicodedata.east_asian_width(character) in "WF"


class TextWrapper:
    """Wraps text that arrives in pieces, between words and around wide characters.

    A word longer than a line is not broken, so that addresses can be copied; blanks at the start
    of a line stay, so that code keeps its shape.

    Args:
        width: Columns of a line; `None` keeps lines as they are.
        first: What the first line starts with.
        rest: What all other lines start with.

    Example:
        >>> wrapper = TextWrapper(width=10, first="- ", rest="  ")
        >>> print(wrapper.feed("one two th") + wrapper.feed("ree four") + wrapper.close())
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
        self._word: list[str] = []

    def feed(self, text: str) -> str:
        """Take printable text.

        Args:
            text: The next piece, as by `make_printable`.

        Returns:
            What can be printed by now: all but a word or blanks that may go on.
        """
        done = []
        for run in _RUNS.findall(text):
            first = run[0]
            if first == "\n":
                done += [self._put_word(), *map(self._end_line, run)]
            elif first == " ":
                done.append(self._put_word())
                self._blanks += run
            else:
                if self._word and not self._goes_on(first):
                    done.append(self._put_word())
                self._word.append(run)
        return "".join(done)

    def _goes_on(self, character: str) -> bool:
        """Return whether a character belongs to the word before it."""
        if self._word[-1] == _JOINER or unicodedata.category(character) in _PARTS:
            return True
        return not _is_wide(character) and not _is_wide(self._word[0][0])

    def close(self) -> str:
        """End the text.

        Returns:
            What was held back.
        """
        return self._put_word()

    def _put_word(self) -> str:
        word, self._word = "".join(self._word), []
        return self._put(word) if word else ""

    def _put(self, word: str) -> str:
        wide = count_columns(word)
        start = ""
        # A line that only has its prefix gains nothing from a break.
        if self._column and self._width and self._column + len(self._blanks) + wide > self._width:
            start = self._end_line()
        if not self._column:
            start += self._prefix
            self._column = count_columns(self._prefix)
        blanks, self._blanks = self._blanks, ""
        self._column += len(blanks) + wide
        return start + blanks + word

    def _end_line(self, _: str = "\n") -> str:
        self._column, self._prefix, self._blanks = 0, self._rest, ""
        return "\n"
