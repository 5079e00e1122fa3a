"""The conversations that the stand-in keeps."""

from __future__ import annotations

from langchain_asi_one.testing._sessions import Sessions


def test_a_session_is_kept_by_its_id() -> None:
    sessions = Sessions()
    sessions.get("a").add("Hello")
    assert [*sessions.get("a").texts] == ["Hello"]
    assert [*sessions.get("b").texts] == []
    sessions.clear()
    assert [*sessions.get("a").texts] == []


def test_without_an_id_nothing_is_kept() -> None:
    sessions = Sessions()
    sessions.get(None).add("Hello")
    assert [*sessions.get(None).texts] == []


def test_the_session_that_was_not_used_for_longest_goes_first() -> None:
    sessions = Sessions()
    for number in range(1_000):
        sessions.get(f"{number}").add("Hello")
    sessions.get("0")
    sessions.get("new")
    assert sessions.get("0").turns == 1
    assert sessions.get("1").turns == 0


def test_a_session_keeps_the_last_texts_and_counts_all() -> None:
    session = Sessions().get("a")
    for number in range(150):
        session.add(f"{number} {'x' * 2_000}")
    assert session.turns == 150
    assert [text.partition(" ")[0] for text in session.texts] == [str(n) for n in range(50, 150)]
    assert {len(text) for text in session.texts} == {1_000}
