"""Tool calls and structured output of the stand-in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.stand_in_wire import (
    SPEECH,
    TIME_TOOL,
    WEATHER_TOOL,
    Json,
    ask,
    chunks_of,
    read_message,
)

if TYPE_CHECKING:
    import httpx


def test_a_mentioned_tool_is_called(client: httpx.Client) -> None:
    question = "What is the weather in San Francisco, CA?"
    response = ask(client, question, tools=[WEATHER_TOOL, TIME_TOOL])
    message = read_message(response)
    (call,) = message["tool_calls"]
    assert re.fullmatch(r"call_[0-9a-f]{24}", call["id"])
    assert (call["type"], call["index"]) == ("function", -1)
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"location": "San Francisco, CA"}
    assert message["content"].startswith(SPEECH)
    assert response.json()["choices"][0]["finish_reason"] == "tool_calls"

    asked = {"role": "user", "content": question}
    result = {"role": "tool", "tool_call_id": call["id"], "content": '{"sky": "clear"}'}
    history = [asked, {**message, "content": None}, result]
    after = read_message(ask(client, messages=history, tools=[WEATHER_TOOL]))
    assert after["tool_calls"] is None
    assert '{"sky": "clear"}' in after["content"]


@pytest.mark.parametrize(
    ("text", "fields", "called"),
    [
        ("Hello", {}, []),
        ("Hello", {"tool_choice": "required"}, ["get_weather"]),
        ("weather, and the hour", {}, ["get_weather", "local_clock"]),
        ("weather, and the hour", {"parallel_tool_calls": False}, ["get_weather"]),
        ("weather", {"tool_choice": "none"}, []),
        (
            "weather",
            {"tool_choice": {"type": "function", "function": {"name": "local_clock"}}},
            ["local_clock"],
        ),
        ("use local_clock for the weather", {"tool_choice": "auto"}, ["local_clock"]),
    ],
)
def test_tool_choice(client: httpx.Client, text: str, fields: Json, called: list[str]) -> None:
    message = read_message(ask(client, text, tools=[WEATHER_TOOL, TIME_TOOL], **fields))
    assert [call["function"]["name"] for call in message["tool_calls"] or []] == called


def test_required_goes_on_to_the_next_tool(client: httpx.Client) -> None:
    fields: Json = {"tools": [WEATHER_TOOL, TIME_TOOL], "tool_choice": "required"}
    message = read_message(ask(client, "weather in Rome", **fields))
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "mild"}
    history = [{"role": "user", "content": "weather in Rome"}, message, result]
    following = read_message(ask(client, messages=history, **fields))
    assert [call["function"]["name"] for call in following["tool_calls"]] == ["local_clock"]


def test_streamed_calls_are_deltas(client: httpx.Client) -> None:
    tools = [WEATHER_TOOL, TIME_TOOL]
    response = ask(client, "weather in Rome, Italy, and the hour", tools=tools, stream=True)
    chunks = chunks_of(response.content)
    deltas = [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])]
    opened = [delta for delta in deltas if delta["id"]]
    assert [(d["index"], d["function"]["name"]) for d in opened] == [
        (0, "get_weather"),
        (1, "local_clock"),
    ]
    arguments = "".join(d["function"]["arguments"] for d in deltas if d["index"] == 0)
    assert json.loads(arguments) == {"location": "Rome, Italy"}
    assert len([delta for delta in deltas if delta["index"] == 0]) > 2
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_arguments_and_json_fit_the_schema(client: httpx.Client) -> None:
    schema = {
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 80, "maxLength": 90},
                    "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                },
                "required": ["name"],
            }
        },
        "type": "object",
        "properties": {
            "amount": {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 4},
            "ratio": {"type": "number", "maximum": 0.5},
            "unit": {"enum": ["celsius", "kelvin"]},
            "kind": {"const": "k"},
            "day": {"type": "string", "format": "date"},
            "tags": {"type": "array", "items": {"type": "boolean"}, "minItems": 2},
            "node": {"$ref": "#/$defs/Node"},
            "both": {"allOf": [{"type": "object", "properties": {"a": {"type": "null"}}}]},
            "maybe": {"type": ["string", "null"], "default": None},
        },
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    value = json.loads(
        read_message(ask(client, "in Kelvin please", response_format=form))["content"]
    )
    assert value["amount"] > 10
    assert value["amount"] % 4 == 0
    assert value["ratio"] <= 0.5
    assert value["tags"] == [True, True]
    assert value["both"] == {"a": None}
    assert value["maybe"] is None
    assert (value["unit"], value["kind"], value["day"]) == ("kelvin", "k", "2026-01-14")
    assert value["node"]["name"].startswith(SPEECH)
    assert 80 <= len(value["node"]["name"]) <= 90
    assert "next" in value["node"]


def test_json_object_takes_the_fields_that_the_prompt_quotes(client: httpx.Client) -> None:
    form = {"type": "json_object"}
    text = "Joke as JSON with 'setup' and 'punchline' keys"
    assert set(json.loads(read_message(ask(client, text, response_format=form))["content"])) == {
        "setup",
        "punchline",
    }
    plain = ask(client, "Joke as JSON", response_format=form)
    assert set(json.loads(read_message(plain)["content"])) == {"answer"}
