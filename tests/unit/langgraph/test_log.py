"""Errors in logs and results, whatever their text is."""

from __future__ import annotations

import logging

import pytest

from langchain_asi_one.langgraph._log import describe_error, log_places


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
        (ValueError("a\x00b\ud800"), "ValueError: ab\ufffd"),
        (Silent(), "Silent"),
        (ValueError("x" * 1_000_000), f"ValueError: {'x' * 488}…"),
    ],
)
def test_an_error_is_one_short_printable_line(error: Exception, text: str) -> None:
    assert describe_error(error) == text
    assert describe_error(error).isprintable()


def test_places_are_logged_without_the_message(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("the " + "message")

    with caplog.at_level(logging.DEBUG):
        try:
            fail()
        except ValueError as error:
            log_places(logging.getLogger("test"), error)
    [record] = caplog.records
    assert "in fail" in record.getMessage()
    assert "the message" not in caplog.text
