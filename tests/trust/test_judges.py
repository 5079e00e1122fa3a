"""The quick part of `make judges`: how outcomes are judged, and the tables."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage

from tests.trust.judges import langchain_suite, mock_server, proxy
from tests.trust.judges.run import list_faults, tabulate
from tests.trust.wire_server import ANSWER, ROWS

TYPED = openai.APIConnectionError(message="no", request=None)  # type: ignore[arg-type]
WHOLE: dict[str, Any] = {"status": 200}
BROKEN = {"status": 500, "chaosAction": "drop"}


@pytest.mark.parametrize(
    ("outcome", "answered", "kind"),
    [
        (AIMessage("Hello from the mock, in several pieces of text."), [WHOLE], "right"),
        (AIMessage("Hello"), [WHOLE], "wrong"),
        (AIMessage("Hello"), [{"status": 200, "interrupted": True}], "accepted"),
        (TYPED, [BROKEN], "typed"),
        (TYPED, [WHOLE], "wrong"),
        (TYPED, [BROKEN, BROKEN], "tries"),
        (ValueError("no"), [BROKEN], "raw"),
    ],
)
def test_an_answer_of_aimock_is_judged(
    outcome: Any, answered: list[dict[str, Any]], kind: str
) -> None:
    assert mock_server.judge("text", outcome, answered) == kind


@pytest.mark.parametrize(
    ("row", "told", "outcome", "seconds", "kind"),
    [
        ("F17 CRLF", ANSWER, ANSWER, 0, "right"),
        ("F17 CRLF", None, TYPED, 0, "typed"),  # the proxy made an error of it
        ("F17 CRLF", ANSWER, TYPED, 0, "wrong"),
        ("F9 no finish_reason", "{", "{", 0, "right"),  # the proxy made an answer of it
        ("F9 no finish_reason", None, "{", 0, "accepted"),
        ("F9 no finish_reason", None, TYPED, 0, "typed"),
        ("F9 no finish_reason", None, KeyError("no"), 0, "raw"),
        ("F11 stall", None, TYPED, 99, "late"),
    ],
)
def test_an_answer_of_the_proxy_is_judged(
    row: str, told: str | None, outcome: Any, seconds: float, kind: str
) -> None:
    assert proxy.judge(ROWS[row], "stream", told, outcome, seconds) == kind


def test_a_plain_request_is_read() -> None:
    piece = 'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": %s}]}\n\n'
    assert proxy.read_answer(piece % "null" + piece % '"stop"', streamed=True) == "aa"
    assert proxy.read_answer(piece % "null", streamed=True) is None
    assert proxy.read_answer(piece % '"stop"' + 'data: {"error": {}}\n\n', streamed=True) is None
    assert proxy.read_answer('{"choices": [{"message": {"content": "a"}}]}', streamed=False) == "a"
    assert proxy.read_answer('{"error": "no"}', streamed=False) is None


def test_what_must_not_come_is_named() -> None:
    row: dict[str, Any] = {"peer": "ChatASIOne", "cases": 8, "route": "own"}
    row |= dict.fromkeys((*mock_server.KINDS, *proxy.KINDS, *proxy.MIXED), 0) | {"right": 7}
    text = "E BlockingError: Blocking call to socket.socket.connect"
    why = langchain_suite.explain("test_framework test_hook", text)
    assert why in langchain_suite.REASONS
    assert langchain_suite.explain("test_other", "AssertionError") == "unexplained"
    suite = {"version": "1", "tests": 9, "fakes": 9, "passed": 7, "skipped": 0}
    figures = {
        "date": "1 December 2026",
        "versions": {"aimock": "2"},
        "mock_server": [row | {"examples": {"raw: invoke": 1}}],
        "proxy": [
            {"faults": [row | {"examples": []}], "mixed": [row | {"examples": ["mixed: 1"]}]}
        ],
        "langchain_suite": suite | {"reasons": {why: 2}, "unexplained": ["test_other"]},
    }
    assert list_faults(figures) == ["raw: invoke", "mixed: 1", "test_other"]
    table = tabulate(figures).splitlines()
    assert "| ChatASIOne, 8 questions | 7 | 0 | 0 | 0 | 0 | 0 |" in table
    assert "| ChatASIOne, its own route | 7 | 0 | 0 | 0 | 0 | 0 |" in table
    assert f"| failed: {why} | 2 |" in table
