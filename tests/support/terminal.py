"""A file that says that it is a terminal."""

from __future__ import annotations

from io import StringIO

from typing_extensions import override


class Terminal(StringIO):
    """Takes what a terminal is sent."""

    @override
    def isatty(self) -> bool:
        return True
