"""Untrusted text made safe to print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one._json.printable import (
    _REPLACEMENTS,
    PrintableStream,
    describe_error,
    make_one_line,
    make_printable,
)
from tests.support.examples import examples
from tests.support.hostile import hostile_text


@pytest.fixture(autouse=True)
def _forget_replacements() -> None:
    """Let each test compute what stands for a character."""
    _REPLACEMENTS.clear()


HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\u200b\U000e0041\x9b31m\rover\x08\x00\x7f"


def test_hostile_text_is_shown_and_does_nothing() -> None:
    assert make_printable(HOSTILE) == (
        r"\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\U000e0041\x9b31mover\x08\x00\x7f"
    )
    assert make_printable("a\tb\u00a0c\u2028d\r\ne\ufe0f\u00ad\u200b") == "a    b c\nd\ne"


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧 ❤\ufe0f ✈\ufe0e 🏳\ufe0f\u200d🌈 👩🏽\u200d🚀",
        "1\ufe0f\u20e3 #\ufe0f\u20e3",
        "\u0645\u06cc\u200c\u062e\u0648",  # Persian
        "क\u094d\u200dष",  # Hindi
        "葛\U000e0100",  # a variant of an ideograph
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland
    ],
)
def test_joiners_stay_where_a_script_or_an_emoji_needs_them(text: str) -> None:
    assert make_printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay\u200dpal pay\u200cpal", "paypal paypal"),
        ("agent1\ufe0f 1\ufe0f", "agent1 1"),
        ("👩\u200d\u200d👧 👩\ufe0f\ufe0f \u200d👧", "👩👧 👩\ufe0f 👧"),
        ("a\ufe0f\u200d👩", "a👩"),
        ("👩\u202e\u200d👧", r"👩\u202e👧"),
        ("🏴\U000e0067\U000e007f", r"🏴\U000e0067\U000e007f"),
        (
            "x\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"[:3],
            r"x\U000e0067\U000e0062",
        ),
    ],
)
def test_joiners_go_where_they_could_hide_something(text: str, shown: str) -> None:
    assert make_printable(text) == shown


@examples(100)
@given(pieces=st.lists(hostile_text))
def test_pieces_are_made_safe_as_the_whole_is(pieces: list[str]) -> None:
    stream = PrintableStream()
    assert "".join(map(stream.feed, pieces)) + stream.close() == make_printable("".join(pieces))


def test_one_line_is_one_line() -> None:
    assert make_one_line("a\r\nb\u2029 c\x0b\t") == r"a b c\x0b"


class Silent(Exception):  # noqa: N818 - an exception that cannot even be printed
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (TimeoutError(), "TimeoutError"),
        (
            ValueError("two\nlines\t\x1b[2J\u202e\u2028\x85end"),
            r"ValueError: two lines \x1b[2J\u202e end",
        ),
        (ValueError("a\x00b\ud800"), r"ValueError: a\x00b\ud800"),
        (Silent(), "Silent"),
        (ValueError("x" * 488), f"ValueError: {'x' * 488}"),
        (ValueError("x" * 489), f"ValueError: {'x' * 488}…"),
        (ValueError("x" * 1_000_000), f"ValueError: {'x' * 488}…"),
    ],
)
def test_an_error_is_one_short_printable_line(error: Exception, text: str) -> None:
    assert describe_error(error) == text
    assert describe_error(error).isprintable()


def test_pieces_are_printed_like_the_whole() -> None:
    stream = PrintableStream()
    pieces = [
        stream.feed(piece) for piece in ("\U0001f468", "\u200d", "\U0001f469a", "\u200d", "b")
    ]
    assert "".join([*pieces, stream.close()]) == "\U0001f468\u200d\U0001f469ab"
    assert PrintableStream().close() == ""
