"""The reasoning text is found in whichever field it comes, and text in whichever form."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one._response.reasoning import THOUGHT_FIELDS, ReasoningReader, read_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a", "a"),
        (["a", {"type": "text", "text": "b"}, None, ["c"]], "abc"),
        ({"text": "a", "x": 1}, "a"),
        ({"text": 1}, '{"text": 1}'),
        ({"é": 1}, '{"é": 1}'),
        (5, "5"),
        (True, "true"),
        ([], ""),
    ],
)
def test_read_text(value: Any, text: str) -> None:
    assert read_text(value) == text


def test_the_innermost_level_that_is_not_blank_counts() -> None:
    reader = ReasoningReader()
    assert reader.feed([{"thought": " "}, {"thought": "a"}, {"thought": "b"}]) == "a"
    assert reader.text == "a"
    assert reader.find_unused() == {}


@pytest.mark.parametrize("name", THOUGHT_FIELDS)
def test_the_first_field_that_is_not_blank_stays_the_source(name: str) -> None:
    other = next(field for field in THOUGHT_FIELDS if field != name)
    reader = ReasoningReader()
    assert [reader.feed([{name: " "}]), reader.feed([{name: "a"}])] == ["", " a"]
    assert reader.feed([{other: "b", name: "c"}]) == "c"
    assert reader.feed_text(other, "d") == ""
    assert reader.feed_text(name, "e") == "e"
    assert (reader.text, reader.find_unused()) == (" ace", {other: "bd"})


def test_a_list_is_sent_again_or_goes_on() -> None:
    reader = ReasoningReader()
    sent: list[Any] = [["a"], ["a", "b"], ["a", "b"], ["c"], [None]]
    assert [reader.feed([{"thought": items}]) for items in sent] == ["a", "\nb", "", "\nc", ""]
    assert reader.text == "a\nb\nc"


def test_a_whole_message_adds_what_is_missing() -> None:
    reader = ReasoningReader()
    reader.feed([{"reasoning": "He"}])
    assert reader.feed([{}], {}) == ""
    assert reader.feed([{}], {"thought": "x"}) == ""
    assert reader.feed([{}], {"reasoning": "Hello"}) == "llo"
    assert reader.feed([{}], {"reasoning": "Other"}) == ""
    assert (reader.text, reader.find_unused()) == ("Hello", {"thought": "x"})
