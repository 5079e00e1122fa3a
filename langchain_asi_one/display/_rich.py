"""A card on a terminal, with rich: what text says, with titles, styles and drawn Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TextIO

from rich.console import Console, Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.rule import Rule
from rich.segment import Segment
from rich.text import Text

from langchain_asi_one.display._markdown import safe_tokens
from langchain_asi_one.display._text import NARROWEST, Line, Section, laid_out
from langchain_asi_one.display._view import ANSWER, THOUGHT, Part

if TYPE_CHECKING:
    from markdown_it.token import Token
    from rich.console import ConsoleOptions, RenderResult

    from langchain_asi_one.display._card import Card

_WIDEST: Final = 100  # longer lines are hard to read
_ROLES: Final = {"text": "default", "name": "bold", "problem": "yellow"}


def console_on(out: TextIO) -> Console:
    """Open a terminal: what is written there is never taken for markup."""
    return Console(file=out, highlight=False, markup=False, emoji=False)


def drawn(card: Card) -> RenderableType:
    """Lay a card out."""
    return _Drawn(card)


class Tail:
    """The last lines of a card: as much as fits on the screen while it grows.

    Args:
        card: The card.
    """

    def __init__(self, card: Card) -> None:
        self._card = card

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw."""
        free = options.update(height=None)
        lines = console.render_lines(_Drawn(self._card), free, pad=False)
        for line in lines[-max(console.height - 2, 1) :]:
            yield from line
            yield Segment.line()


class _Drawn:
    def __init__(self, card: Card) -> None:
        self._card = card

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(min(options.max_width, _WIDEST), NARROWEST)
        free = options.update(width=width)
        made = Group(*self._parts(width))
        yield from console.render(made, free)

    def _parts(self, width: int) -> Iterator[RenderableType]:
        turns = [part for turn in self._card.turns for part in turn.parts]
        whole = self._card.sections
        before = len(whole) - sum(bool(laid_out([part])) for part in turns)
        for section in whole[:before]:
            yield from _section(section, width)
        for part in turns:
            for section in laid_out([part]):
                yield from _answer(part, section, width)
        if self._card.live:
            yield Text(f"\n{self._card.live}", "dim")


def _answer(part: Part, section: Section, width: int) -> Iterator[RenderableType]:
    tokens = safe_tokens(part.text) if part.title == ANSWER and part.form == "prose" else None
    if tokens is None:
        yield from _section(section, width)
        return
    # Its own parser would take entities for escapes, drop HTML and hide the targets of links.
    said = Markdown("", code_theme="ansi_dark")
    said.parsed = _for_terminals(tokens)
    yield from _title(section.title)
    yield Padding(said, (0, 0, 0, 2))


def _for_terminals(tokens: list[Token]) -> list[Token]:
    """The same without links, which rich writes as escapes: their targets stand in the text."""
    for token in tokens:
        if token.children is not None:
            token.children = [one for one in token.children if not one.type.startswith("link_")]
        if token.type.startswith("heading_"):
            token.tag = "h3"  # bold, where rich has lower ones dim
    return tokens


def _section(section: Section, width: int) -> Iterator[RenderableType]:
    yield from _title(section.title)
    for line in section.lines:
        yield _line(line, width, "dim italic" if section.title == THOUGHT else "")


def _title(title: str) -> Iterator[RenderableType]:
    yield Text("")
    yield Rule(Text(title, "bold cyan"), align="left", style="dim cyan")


def _line(line: Line, width: int, style: str) -> Text:
    text = line.wrapped(width)
    start = len(line.start)
    made = Text(overflow="fold")
    made.append(text[:start], "yellow" if line.role == "problem" else "dim")
    return made.append(text[start:], style or _ROLES[line.role])
