"""Where cards are shown: a notebook, a terminal or a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from langchain_asi_one.display._terminal import find_width, fit_encoding, supports_rich

if TYPE_CHECKING:
    from rich.live import Live

    from langchain_asi_one.display._card import Card


class Output(Protocol):
    """A place that shows a growing card, and then the whole."""

    def update(self, card: Card) -> None:
        """Show the card as it is now."""

    def finish(self, card: Card) -> None:
        """Show the whole card; no update follows."""


class NotebookOutput:
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


class RichOutput:
    """A terminal with rich: a growing card's end, then the whole.

    Args:
        out: The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        from langchain_asi_one.display._rich import open_console  # noqa: PLC0415 - optional

        self._console = open_console(out)
        self._live: Live | None = None

    def update(self, card: Card) -> None:
        """Show the end of a growing card."""
        from rich.live import Live  # noqa: PLC0415 - optional

        from langchain_asi_one.display._rich import CardTail  # noqa: PLC0415 - optional

        if self._live is None:
            self._live = Live(
                console=self._console,
                transient=True,
                auto_refresh=False,
                vertical_overflow="crop",
            )
            self._live.start()
        self._live.update(CardTail(card), refresh=True)

    def finish(self, card: Card) -> None:
        """Remove the growing card and write the whole."""
        if self._live is not None:
            self._live.stop()
        self._console.print(card)


class PlainOutput:
    """A file, or a terminal without rich: text, once.

    Args:
        out: The file.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def update(self, card: Card) -> None:
        """Write nothing yet: text in a file cannot be taken back."""

    def finish(self, card: Card) -> None:
        """Write the text."""
        live = f"\n\n{card.live}" if card.live else ""
        text = f"{card.text(find_width(self._out))}{live}\n"
        self._out.write(fit_encoding(text, self._out))
        self._out.flush()


def choose_output(file: TextIO | None) -> Output:
    """Return the output for `file`; without one, the notebook's or standard output."""
    if file is None and is_notebook():
        return NotebookOutput()
    out = sys.stdout if file is None else file
    return RichOutput(out) if supports_rich(out) else PlainOutput(out)


def is_notebook() -> bool:
    """Return whether this runs in a notebook's kernel. Does not import IPython."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None
