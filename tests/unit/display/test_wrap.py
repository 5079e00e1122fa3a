"""Printable text, wrapped while it arrives."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one._json.printable import make_printable
from langchain_asi_one.display._wrap import TextWrapper
from tests.support.examples import examples
from tests.support.hostile import hostile_text


@examples(100)
@given(pieces=st.lists(hostile_text), width=st.none() | st.integers(20, 40))
def test_a_stream_is_wrapped_as_the_whole_is(pieces: list[str], width: int | None) -> None:
    safe = [make_printable(piece) for piece in pieces]
    wrapper, whole = TextWrapper(width=width, first="  "), TextWrapper(width=width, first="  ")
    streamed = "".join(map(wrapper.feed, safe)) + wrapper.close()
    assert streamed == whole.feed("".join(safe)) + whole.close()
    assert "".join(streamed.split()) == "".join("".join(safe).split())


def test_wide_text_is_wrapped_by_columns() -> None:
    wrapper = TextWrapper(width=11, first="> ", rest="  ")
    assert wrapper.feed("東京特許許可局 ok") + wrapper.close() == "> 東京特許\n  許可局 ok"


def test_blanks_at_the_start_of_a_line_stay_and_at_its_end_go() -> None:
    wrapper = TextWrapper(width=None, first="  ", rest="  ")
    assert wrapper.feed("a  \n    b\n\n c ") + wrapper.close() == "  a\n      b\n\n   c"


def test_no_emoji_and_no_letter_is_torn_apart() -> None:
    family = "👨\u200d👩\u200d👧"
    for pieces in ([f"{family} {family}e\u0301"], list(f"{family} {family}e\u0301")):
        wrapper = TextWrapper(width=8)
        assert "".join(map(wrapper.feed, pieces)) + wrapper.close() == f"{family}\n{family}e\u0301"


def test_wrapping_takes_time_in_proportion_to_the_text() -> None:
    for text in ("a" * 200_000, "東" * 200_000, "a\u0301" * 100_000, "\u0301" * 200_000):
        wrapper = TextWrapper(width=40)
        start = time.process_time()
        wrapper.feed(text)
        wrapper.close()
        assert time.process_time() - start < 5
