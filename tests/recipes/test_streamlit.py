"""The chat of the guide, driven as Streamlit drives it for a browser tab."""

from __future__ import annotations

import os

import pytest
import streamlit
from streamlit.testing.v1 import AppTest

from langchain_asi_one.testing import LocalASIOne, fault
from tests.recipes.conftest import Project


@pytest.fixture
def chat(project: Project, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    for name, value in project.environment.items():
        if name not in os.environ:
            monkeypatch.setenv(name, value)
    streamlit.cache_resource.clear()  # or the model of the test before would be used
    return AppTest.from_file(str(project.folder / "chat_app.py"), default_timeout=60).run()


def say(chat: AppTest, text: str) -> None:
    chat.chat_input[0].set_value(text).run()
    assert [*chat.exception] == []


def test_a_conversation(chat: AppTest, server: LocalASIOne) -> None:
    say(chat, "Hello")
    say(chat, "What did I say?")
    assert [message.name for message in chat.chat_message] == ["human", "ai"] * 2
    texts = [message.markdown[0].value for message in chat.chat_message]
    assert texts[0::2] == ["Hello", "What did I say?"]
    assert 'You said: "Hello"' in texts[1]
    assert 'Earlier in this session you said: "Hello"' in texts[3]
    thoughts = [message.expander[0].text[0].value for message in chat.chat_message[1::2]]
    assert all("a fixed rule answers" in thought for thought in thoughts)
    first, second = server.requests
    assert first.session_id == second.session_id
    assert [one["role"] for one in second.body["messages"]] == ["user", "assistant", "user"]


def test_two_tabs_are_two_sessions(chat: AppTest, project: Project, server: LocalASIOne) -> None:
    other = AppTest.from_file(str(project.folder / "chat_app.py"), default_timeout=60).run()
    say(chat, "Hello")
    say(other, "Hello")
    assert len({request.session_id for request in server.requests}) == 2


def test_a_failure_is_shown_and_can_be_asked_again(chat: AppTest, server: LocalASIOne) -> None:
    server.enqueue(fault("http_401"))
    say(chat, "Hello")
    assert "401" in chat.error[0].value
    say(chat, "Hello again")
    assert [*chat.error] == []
    assert [one["content"] for one in server.requests[-1].body["messages"]] == ["Hello again"]


def test_html_of_an_answer_is_text(chat: AppTest) -> None:
    say(chat, "<script>alert(1)</script>")
    assert not any(markdown.allow_html for markdown in chat.markdown)
