"""Untrusted text made safe to print."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one._json.printable import one_line, printable
from tests.support.examples import examples
from tests.support.hostile import hostile_text

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\u200b\U000e0041\x9b31m\rover\x08\x00\x7f"


def test_hostile_text_is_shown_and_does_nothing() -> None:
    assert printable(HOSTILE) == (
        r"\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\U000e0041\x9b31mover\x08\x00\x7f"
    )
    assert printable("a\tb\u00a0c\u2028d\r\n👩\u200d💻\ufe0f") == "a    b c\nd\n👩💻"


@examples(100)
@given(pieces=st.lists(hostile_text))
def test_pieces_are_made_safe_as_the_whole_is(pieces: list[str]) -> None:
    assert "".join(map(printable, pieces)) == printable("".join(pieces))


def test_one_line_is_one_line() -> None:
    assert one_line("a\r\nb\u2029 c\x0b\t") == r"a b c\x0b"
