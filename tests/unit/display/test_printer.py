"""Lines that are printed one after the other."""

from __future__ import annotations

import io

import pytest
from langchain_core.messages import AIMessage

from langchain_asi_one.display._printer import Printer, RichPrinter, choose_printer
from langchain_asi_one.display._sections import ANSWER, THOUGHT
from langchain_asi_one.display._show import card
from langchain_asi_one.display._text import Line, TextSection
from tests.support.terminal import Terminal


def test_deltas_open_sections_and_the_message_prints_the_rest() -> None:
    out = io.StringIO()
    printer = Printer(out, width=None)
    for title, text in [
        (THOUGHT, "\n\n"),
        (THOUGHT, "A gre"),
        (THOUGHT, "eting\u200d."),
        (ANSWER, " \n"),
        (ANSWER, "Hel"),
        (ANSWER, "lo \x1b[31m👩\u200d"),
        (ANSWER, "💻"),
    ]:
        printer.print_delta(title, text)
    extras = {"thought": "A greeting.", "intermediate_steps": ["looked"]}
    printer.print_message(AIMessage("Hello", additional_kwargs=extras))
    assert out.getvalue() == (
        "\nThought\n  A greeting.\n\nAnswer\n  Hello \\x1b[31m👩\u200d💻\n\nSteps\n  1. looked\n"
    )


def test_notices_sections_and_cards() -> None:
    out = io.StringIO()
    printer = Printer(out, width=20)
    printer.print_notice("one\ntwo three four five six", "bold")
    printer.print_section(TextSection("Title", (Line("text", "label  "),)))
    printer.print_card(card(AIMessage("Hi")))
    assert out.getvalue() == (
        "one two three four\nfive six\n\nTitle\n  label  text\n\nAnswer\n  Hi\n"
    )


def test_colour_is_for_terminals_that_can_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    printer = choose_printer(out)
    assert isinstance(printer, RichPrinter)
    printer.print_section(TextSection("Title", (Line("wrong", "  ! ", "problem"),)))
    assert "\x1b[33m    ! \x1b[0m\x1b[33mwrong" in out.getvalue()
    assert type(choose_printer(io.StringIO())) is Printer
