"""A card on a terminal, with rich.

It is the same text with titles, styles and drawn Markdown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len, chop_cells
from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from langchain_asi_one.display._markdown import parse_markdown
from langchain_asi_one.display._sections import ANSWER, THOUGHT, Section
from langchain_asi_one.display._terminal import (
    ROLE_STYLES,
    RULE_STYLE,
    TITLE_STYLE,
    clamp_width,
)
from langchain_asi_one.display._text import Line, TextSection, to_text_sections

if TYPE_CHECKING:
    from markdown_it.token import Token
    from rich.console import ConsoleOptions, RenderResult

    from langchain_asi_one.display._card import Card


def open_console(out: TextIO) -> Console:
    """Return a console that takes nothing for markup."""
    return Console(file=out, highlight=False, markup=False, emoji=False)


class RichCard:
    """Draws a card.

    Args:
        card: The card.
    """

    def __init__(self, card: Card) -> None:
        self._card = card

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = clamp_width(options.max_width)
        yield from console.render(Group(*self._render(width)), options.update(width=width))

    def _render(self, width: int) -> Iterator[RenderableType]:
        for section in self._card.list_sections(width):
            for text in to_text_sections([section]):
                yield from _render_section(section, text, width)
        if self._card.live:
            yield Text(f"\n{self._card.live}", "dim")


class CardTail:
    """Draws the last lines of a card that fit the screen.

    Args:
        card: The card.
    """

    def __init__(self, card: Card) -> None:
        self._card = card

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        free = options.update(height=None)
        lines = console.render_lines(RichCard(self._card), free, pad=False)
        for line in lines[-max(console.height - 2, 1) :]:
            yield from line
            yield Segment.line()


def render_title(title: str) -> Iterator[RenderableType]:
    """Yield a blank line, and a title with a rule beside it."""
    yield Text("")
    yield Rule(Text(title, TITLE_STYLE), align="left", style=RULE_STYLE)


def _render_section(section: Section, text: TextSection, width: int) -> Iterator[RenderableType]:
    yield from render_title(section.title)
    tokens = parse_markdown(section.text) if section.title == ANSWER else None
    if tokens is None:
        for line in text.lines:
            yield _Lines(line, width, "dim italic" if section.title == THOUGHT else "")
        return
    # Its own parser would take entities for escapes, drop HTML and hide the targets of links.
    markdown = Markdown("", code_theme="ansi_dark")
    markdown.parsed = _adapt_tokens(tokens)
    yield Padding(markdown, (0, 0, 0, 2))


def _adapt_tokens(tokens: list[Token]) -> list[Token]:
    """Remove links, whose targets stand in the text.

    rich would write them as escapes.
    """
    for token in tokens:
        if token.children is not None:
            token.children = [one for one in token.children if not one.type.startswith("link_")]
        if token.type.startswith("heading_"):
            token.tag = "h3"  # bold, where rich has lower ones dim
    return tokens


class _Lines:
    """Draws a line that is wrapped already.

    `Text` would take long to wrap it again.

    Args:
        line: The line.
        width: Columns to wrap to.
        style: Style of its text; by default that of its role.
    """

    def __init__(self, line: Line, width: int, style: str) -> None:
        self._text = line.wrap(width)
        self._start = len(line.start)
        self._label = Style.parse("yellow" if line.role == "problem" else "dim")
        self._style = Style.parse(style or ROLE_STYLES[line.role])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        start = self._start
        yield Segment(self._text[:start], self._label)
        for number, line in enumerate(self._text[start:].split("\n")):
            room = options.max_width - (0 if number else cell_len(self._text[:start]))
            # A word that is too long for a line goes on in the next.
            pieces = [line] if cell_len(line) <= room else chop_cells(line, max(room, 2))
            for piece in pieces:
                yield Segment(piece, self._style)
                yield Segment.line()
