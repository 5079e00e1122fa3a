"""Which tools the stand-in calls, and the arguments that it finds in a text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_asi_one.testing._tool_choice import (
    find_mentioned_tools,
    make_tool_call,
    pick_argument,
)

TOOLS: list[dict[str, Any]] = [
    {"name": "getWeather", "description": "Forecast of the sky."},
    {"name": "convert_money", "description": "Exchange an amount."},
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Run convert_money on the weather", ["convert_money"]),
        ("How is the WEATHER?", ["getWeather"]),
        ("the forecast, and money", ["getWeather", "convert_money"]),
        ("Tell me what the tools give", []),
    ],
)
def test_a_full_name_goes_before_a_word_in_common(text: str, names: list[str]) -> None:
    assert [tool["name"] for tool in find_mentioned_tools(TOOLS, text)] == names


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("Translate 'good morning' in Rome", "good morning"),
        ("the weather in New York, please", "New York"),
        ("please ask Ada Lovelace", "Ada Lovelace"),
        ("what about giraffes", "giraffes"),
        ("what?", "city"),
    ],
)
def test_the_argument_is_the_most_telling_of_the_text(text: str, argument: str) -> None:
    assert pick_argument(text, "city") == argument


def test_numbers_of_the_text_are_used_in_order() -> None:
    parameters = {"properties": {"a": {"type": "integer"}, "b": {"type": "number"}}}
    call = make_tool_call({"name": "add", "parameters": parameters}, "add 3 and -1.5", "call_1")
    assert (call["id"], call["type"], call["index"]) == ("call_1", "function", -1)
    assert json.loads(call["function"]["arguments"]) == {"a": 3, "b": -1.5}
