"""The conversations that the stand-in keeps."""

from __future__ import annotations

from langchain_asi_one.testing._sessions import Sessions


def test_a_session_is_kept_by_its_id() -> None:
    sessions = Sessions()
    sessions.get("a").texts.append("Hello")
    assert sessions.get("a").texts == ["Hello"]
    assert sessions.get("b").texts == []
    sessions.clear()
    assert sessions.get("a").texts == []


def test_without_an_id_nothing_is_kept() -> None:
    sessions = Sessions()
    sessions.get(None).texts.append("Hello")
    assert sessions.get(None).texts == []


def test_the_session_that_was_not_used_for_longest_goes_first() -> None:
    sessions = Sessions()
    for number in range(10_000):
        sessions.get(f"{number}").texts.append("Hello")
    sessions.get("0")
    sessions.get("new")
    assert sessions.get("0").texts == ["Hello"]
    assert sessions.get("1").texts == []
