"""Lines printed one after the other, as the commands do.

They are plain, or coloured on a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from typing_extensions import override

from langchain_asi_one._json.printable import PrintableStream, make_one_line, make_printable
from langchain_asi_one._json.safe import make_json_safe
from langchain_asi_one.display._card_content import MAX_ROWS, list_answer_sections
from langchain_asi_one.display._sections import ANSWER, THOUGHT
from langchain_asi_one.display._steps import read_plan
from langchain_asi_one.display._terminal import (
    ROLE_STYLES,
    clamp_width,
    find_width,
    fit_encoding,
    supports_rich,
)
from langchain_asi_one.display._text import Line, TextSection, to_text_sections
from langchain_asi_one.display._wrap import TextWrapper

if TYPE_CHECKING:
    from typing import TextIO

    from langchain_core.messages import AIMessage

    from langchain_asi_one.display._card import Card

RUNNING: Final = "Agents at work"
_STREAM_STYLES: Final = {THOUGHT: "dim italic", ANSWER: "default"}


class Printer:
    """Prints plain text. What is printed is never taken back.

    Args:
        out: Where to print.
        width: Columns to wrap to; `None` wraps nothing.
    """

    def __init__(self, out: TextIO, width: int | None) -> None:
        self._out = out
        self._width = width
        self._wrapper: TextWrapper | None = None
        self._stream = PrintableStream()
        self._title = ""
        self._streamed: set[str] = set()
        self._planned: set[Line] = set()

    def print_notice(self, text: str, style: str = "") -> None:
        """Print one line without a title; `style` is one of rich."""
        wrapper = TextWrapper(width=self._width)
        self._write(wrapper.feed(make_one_line(text)) + wrapper.close() + "\n", style)

    def print_delta(self, title: str, text: str) -> None:
        """Print the next piece of a thought or an answer.

        A blank piece opens no section.
        """
        if title != self._title or self._wrapper is None:
            text = text.lstrip("\n")
            if not make_printable(text).strip():
                return
            self.end_section()
            self._print_title(title)
            self._title = title
            self._streamed.add(title)
            margin = Line("").start
            self._wrapper = TextWrapper(width=self._width, first=margin, rest=margin)
        self._write(self._wrapper.feed(self._stream.feed(text)), _STREAM_STYLES[title])

    def print_plan(self, plan: object) -> None:
        """Print what is new in a planner run."""
        lines = [line for line in _list_plan_lines(plan) if line not in self._planned]
        if not lines:
            return
        self._planned.update(lines)
        self.end_section()
        if self._title != RUNNING:
            self._print_title(RUNNING)
            self._title = RUNNING
        for line in lines:
            self._print_line(line)

    def end_section(self) -> None:
        """End the section that deltas have opened, if there is one."""
        if self._wrapper is not None:
            text = self._wrapper.feed(self._stream.close()) + self._wrapper.close()
            self._write(text + "\n", _STREAM_STYLES[self._title])
            self._wrapper = None

    def print_message(self, message: AIMessage) -> None:
        """Print the sections of a message that deltas have not printed."""
        self.end_section()
        for section in to_text_sections(list_answer_sections(message)):
            if section.title not in self._streamed:
                self.print_section(section)

    def print_card(self, card: Card) -> None:
        """Print the sections of a card."""
        for section in to_text_sections(card.list_sections(self._width)):
            self.print_section(section)

    def print_section(self, section: TextSection) -> None:
        """Print lines under a title."""
        self._print_title(section.title)
        for line in section.lines:
            self._print_line(line)

    def _print_title(self, title: str) -> None:
        self._write(f"\n{title}\n")

    def _print_line(self, line: Line) -> None:
        self._write(line.wrap(self._width) + "\n")

    def _write(self, text: str, style: str = "") -> None:  # noqa: ARG002 - for those with colour
        self._out.write(fit_encoding(text, self._out))
        self._out.flush()


class RichPrinter(Printer):
    """Prints the same with titles, styles and colours, on a terminal.

    Args:
        out: The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        from langchain_asi_one.display._rich import open_console  # noqa: PLC0415 - an extra

        self._console = open_console(out)
        super().__init__(out, clamp_width(self._console.width))

    @override
    def _print_title(self, title: str) -> None:
        from langchain_asi_one.display._rich import render_title  # noqa: PLC0415 - an extra

        for line in render_title(title):
            self._console.print(line, width=self._width)

    @override
    def _print_line(self, line: Line) -> None:
        text = line.wrap(self._width)
        start = len(line.start)
        self._write(text[:start], "yellow" if line.role == "problem" else "dim")
        self._write(text[start:] + "\n", ROLE_STYLES[line.role])

    @override
    def _write(self, text: str, style: str = "") -> None:
        self._console.out(text, end="", style=style, highlight=False)


def choose_printer(out: TextIO) -> Printer:
    """Return a printer for `out`, with colour if it can show that.

    Text is wrapped on terminals only.
    """
    return RichPrinter(out) if supports_rich(out) else Printer(out, find_width(out))


def _list_plan_lines(plan: object) -> list[Line]:
    """Return one line for each field and task of a plan."""
    fields, tasks = read_plan(make_json_safe(plan))
    lines = [Line(text, f"{label}  ") for label, text in fields]
    for number, row in enumerate(tasks[:MAX_ROWS], start=1):
        status = next((text for label, text in row.fields if label == "status"), "")
        lines.append(Line(f"{row.name}  {status}".rstrip(), f"{number}. "))
    return lines
