"""Sections and rows as data."""

from __future__ import annotations

import pytest

from langchain_asi_one.display._sections import Row, Section, shorten, to_text


def test_the_text_of_a_section_has_no_labels() -> None:
    rows = (Row((("a", "one"), (None, "two"))), Row((("b", "three"),)))
    assert Section("T", "fields", rows).text == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("value", "text"),
    [("as it is", "as it is"), ({"é": [1, None]}, '{"é": [1, null]}'), (float("nan"), "null")],
)
def test_a_value_as_text(value: object, text: str) -> None:
    assert to_text(value) == text


def test_a_long_value_is_cut_with_a_note_of_the_rest() -> None:
    assert shorten("x" * 400) == "x" * 400
    assert shorten("x" * 1_401) == f"{'x' * 400}... (1,001 more characters)"
    # The joiner before the cut joins nothing.
    assert shorten("x" * 398 + "👩\u200d👧") == "x" * 398 + "👩... (1 more characters)"
    assert shorten("one\n two") == "one two"
