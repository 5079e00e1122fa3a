"""Where cards are shown: a notebook, a terminal or a file."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, TextIO

from langchain_asi_one.display._text import NARROWEST

if TYPE_CHECKING:
    from rich.live import Live

    from langchain_asi_one.display._card import Card
    from langchain_asi_one.display._live import Place

_WIDEST: Final = 100


class Notebook:
    """An output cell: one display, updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def update(self, card: Card) -> None:
        """Show a card instead of the last one."""
        if self._handle is None:
            from IPython.display import display  # noqa: PLC0415 - a notebook has it

            self._handle = display(card, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(card)

    finish = update


class Terminal:
    """A terminal with rich: the last lines while a stream runs, then the whole.

    Args:
        out: The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        from langchain_asi_one.display._rich import console_on  # noqa: PLC0415 - optional

        self._console = console_on(out)
        self._live: Live | None = None

    def update(self, card: Card) -> None:
        """Show the end of a growing card."""
        from rich.live import Live  # noqa: PLC0415 - optional

        from langchain_asi_one.display._rich import Tail  # noqa: PLC0415 - optional

        if self._live is None:
            self._live = Live(
                console=self._console,
                transient=True,
                auto_refresh=False,
                vertical_overflow="crop",
            )
            self._live.start()
        self._live.update(Tail(card), refresh=True)

    def finish(self, card: Card) -> None:
        """Take the growing card away and write the whole."""
        if self._live is not None:
            self._live.stop()
        self._console.print(card)


class Plain:
    """A file, or a terminal without rich: text, once.

    Args:
        out: The file.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def update(self, card: Card) -> None:
        """Write nothing yet: what is written cannot be taken back."""

    def finish(self, card: Card) -> None:
        """Write the text."""
        width = None
        if self._out.isatty():
            width = max(min(shutil.get_terminal_size().columns, _WIDEST), NARROWEST)
        live = f"\n\n{card.live}" if card.live else ""
        self._out.write(f"{card.text(width)}{live}\n")
        self._out.flush()


def place_for(file: TextIO | None) -> Place:
    """Choose where to show: the file if one is given, else the notebook, else standard output."""
    if file is None and in_notebook():
        return Notebook()
    out = sys.stdout if file is None else file
    if out.isatty() and os.environ.get("TERM") != "dumb" and find_spec("rich"):
        return Terminal(out)
    return Plain(out)


def in_notebook() -> bool:
    """Whether this runs in a notebook's kernel. Does not import IPython."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None
