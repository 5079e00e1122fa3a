"""Cards on a terminal with rich."""

from __future__ import annotations

from rich.console import Console

from langchain_asi_one.display._card import Card
from langchain_asi_one.display._rich import CardTail, RichCard, open_console, render_title
from langchain_asi_one.display._sections import ANSWER, THOUGHT, MessageView, Row, Section
from tests.support.terminal import Terminal


def draw(drawn: object, *, width: int = 40, height: int = 25) -> str:
    """Return what is written to a terminal without colours."""
    out = Terminal()
    console = Console(file=out, width=width, height=height, color_system=None)
    console.print(drawn)
    return out.getvalue()


def make_card(title: str, text: str, *, live: str = "") -> Card:
    section = Section(title, "prose", (Row(((None, text),)),))
    return Card((MessageView("answer", "Answer", (section,)),), live=live)


def test_nothing_in_a_text_is_taken_for_markup() -> None:
    console = open_console(Terminal())
    with console.capture() as captured:
        console.print("[bold]x[/bold] :smile:")
    assert captured.get() == "[bold]x[/bold] :smile:\n"


def test_a_title_has_a_rule() -> None:
    text = draw(RichCard(make_card(THOUGHT, "one two")))
    assert text.splitlines()[1:] == [f"Thought {'─' * 32}", "  one two"]
    assert [type(line).__name__ for line in render_title("T")] == ["Text", "Rule"]


def test_markdown_is_drawn_in_an_answer_only() -> None:
    assert "  • one" in draw(RichCard(make_card(ANSWER, "- one")))
    assert "  - one" in draw(RichCard(make_card(THOUGHT, "- one")))


def test_a_link_becomes_text_with_its_target() -> None:
    text = draw(RichCard(make_card(ANSWER, "[here](https://a.example)")))
    assert "here (https://a.example)" in text
    assert "\x1b]8" not in text


def test_a_long_word_goes_on_in_the_next_line() -> None:
    lines = draw(RichCard(make_card(THOUGHT, "x" * 50)), width=30).splitlines()
    assert "".join(line.strip() for line in lines[2:]) == "x" * 50
    assert max(map(len, lines)) == 30


def test_the_tail_is_what_fits_the_screen() -> None:
    lines = "\n".join(f"line {number}" for number in range(30))
    card = make_card(THOUGHT, lines, live="Thinking…")
    shown = draw(CardTail(card), height=8).splitlines()
    assert shown[-1] == "Thinking…"
    assert len(shown) == 8 - 2
    assert "line 29" in shown[-3]
