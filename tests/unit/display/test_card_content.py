"""The sections of a message."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, ToolMessage

from langchain_asi_one.display._card_content import MAX_ROWS, list_answer_sections, view_message
from langchain_asi_one.display._sections import shorten
from langchain_asi_one.testing._agents import WEATHER_AGENT
from tests.support.graphs import naming


@pytest.mark.parametrize(
    ("message", "speaker", "label", "titles"),
    [
        (HumanMessage("Hi"), "asked", "You", ["You"]),
        (HumanMessage([]), "asked", "You", ["You"]),
        (ChatMessage(content="Hi", role="x"), "asked", "Other message", ["Other message"]),
        (
            ToolMessage("12", tool_call_id="1"),
            "asked",
            "Result of a tool",
            ["Result of a tool", "Result"],
        ),
        (AIMessage("Hi"), "answer", "Answer of the model", ["Answer"]),
        (
            AIMessage("Hi", response_metadata={"model_provider": "asi-one"}),
            "answer",
            "Answer of ASI:One",
            ["Answer"],
        ),
    ],
)
def test_each_message_has_a_speaker(
    message: BaseMessage, speaker: str, label: str, titles: list[str]
) -> None:
    view = view_message(message)
    assert (view.speaker, view.label) == (speaker, label)
    assert [section.title for section in view.sections] == titles


def named(message: AIMessage) -> list[str]:
    sections = list_answer_sections(message)
    return [row.name for one in sections if one.title == "Agents named" for row in one.rows]


def test_an_agent_is_shown_again_only_if_something_is_new() -> None:
    address, name = WEATHER_AGENT["address"], WEATHER_AGENT["name"]
    fewer: dict[str, Any] = {"address": address, "name": name}
    assert named(naming(WEATHER_AGENT, fewer)) == [name]
    assert named(naming(WEATHER_AGENT, {**fewer, "name": "Other"})) == [name, "Other"]
    assert named(naming(WEATHER_AGENT, {**fewer, "address": address[:-1] + "3"})) == [name]


def test_a_section_has_a_limit_and_says_so() -> None:
    message = AIMessage("x", additional_kwargs={"intermediate_steps": ["s"] * (MAX_ROWS + 5)})
    [steps] = [one for one in list_answer_sections(message) if one.title == "Steps"]
    assert len(steps.rows) == MAX_ROWS + 1
    assert steps.rows[-1].fields == ((None, "(5 more, not shown)"),)


def test_a_long_value_is_cut_and_says_so() -> None:
    assert shorten("x" * 400) == "x" * 400
    assert shorten("x" * 1_401) == "x" * 400 + "... (1,001 more characters)"
    assert shorten("x" * 399 + "👩\u200d💻") == "x" * 399 + "👩... (2 more characters)"
    assert shorten({"a": [1, "é"]}) == '{"a": [1, "é"]}'
