"""Widths, styles and colour of all output to terminals and files."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

MIN_WIDTH: Final = 20
"""Fewest columns to wrap to."""
MAX_WIDTH: Final = 100
"""Most columns to wrap to: longer lines are hard to read."""
ROLE_STYLES: Final = {"text": "default", "name": "bold", "problem": "yellow", "drawing": "default"}
TITLE_STYLE: Final = "bold cyan"
RULE_STYLE: Final = "dim cyan"

_ASCII: Final = str.maketrans("─┄│┆┌┐└┘╭╮╰╯┬┴▼▲▶◀", "-.|:++++++++++v^><")


def clamp_width(columns: int) -> int:
    """Return the columns to wrap to on a terminal of this width."""
    return max(min(columns, MAX_WIDTH), MIN_WIDTH)


def find_width(out: TextIO) -> int | None:
    """Return the columns to wrap to; `None` without a terminal."""
    return clamp_width(shutil.get_terminal_size().columns) if out.isatty() else None


def supports_rich(out: TextIO) -> bool:
    """Return whether `out` shows colours, and rich is installed."""
    return out.isatty() and os.environ.get("TERM") != "dumb" and find_spec("rich") is not None


def fit_encoding(text: str, out: TextIO) -> str:
    """Return text in characters that `out` can write.

    Lines of drawings become ASCII, other characters escapes.
    """
    encoding = getattr(out, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
