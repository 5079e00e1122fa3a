"""Cards as HTML."""

from __future__ import annotations

import re

import pytest

from langchain_asi_one.display._agent_status import AGENTS, ANSWERED, SIGNS
from langchain_asi_one.display._html import read_style_sheet, render_card
from langchain_asi_one.display._sections import (
    ABOUT,
    PENDING_LABEL,
    THOUGHT,
    MessageView,
    Row,
    Section,
)
from tests.support.html import words


def render(section: Section, *, waiting: str = "", folded: bool = True) -> str:
    """Return the HTML of a view with one section, without the style."""
    html = render_card([MessageView("answer", "Answer", (section,), waiting)], folded=folded)
    words(html)  # well formed
    return html.partition("</style>")[2]


def test_the_style_sheet_fetches_nothing() -> None:
    assert re.findall(r"(?i)@import|url\(|expression", read_style_sheet()) == []


def test_several_cards_are_a_list_for_a_screen_reader() -> None:
    view = MessageView("asked", "You", (Section("You", "prose", (Row(((None, "Hi"),)),)),))
    assert 'role="list"' not in render_card([view])
    assert render_card([view, view]).count('role="listitem"') == 2


def test_text_of_the_model_is_escaped_wherever_it_stands() -> None:
    hostile = '<b a="1">&amp;'
    row = Row(((hostile, hostile),), hostile, (hostile,))
    for form in ("fields", "numbered", "named", "prose"):
        html = render(Section("Steps", form, (row,)), waiting=hostile)
        assert "<b a" not in html
        assert "&lt;b a=&quot;1&quot;&gt;&amp;amp;" in html


def test_a_thought_is_open_while_it_grows() -> None:
    section = Section(THOUGHT, "prose", (Row(((None, "one"),)),))
    assert "<details open><summary>Thought (1 word, 3 characters)" in render(section, folded=False)
    assert "<details><summary>" in render(section)


def test_a_step_shows_what_became_of_it_once() -> None:
    fields = (("action", "search"), ("state", "timed out"))
    html = render(Section("Steps", "numbered", (Row(fields, mark="failed", mark_label="state"),)))
    assert '<span class="asi1-badge asi1-failed">! timed out</span>' in html
    assert html.count("timed out") == html.count("search") == 1


@pytest.mark.parametrize("status", SIGNS)
def test_an_agent_shows_its_status_and_what_that_means(status: str) -> None:
    row = Row((("address", "agent1q"),), "Weather", status=status, meaning=ANSWERED)
    html = render(Section(AGENTS, "named", (row,)))
    assert f'<span class="asi1-badge asi1-{status}">{SIGNS[status]} {status}</span>' in html
    assert f'<div class="asi1-soft">{ANSWERED}</div>' in html


def test_that_an_answer_is_pending_is_said_at_the_top_only() -> None:
    about = Section(ABOUT, "fields", (Row((("model", "asi1"), (PENDING_LABEL, "later"))),))
    html = render(about, waiting="Still pending")
    assert html.count("Still pending") == 1
    assert PENDING_LABEL not in html


def test_fields_without_labels_are_lines() -> None:
    html = render(Section("Result", "fields", (Row(((None, "one"), (None, "two"))),)))
    assert "<div><bdi>one</bdi></div><div><bdi>two</bdi></div>" in html
    assert "<dl>" not in html
