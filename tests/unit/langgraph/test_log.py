"""Where an error was raised, in a log."""

from __future__ import annotations

import logging

import pytest

from langchain_asi_one.langgraph._log import log_places


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
