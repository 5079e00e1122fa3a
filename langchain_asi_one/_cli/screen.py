"""Where `python -m langchain_asi_one` writes: plain text, or colour with the extra `rich`."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from langchain_core.messages import AIMessage

from langchain_asi_one._cli.ask import Piece, Source
from langchain_asi_one._json.printable import one_line, printable
from langchain_asi_one.display._printable import Flow
from langchain_asi_one.display._text import NARROWEST, Line, Section, sections
from langchain_asi_one.display._view import ANSWER, THOUGHT

if TYPE_CHECKING:
    from typing import TextIO

_TITLES: Final = {"thought": THOUGHT, "answer": ANSWER}
_WIDEST: Final = 100  # longer lines are hard to read
_STYLES: Final = {THOUGHT: "dim italic", ANSWER: "default"}
_ROLES: Final = {"text": "default", "name": "bold", "problem": "yellow"}


class Screen:
    """Plain text on a stream.

    Args:
        out: Where to write.
        width: Columns to wrap to; `None` wraps nothing.
    """

    def __init__(self, out: TextIO, width: int | None) -> None:
        self._out = out
        self._width = width
        self._flow: Flow | None = None
        self._title = ""
        self._streamed: set[str] = set()

    def source(self, source: Source) -> None:
        """Say who is asked.

        Args:
            source: Who it is.
        """
        self._write(one_line(str(source)) + "\n")

    def piece(self, piece: Piece) -> None:
        """Show what has arrived.

        Args:
            piece: What it is; blank pieces open no section.
        """
        text, title = printable(piece.text), _TITLES[piece.kind]
        if title != self._title or self._flow is None:
            text = text.lstrip("\n")
            if not text.strip():
                return
            self.end()
            self._start(title)
            self._title = title
            self._streamed.add(title)
            margin = Line("").start
            self._flow = Flow(width=self._width, first=margin, rest=margin)
        self._write(self._flow.feed(text), _STYLES[title])

    def end(self) -> None:
        """End the section that is being streamed."""
        if self._flow is not None:
            self._write(self._flow.close() + "\n", _STYLES[self._title])
            self._flow = None

    def message(self, message: AIMessage) -> None:
        """Show what has not been streamed of a message.

        Args:
            message: The whole message.
        """
        self.end()
        for section in sections(message):
            if section.title not in self._streamed:
                self.section(section)

    def section(self, section: Section) -> None:
        """Show lines under a title."""
        self._start(section.title)
        for line in section.lines:
            self._line(line)

    def _start(self, title: str) -> None:
        self._write(f"\n{title}\n")

    def _line(self, line: Line) -> None:
        self._write(line.wrapped(self._width) + "\n")

    def _write(self, text: str, style: str = "") -> None:  # noqa: ARG002 - for those with colour
        self._out.write(text)
        self._out.flush()


class RichScreen(Screen):
    """The same with titles, styles and colours, on a terminal.

    Args:
        out: The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console  # noqa: PLC0415 - an extra

        self._console = Console(file=out, highlight=False, markup=False, emoji=False)
        super().__init__(out, max(min(self._console.width, _WIDEST), NARROWEST))

    def source(self, source: Source) -> None:
        """Say who is asked, the API in green, the stand-in in yellow.

        Args:
            source: Who it is.
        """
        style = "bold green" if source.kind == "live" else "bold yellow"
        flow = Flow(width=self._width)
        self._write(flow.feed(one_line(str(source))) + flow.close() + "\n", style)

    def _start(self, title: str) -> None:
        from rich.rule import Rule  # noqa: PLC0415 - an extra
        from rich.text import Text  # noqa: PLC0415 - an extra

        self._write("\n")
        rule = Rule(Text(title, "bold cyan"), align="left", style="dim cyan")
        self._console.print(rule, width=self._width)

    def _line(self, line: Line) -> None:
        text = line.wrapped(self._width)
        start = len(line.start)
        self._write(text[:start], "yellow" if line.role == "problem" else "dim")
        self._write(text[start:] + "\n", _ROLES[line.role])

    def _write(self, text: str, style: str = "") -> None:
        self._console.out(text, end="", style=style, highlight=False)


def screen_on(out: TextIO) -> Screen:
    """Choose how to write.

    Args:
        out: Where to write.

    Returns:
        Colour on a terminal with the extra `rich`, else plain text; wrapped on terminals only.
    """
    if not out.isatty():
        return Screen(out, width=None)
    if os.environ.get("TERM") != "dumb" and find_spec("rich"):
        return RichScreen(out)
    return Screen(out, max(min(shutil.get_terminal_size().columns, _WIDEST), NARROWEST))


def complain(kind: str, text: str) -> None:
    """Write one line to standard error.

    Args:
        kind: `error` or `warning`.
        text: What happened; it may quote what the API said.
    """
    print(f"{kind}: {one_line(text)}", file=sys.stderr, flush=True)
