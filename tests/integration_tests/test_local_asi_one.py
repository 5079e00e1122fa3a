"""The stand-in for ASI:One over real sockets: what is on the wire, by raw httpx."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

import langchain_asi_one.testing as asi_testing
from langchain_asi_one.testing import (
    FAULTS,
    SAMPLES,
    LocalASIOne,
    answer,
    as_body,
    as_stream,
    fault,
    local_asi_one,
    raw,
    sample,
    stream,
)

KEY = "sk_canary_0123456789"
STREAM_SAMPLE = "asi1-mini-2025-02-stream-thought.sse"
SAMPLE_NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md")
SPEECH = "[local stand-in] "
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather at a location.",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}
TIME_TOOL = {
    "type": "function",
    "function": {"name": "local_clock", "description": "Current hour of a city."},
}

Json = dict[str, Any]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[LocalASIOne]:
    with local_asi_one() as server:
        yield server


@pytest.fixture
def server(shared_server: LocalASIOne) -> LocalASIOne:
    shared_server.clear()
    return shared_server


@pytest.fixture
def client(server: LocalASIOne) -> Iterator[httpx.Client]:
    with client_of(server) as opened:
        yield opened


def client_of(server: LocalASIOne, **headers: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {KEY}", **headers}
    return httpx.Client(base_url=server.base_url, headers=headers, timeout=5, trust_env=False)


def request_body(text: str = "Hello", **fields: Any) -> Json:
    return {"model": "asi1", "messages": [{"role": "user", "content": text}], **fields}


def ask(client: httpx.Client, text: str = "Hello", **fields: Any) -> httpx.Response:
    return client.post("/chat/completions", json=request_body(text, **fields))


def said(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    message = response.json()["choices"][0]["message"]
    assert isinstance(message, dict)
    return message


def chunks_of(body: bytes) -> list[Json]:
    events = [e.removeprefix(b"data: ") for e in body.split(b"\n\n") if e.startswith(b"data: ")]
    return [json.loads(event) for event in events if event != b"[DONE]"]


def text_of(chunks: list[Json], field: str = "content") -> str:
    deltas = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


# The rules.


def test_answer_says_that_it_is_not_the_api(client: httpx.Client) -> None:
    response = ask(client)
    body = response.json()
    assert response.headers["content-type"] == "application/json"
    assert re.fullmatch(r"langchain-asi-one/\d.*", response.headers["x-asi-one-stand-in"])
    assert body["metadata"] == {"stand_in": True}
    assert body["choices"][0]["message"]["content"].startswith(SPEECH)
    assert body["choices"][0]["message"]["reasoning_content"]
    assert re.fullmatch(r"[0-9a-f]{32}", body["id"])
    assert body["choices"][0]["finish_reason"] == "stop"
    assert isinstance(body["choices"][0]["matched_stop"], int)
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert 0 < usage["reasoning_tokens"] < usage["completion_tokens"]


def test_every_kind_of_response_is_marked(server: LocalASIOne, client: httpx.Client) -> None:
    responses = [
        client.get("/models"),
        client.get("/chat/completions"),
        client.post("/chat/completions", content=b"{"),
        client.post("/chat/completions", json=[1]),
        httpx.post(f"{server.base_url}/chat/completions", json=request_body(), trust_env=False),
    ]
    assert [response.status_code for response in responses] == [404, 405, 400, 400, 401]
    for response in responses:
        assert "x-asi-one-stand-in" in response.headers
        assert response.json()["error"]["status"] == response.status_code


def test_equal_requests_get_equal_answers_but_not_equal_ids(
    server: LocalASIOne, client: httpx.Client
) -> None:
    first, second = ask(client).json(), ask(client).json()
    server.clear()
    again = ask(client).json()
    assert first == again
    assert first["id"] != second["id"]
    assert first["choices"][0]["message"] == second["choices"][0]["message"]


def test_stream_says_what_the_body_says(server: LocalASIOne, client: httpx.Client) -> None:
    text = "Which agent, bad agent too?"
    body = ask(client, text, web_search=True).json()
    server.clear()
    response = ask(
        client, text, web_search=True, stream=True, stream_options={"include_usage": True}
    )
    assert response.headers["content-type"] == "text/event-stream"
    assert response.content.endswith(b"data: [DONE]\n\n")
    chunks = chunks_of(response.content)
    message = body["choices"][0]["message"]
    assert text_of(chunks) == message["content"]
    assert text_of(chunks, "reasoning_content") == message["reasoning_content"]
    assert len([c for c in chunks if c["choices"] and c["choices"][0]["delta"]["content"]]) > 3
    for name in ("intermediate_steps", "executable_data", "metadata"):
        assert [chunk[name] for chunk in chunks if name in chunk] == [body[name]]
    assert [c["usage"] for c in chunks if c["usage"]] == [body["usage"]]
    assert chunks[-1]["choices"] == []
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    records = [
        c for k in chunks if k["choices"] for c in k["choices"][0]["delta"].get("tool_calls", [])
    ]
    assert [record["tool_name"] for record in records] == ["web_search"]
    assert records[0]["args"] == {"query": text}


def test_usage_is_streamed_only_when_asked_for(client: httpx.Client) -> None:
    chunks = chunks_of(ask(client, stream=True).content)
    assert all(chunk["usage"] is None for chunk in chunks)
    assert all(chunk["choices"] for chunk in chunks)


@pytest.mark.parametrize(
    ("fields", "param", "part_of_message"),
    [
        ({"seed": 1}, "seed", "Unknown parameter: 'seed'."),
        ({"max_completion_tokens": 9}, "max_completion_tokens", "Unknown parameter"),
        ({"model": "asi1-agentic"}, "model", "Unsupported model"),
        ({"model": None}, "model", "Missing parameter"),
        ({"temperature": 2.1}, "temperature", "from 0 to 2"),
        ({"temperature": True}, "temperature", "from 0 to 2"),
        ({"presence_penalty": -3}, "presence_penalty", "from -2 to 2"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"max_tokens": 1.5}, "max_tokens", "integer"),
        ({"stop": [1]}, "stop", "list of strings"),
        ({"agents": "agent1"}, "agents", "list of strings"),
        ({"tools": 1}, "tools", "list"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type", "'function'"),
        (
            {"tools": [{"type": "function", "function": {"name": "a b"}}]},
            "tools[0].function.name",
            "'a b'",
        ),
        ({"tools": [WEATHER_TOOL], "tool_choice": "any"}, "tool_choice", "'any'"),
        ({"messages": []}, "messages", "at least one"),
        ({"messages": [{"role": "human", "content": ""}]}, "messages[0].role", "'human'"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content", "a string"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use"}]}]},
            "messages[0].content[0]",
            "'tool_use'",
        ),
        (
            {"messages": [{"role": "tool", "tool_call_id": "made-up", "content": "3"}]},
            "messages[0].tool_call_id",
            "no earlier tool call",
        ),
        (
            {"messages": [{"role": "tool", "tool_call_id": "c", "content": {"a": 1}}]},
            "messages[0].content",
            "a string",
        ),
        (
            {"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]}]},
            "messages[0].tool_calls[0].function",
            "function.arguments",
        ),
    ],
)
def test_requests_are_checked(
    client: httpx.Client, fields: Json, param: str, part_of_message: str
) -> None:
    response = client.post("/chat/completions", json=request_body() | fields)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == param
    assert part_of_message in error["message"]
    assert error["code"] == ("unknown_parameter" if "Unknown" in part_of_message else error["code"])


def test_images_are_for_asi1_only(client: httpx.Client) -> None:
    parts = [
        {"type": "text", "text": "Describe"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    messages = [{"role": "user", "content": parts}]
    assert "Describe" in said(ask(client, messages=messages))["content"]
    assert ask(client, messages=messages, model="asi1-mini").status_code == 400


def test_a_chosen_key_is_the_only_one() -> None:
    with local_asi_one(api_key="sk_other") as server, client_of(server) as client:
        refused = ask(client)
        client.headers["Authorization"] = "Bearer sk_other"
        assert (refused.status_code, ask(client).status_code) == (401, 200)
        assert [request.authorized for request in server.requests] == [False, True]
        assert KEY not in refused.text


def test_stop_and_max_tokens(client: httpx.Client) -> None:
    stopped = ask(client, "one two three", stop=["two"]).json()["choices"][0]
    assert stopped["message"]["content"] == f'{SPEECH}You said: "one '
    assert (stopped["finish_reason"], stopped["matched_stop"]) == ("stop", "two")
    cut = ask(client, max_tokens=1).json()
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["choices"][0]["message"]["content"] == ""
    assert cut["usage"]["completion_tokens"] == 1
    assert ask(client, max_tokens=0).json()["choices"][0]["finish_reason"] == "stop"


def test_thinking_can_be_turned_off_or_limited(client: httpx.Client) -> None:
    assert said(ask(client, enable_thinking=False))["reasoning_content"] is None
    assert said(ask(client, thinking_budget=2))["reasoning_content"] == "The user "


def test_a_mentioned_tool_is_called(client: httpx.Client) -> None:
    question = "What is the weather in San Francisco, CA?"
    response = ask(client, question, tools=[WEATHER_TOOL, TIME_TOOL])
    message = said(response)
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
    after = said(ask(client, messages=history, tools=[WEATHER_TOOL]))
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
    message = said(ask(client, text, tools=[WEATHER_TOOL, TIME_TOOL], **fields))
    assert [call["function"]["name"] for call in message["tool_calls"] or []] == called


def test_required_goes_on_to_the_next_tool(client: httpx.Client) -> None:
    fields: Json = {"tools": [WEATHER_TOOL, TIME_TOOL], "tool_choice": "required"}
    message = said(ask(client, "weather in Rome", **fields))
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "mild"}
    history = [{"role": "user", "content": "weather in Rome"}, message, result]
    following = said(ask(client, messages=history, **fields))
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
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    value = json.loads(said(ask(client, "in Kelvin please", response_format=form))["content"])
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
    assert set(json.loads(said(ask(client, text, response_format=form))["content"])) == {
        "setup",
        "punchline",
    }
    assert set(json.loads(said(ask(client, response_format=form))["content"])) == {"answer"}


def test_sessions_are_remembered_apart(server: LocalASIOne) -> None:
    with client_of(server, **{"x-session-id": "a"}) as one, client_of(server) as none:
        ask(one, "I like tea")
        ask(one, "And milk")
        assert '"I like tea"; "And milk"' in said(ask(one, "What did I say?"))["content"]
        assert "turn 4" in said(ask(one, "Bye"))["content"]
        other = one.post(
            "/chat/completions",
            json=request_body("Do you remember?"),
            headers={"x-session-id": "b"},
        )
        assert "nothing" in said(other)["content"]
        assert "nothing" in said(ask(none, "Do you remember?"))["content"]
        assert [request.session_id for request in server.requests] == [*"aaaab", None]


def test_deferred_answer_comes_with_the_nth_poll(server: LocalASIOne) -> None:
    with client_of(server, **{"x-session-id": "a"}) as client:
        waiting = said(ask(client, "[deferred: 2] Find an agent"))["content"]
        assert "I've sent the message" in waiting
        assert said(ask(client, "Any update?"))["content"] == waiting
        final = ask(client, "any update").json()
        assert "Find an agent" in final["choices"][0]["message"]["content"]
        assert len(final["executable_data"]) == 2
        assert "Find an agent" not in said(ask(client, "Any update?"))["content"]
        assert "now" in said(ask(client, "[deferred: 0] now"))["content"]


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32_checks_out(address: str) -> bool:
    """BIP 173, written for this test alone."""
    prefix, _, data = address.rpartition("1")
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = 1
    for value in values + [_BECH32.index(c) for c in data]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            check ^= generator if top >> bit & 1 else 0
    return check == 1


def test_agents_have_valid_addresses_but_the_bad_one(client: httpx.Client) -> None:
    body = ask(client, "Show me a bad agent").json()
    addresses = [agent["address"] for agent in body["executable_data"]]
    assert [len(address) for address in addresses] == [65, 65, 65]
    assert [bech32_checks_out(address) for address in addresses] == [True, True, False]
    assert len(body["intermediate_steps"]) == 2
    assert "executable_data" not in ask(client, "Hello").json()


def test_planner_streams_growing_snapshots(server: LocalASIOne, client: httpx.Client) -> None:
    fields: Json = {"planner_mode": True, "agents": ["agent1unknown"]}
    body = ask(client, "Plan it", **fields).json()
    server.clear()
    chunks = chunks_of(ask(client, "Plan it", stream=True, **fields).content)
    plans = [chunk["plan_state"] for chunk in chunks if "plan_state" in chunk]
    assert [plan["status"] for plan in plans] == ["planning", "running", "running", "completed"]
    assert plans[-1] == body["plan_state"]
    used = plans[-1]["tasks"][0]["agent_used"]
    assert set(used) == {"agent_name", "agent_address", "agent_rating", "agent_interactions"}
    assert used["agent_address"] == "agent1unknown"
    assert plans[-1]["tasks"][0]["agent_response"].startswith(SPEECH)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["id"])
    assert {chunk["id"] for chunk in chunks} == {chunks[0]["id"]}
    assert body["agent_session_id"]
    assert len(ask(client, "Plan it", planner_mode=True).json()["plan_state"]["tasks"]) == 2


# Queued replies.


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_samples_are_replayed_byte_for_byte(
    server: LocalASIOne, client: httpx.Client, name: str
) -> None:
    server.enqueue(sample(name))
    for response in (ask(client), ask(client, f"[sample: {name}]", stream=True)):
        assert response.content == (SAMPLES / name).read_bytes()
        expected = "text/event-stream" if name.endswith(".sse") else "application/json"
        assert response.headers["content-type"] == expected


def test_samples_folder_of_the_tests_is_the_published_one() -> None:
    assert (Path(__file__).parents[1] / "samples").resolve() == SAMPLES.resolve()
    listed = (SAMPLES / "INDEX.md").read_text()
    assert len(SAMPLE_NAMES) == 16
    assert all(name in listed for name in SAMPLE_NAMES)


def test_answer_is_rendered_as_the_request_asks(server: LocalASIOne, client: httpx.Client) -> None:
    body = json.loads((SAMPLES / "asi1-2026-tool-call-condensed.json").read_text())
    server.enqueue(answer(body), answer(body))
    assert ask(client).json() == body
    response = ask(client, stream=True, stream_options={"include_usage": True})
    assert response.content == as_stream(body)
    chunks = chunks_of(response.content)
    assert text_of(chunks) == body["choices"][0]["message"]["content"]
    assert chunks[-1]["usage"] == body["usage"]


def test_stream_sends_what_it_is_given(server: LocalASIOne, client: httpx.Client) -> None:
    given: list[Json | bytes | str] = [": beat\n\n", {"choices": [], "text": "…"}, b"data: x\n\n"]
    expected = ': beat\n\ndata: {"choices":[],"text":"…"}\n\ndata: x\n\n'.encode()
    server.enqueue(stream(given, piece_size=1, delay=0.0005), stream(given, done=False))
    with client.stream("POST", "/chat/completions", json=request_body()) as response:
        assert b"".join(response.iter_raw()) == expected + b"data: [DONE]\n\n"
    assert ask(client).content == expected


def test_raw_is_sent_as_it_is(server: LocalASIOne, client: httpx.Client) -> None:
    server.enqueue(raw(b"tea", status=418, content_type="text/x", headers={"X-A": "1"}))
    response = client.post("/chat/completions", content=b"not JSON", headers={"Authorization": ""})
    assert (response.status_code, response.content) == (418, b"tea")
    assert (response.headers["content-type"], response.headers["x-a"]) == ("text/x", "1")


def test_replies_are_given_in_order_then_the_rules_apply(
    server: LocalASIOne, client: httpx.Client
) -> None:
    server.enqueue(fault("http_500"), fault("http_429", retry_after="0"))
    assert [ask(client).status_code for _ in range(3)] == [500, 429, 200]
    server.enqueue(fault("http_500"))
    server.clear()
    assert ask(client).status_code == 200


def test_unknown_names_are_refused_with_those_that_exist(client: httpx.Client) -> None:
    with pytest.raises(ValueError, match=r"unknown fault 'http_418'; choose one of:.*http_429"):
        fault("http_418")
    with pytest.raises(ValueError, match=r"'stall' has no option 'minutes'; its options.*seconds"):
        fault("stall", minutes=1)
    with pytest.raises(ValueError, match="'http_403' has no option 'x'; it has none"):
        fault("http_403", x=1)
    with pytest.raises(ValueError, match=r"unknown sample 'INDEX.md'; choose one of:.*\.sse"):
        sample("INDEX.md")
    with pytest.raises(ValueError, match="piece_size must be at least 1, not 0"):
        stream([], piece_size=0)
    for marker in ("[fault: nope]", "[sample: nope]", "[fault: stall seconds=long]"):
        assert ask(client, marker).json()["error"]["code"] == "unknown_marker"


def test_marker_options(client: httpx.Client) -> None:
    text = "[fault: http_429 retry_after=7 times=2] Hello"
    first, second, third = (ask(client, text) for _ in range(3))
    assert first.headers["retry-after"] == "7"
    assert [r.status_code for r in (first, second, third)] == [429, 429, 200]
    assert "retry-after" not in ask(client, "[fault: http_429 retry_after=none]").headers
    started = time.monotonic()
    assert ask(client, "[fault: stall seconds=0.2]").status_code == 200
    assert time.monotonic() - started > 0.2


# The faults: what each puts on the wire, for a body and for a stream.

Check = Callable[[int, httpx.Headers, bytes], bool]


def is_error(status: int, code: str) -> Check:
    def check(got: int, headers: httpx.Headers, body: bytes) -> bool:
        error = json.loads(body)["error"]
        return (got, error["status"], error["code"]) == (status, status, code)

    return check


def parses(body: bytes) -> bool:
    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body)
        return True
    return False


def every_choice(body: bytes, test: Callable[[Json], bool]) -> bool:
    return all(map(test, chunks_of(body) if body.startswith(b"data: ") else [json.loads(body)]))


def half_json(status: int, headers: httpx.Headers, body: bytes) -> bool:
    return status == 200 and body.startswith(b'{"id"') and not parses(body)


def whole_json(status: int, headers: httpx.Headers, body: bytes) -> bool:
    return status == 200 and json.loads(body)["metadata"] == {"stand_in": True}


def whole_sse(status: int, headers: httpx.Headers, body: bytes) -> bool:
    finishes = [c["choices"][0]["finish_reason"] for c in chunks_of(body) if c["choices"]]
    return finishes[-1] == "stop" and body.endswith(b"data: [DONE]\n\n")


def cut_sse(status: int, headers: httpx.Headers, body: bytes) -> bool:
    return bool(text_of(chunks_of(body))) and b'"stop"' not in body and b"[DONE]" not in body


def wire(test: Callable[[bytes], bool]) -> Check:
    return lambda status, headers, body: status == 200 and test(body)


def message_is(body: Json) -> Check:
    return wire(lambda sent: json.loads(sent) == body)


SERVER_ERROR = "The server had an error while processing your request."
BROKEN_LINE = b'\n\ndata: {"id": "x", "choices": [{]}\n\n'
HTML: Check = lambda s, h, b: h["content-type"] == "text/html" and b.startswith(b"<!doctype")  # noqa: E731
EXPECTED: dict[str, tuple[Check, Check]] = {
    "http_400_empty": (lambda s, h, b: (s, b) == (400, b""),) * 2,
    "http_400_stream_options": (whole_json, is_error(400, "unknown_parameter")),
    "http_422_session": (lambda s, h, b: s == 422 and b"missing header x-session-id" in b,) * 2,
    "http_429": (lambda s, h, b: s == 429 and h["retry-after"] == "1",) * 2,
    "http_429_forever": (lambda s, h, b: s == 429 and h["retry-after"] == "3600",) * 2,
    "http_503_html": (lambda s, h, b: s == 503 and HTML(s, h, b),) * 2,
    "error_string": (lambda s, h, b: s == 400 and isinstance(json.loads(b)["error"], str),) * 2,
    "error_empty": (lambda s, h, b: s == 400 and json.loads(b) == {"error": {}},) * 2,
    "html_200": (lambda s, h, b: s == 200 and HTML(s, h, b),) * 2,
    "empty_200": (wire(lambda b: b == b""),) * 2,
    "wrong_content_type": (
        lambda s, h, b: h["content-type"] == "text/plain" and whole_json(s, h, b),
        lambda s, h, b: h["content-type"] == "text/plain" and whole_sse(s, h, b),
    ),
    "json_for_stream": (whole_json,) * 2,
    "sse_for_json": (whole_sse,) * 2,
    "error_event": (
        wire(lambda b: json.loads(b)["error"]["message"] == SERVER_ERROR),
        wire(lambda b: chunks_of(b)[-1]["error"]["message"] == SERVER_ERROR and b"[DONE]" not in b),
    ),
    "error_event_named": (
        message_is({"detail": SERVER_ERROR}),
        wire(lambda b: b"\n\nevent: error\ndata: {" in b and b'"error"' not in b),
    ),
    "error_event_string": (
        message_is({"error": SERVER_ERROR}),
        wire(lambda b: chunks_of(b)[-1] == {"error": SERVER_ERROR}),
    ),
    "truncated_stream": (half_json, cut_sse),
    "cut_event": (
        half_json,
        wire(lambda b: b.rpartition(b"data: ")[2].startswith(b'{"id"') and not b.endswith(b"\n")),
    ),
    "stall": (whole_json, whole_sse),
    "stall_before_headers": (whole_json, whole_sse),
    "keepalive_only": (
        lambda s, h, b: b.startswith(b"  ") and whole_json(s, h, b),
        lambda s, h, b: b.count(b"\n\n: keep-alive") > 1 and whole_sse(s, h, b),
    ),
    "malformed_json_line": (
        wire(lambda b: not parses(b) and b.startswith(b'{"id"')),
        wire(lambda b: BROKEN_LINE in b and b.endswith(b"[DONE]\n\n")),
    ),
    "malformed_json_body": (
        wire(lambda b: not parses(b) and b.startswith(b'{"id"')),
        wire(lambda b: BROKEN_LINE in b and b.endswith(b"[DONE]\n\n")),
    ),
    "choices_empty": (wire(lambda b: every_choice(b, lambda c: c["choices"] == [])),) * 2,
    "choices_null": (wire(lambda b: every_choice(b, lambda c: c["choices"] is None)),) * 2,
    "choices_missing": (wire(lambda b: every_choice(b, lambda c: "choices" not in c)),) * 2,
    "message_null": (
        wire(lambda b: json.loads(b)["choices"][0]["message"] is None),
        wire(lambda b: every_choice(b, lambda c: all(x["delta"] is None for x in c["choices"]))),
    ),
    "error_in_200": (wire(lambda b: json.loads(b)["error"]["code"] == "overloaded"),) * 2,
    "detail_in_200": (message_is({"detail": "The model is overloaded."}),) * 2,
    "invalid_utf8": (wire(lambda b: b"\xff\xfe" in b),) * 2,
    "bom": (
        lambda s, h, b: b[:3] == b"\xef\xbb\xbf" and whole_json(s, h, b[3:]),
        lambda s, h, b: b[:3] == b"\xef\xbb\xbf" and whole_sse(s, h, b[3:]),
    ),
    "crlf": (
        lambda s, h, b: b.endswith(b"\r\n") and whole_json(s, h, b),
        lambda s, h, b: (
            b.count(b"\n") == b.count(b"\r\n") and whole_sse(s, h, b.replace(b"\r", b""))
        ),
    ),
    "gzip": (
        lambda s, h, b: h["content-encoding"] == "gzip" and whole_json(s, h, gzip.decompress(b)),
        lambda s, h, b: h["content-encoding"] == "gzip" and whole_sse(s, h, gzip.decompress(b)),
    ),
    "deep_json": (wire(lambda b: b.count(b"[") > 100_000 and not parses(b)),) * 2,
    "redirect": (lambda s, h, b: s == 307 and h["location"].endswith("/v1/redirected"),) * 2,
    "http_400_unknown_parameter": (is_error(400, "unknown_parameter"),) * 2,
    "http_401": (is_error(401, "invalid_api_key"),) * 2,
    "echo_key": (lambda s, h, b: s == 401 and KEY.encode() in b,) * 2,
    "http_403": (is_error(403, "forbidden"),) * 2,
    "http_404": (is_error(404, "not_found"),) * 2,
    "http_500": (is_error(500, "server_error"),) * 2,
}
DROPPED = {"cut_stream": (half_json, cut_sse), "close_before_reply": (None, None)}
SHORT: dict[str, Json] = {
    "stall": {"seconds": 0.1},
    "stall_before_headers": {"seconds": 0.1},
    "keepalive_only": {"seconds": 0.1, "interval": 0.02},
}


def test_every_fault_is_tested_and_described() -> None:
    assert set(FAULTS) == set(EXPECTED) | set(DROPPED)
    assert all(text and "\n" not in text for text in FAULTS.values())


@pytest.mark.parametrize("streaming", [False, True], ids=["body", "stream"])
@pytest.mark.parametrize("name", sorted(FAULTS))
def test_faults_on_the_wire(
    server: LocalASIOne, client: httpx.Client, name: str, streaming: bool
) -> None:
    server.enqueue(fault(name, **SHORT.get(name, {})))
    fields: Json = {"stream": True, "stream_options": {"include_usage": True}} if streaming else {}
    received = bytearray()
    started = time.monotonic()
    check = (EXPECTED.get(name) or DROPPED[name])[streaming]
    with contextlib.ExitStack() as stack:
        if name in DROPPED:
            stack.enter_context(pytest.raises(httpx.RemoteProtocolError))
        posted = client.stream("POST", "/chat/completions", json=request_body(**fields))
        response = stack.enter_context(posted)
        for piece in response.iter_raw():
            received += piece
    if check is not None:
        assert "x-asi-one-stand-in" in response.headers
        assert check(response.status_code, response.headers, bytes(received))
    if name in SHORT:
        assert time.monotonic() - started >= 0.1
    if name != "echo_key":
        assert KEY.encode() not in received
    assert len(server.requests) == 1
    assert ask(client).status_code == 200


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_connections_can_be_reset(server: LocalASIOne, client: httpx.Client, name: str) -> None:
    server.enqueue(fault(name, reset=True))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ask(client, stream=True)
    assert ask(client).status_code == 200


# What it remembers, connections, several clients.


def test_requests_are_kept_without_the_key(server: LocalASIOne) -> None:
    with client_of(server, **{"x-session-id": "s1", "X-Extra": "1"}) as client:
        before = time.monotonic()
        ask(client, "Hello")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer ***"
    assert (request.headers["x-extra"], request.session_id) == ("1", "s1")
    assert request.authorized
    assert request.key_fingerprint == hashlib.sha256(KEY.encode()).hexdigest()[:12]
    assert request.body == json.loads(request.raw) == request_body()
    assert before < request.received_at < time.monotonic()
    assert KEY not in repr(request)
    server.requests.clear()
    assert len(server.requests) == 1
    server.clear()
    assert server.requests == []


def test_other_credentials_are_masked_and_not_accepted(server: LocalASIOne) -> None:
    headers = {"Authorization": f"Basic {KEY}", "Proxy-Authorization": KEY}
    url = f"{server.base_url}/chat/completions?a=1"
    response = httpx.post(url, json=request_body(), headers=headers, trust_env=False)
    (request,) = server.requests
    assert response.status_code == 401
    assert (request.headers["authorization"], request.headers["proxy-authorization"]) == (
        "***",
    ) * 2
    assert (request.authorized, request.key_fingerprint) == (False, "")
    assert request.path == "/v1/chat/completions?a=1"


def test_connections_are_kept_alive_and_counted() -> None:
    with local_asi_one() as server:
        with client_of(server) as client:
            for _ in range(3):
                ask(client)
            assert (server.connections, server.total_connections) == (1, 1)
            assert {request.connection for request in server.requests} == {1}
        assert within(1, lambda: server.connections == 0)
        with client_of(server) as client:
            ask(client)
        assert server.total_connections == 2
        assert server.requests[-1].connection == 2


def test_an_abandoned_stream_closes_its_connection(
    server: LocalASIOne, client: httpx.Client
) -> None:
    server.enqueue(stream([{"choices": []}] * 1000, delay=0.05))
    with client.stream("POST", "/chat/completions", json=request_body()) as response:
        pieces = response.iter_raw()  # httpx closes the response when its iterator is dropped
        assert next(pieces)
        assert server.connections == 1
    client.close()
    assert within(1, lambda: server.connections == 0)


def test_two_servers_do_not_share_anything() -> None:
    with local_asi_one() as one, local_asi_one() as two:
        assert one.base_url != two.base_url
        one.enqueue(raw(b"one"))
        with client_of(one) as client_one, client_of(two) as client_two:
            assert said(ask(client_two))["content"].startswith(SPEECH)
            assert ask(client_one).content == b"one"
        assert (len(one.requests), len(two.requests)) == (1, 1)


async def test_twenty_requests_at_once(server: LocalASIOne) -> None:
    server.enqueue(*[stream([{"n": n}], delay=0.1) for n in range(20)])
    headers = {"Authorization": f"Bearer {KEY}"}
    started = time.monotonic()
    async with httpx.AsyncClient(headers=headers, timeout=10, trust_env=False) as client:
        url = f"{server.base_url}/chat/completions"
        bodies = [request_body(f"question {n}") for n in range(20)]
        responses = await asyncio.gather(*(client.post(url, json=body) for body in bodies))
    assert sorted(chunks_of(r.content)[0]["n"] for r in responses) == list(range(20))
    assert time.monotonic() - started < 3
    assert len({request.connection for request in server.requests}) == 20


def test_stops_within_two_seconds_with_open_streams() -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(local_asi_one())
        client = stack.enter_context(client_of(server))
        server.enqueue(
            fault("stall", seconds=60),
            fault("stall_before_headers", seconds=60),
            stream(["data: x\n\n"] * 9999, delay=0.01),
        )
        posted = client.stream("POST", "/chat/completions", json=request_body(stream=True))
        stalled = stack.enter_context(posted).iter_raw()
        assert next(stalled)
        failures: list[Exception] = []

        def wait_for_headers() -> None:
            try:
                ask(client)
            except httpx.HTTPError as error:
                failures.append(error)

        waiting = threading.Thread(target=wait_for_headers)
        waiting.start()
        assert within(2, lambda: len(server.requests) == 2)
        posted = client.stream("POST", "/chat/completions", json=request_body(stream=True))
        endless = stack.enter_context(posted).iter_raw()
        assert next(endless)
        assert server.connections == 3
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 2
        waiting.join(2)
        assert len(failures) == 1
        assert not [thread for thread in threading.enumerate() if thread is server._thread]
        server.stop()
        with pytest.raises(RuntimeError):
            server.start()


# Where it listens.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1"])
def test_refuses_to_be_reached_by_others(host: str) -> None:
    with pytest.raises(ValueError, match=r"refusing to listen on.*allow_remote=True"):
        LocalASIOne(host=host)


def test_can_be_told_to_listen_elsewhere() -> None:
    with local_asi_one(host="0.0.0.0", allow_remote=True) as server:  # noqa: S104
        url = server.base_url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(url, trust_env=False).status_code == 404
    with local_asi_one(host="localhost") as server:
        assert re.match(r"http://(127\.0\.0\.1|\[::1\]):\d+/v1$", server.base_url)


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python was built without IPv6")
def test_listens_on_the_ipv6_loopback() -> None:
    try:
        server = LocalASIOne(host="::1")
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback address: {error}")
    with server:
        assert server.base_url.startswith("http://[::1]:")
        assert httpx.get(server.base_url, trust_env=False).status_code == 404


def test_arguments_out_of_range() -> None:
    with pytest.raises(ValueError, match="port must be from 0"):
        LocalASIOne(port=65536)
    with pytest.raises(ValueError, match="chunk_delay must be 0 or more seconds, not -1"):
        LocalASIOne(chunk_delay=-1)
    with local_asi_one() as server:
        port = int(server.base_url.rpartition(":")[2].removesuffix("/v1"))
        with pytest.raises(OSError, match="in use"):
            LocalASIOne(port=port)


def test_chunk_delay_paces_generated_streams() -> None:
    with local_asi_one(chunk_delay=0.02) as server, client_of(server) as client:
        started = time.monotonic()
        chunks = chunks_of(ask(client, stream=True).content)
        assert time.monotonic() - started > 0.02 * len(chunks)


# Bodies and streams.


def test_recorded_stream_as_a_body_and_back() -> None:
    recorded = (SAMPLES / STREAM_SAMPLE).read_bytes()
    body = as_body(recorded)
    thought = "".join(chunk.get("thought", "") for chunk in chunks_of(recorded))
    message = body["choices"][0]["message"]
    assert body["thought"] == [thought]
    assert message["content"] == text_of(chunks_of(recorded))
    assert message["content"].endswith("in more detail!")
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 435, "completion_tokens": 391, "total_tokens": 826}
    assert (body["executable_data"], body["conversation_id"], body["tool_thought"]) == (
        [],
        None,
        [],
    )
    assert as_body(as_stream(body)) == body


def test_2025_body_becomes_the_recorded_form() -> None:
    name = "asi1-mini-2025-04-recorded-basic-chat.json"
    body = json.loads((SAMPLES / name).read_text())
    chunks = chunks_of(as_stream(body))
    ends = [c for c in chunks if c["choices"][0].get("finish_reason") == "stop"]
    assert [chunk.get("usage") for chunk in ends] == [None, body["usage"]]
    assert chunks[1]["init_thought"] is True
    assert "".join(chunk.get("thought", "") for chunk in chunks) == body["thought"][0]
    assert as_body(as_stream(body)) == body


def test_2025_body_with_reasoning_and_calls_keeps_them() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {
        "role": "assistant",
        "content": None,
        "reasoning": "so it is",
        "tool_calls": [call],
        "odd": 1,
    }
    body = {
        "id": "id_1",
        "created": 1740580080,
        "thought": [None, "a", "b"],
        "odd": {"x": 1},
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}],
    }
    chunks = chunks_of(as_stream(body))
    assert text_of(chunks, "reasoning") == "so it is"
    assert [chunk["thought"] for chunk in chunks if "thought" in chunk] == ["a\nb"]
    assert chunks[-1]["odd"] == {"x": 1}
    assert chunks[-1]["created"] == 1740580080000
    assert chunks[-1]["choices"][0]["delta"]["odd"] == 1
    deltas = [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])]
    assert [d["function"]["name"] for d in deltas] == ["f", None]


def test_odd_calls_are_streamed_as_they_are() -> None:
    calls = [
        {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}},
        {"id": "s", "tool_name": "web_search", "args": {}, "result": {}},
    ]
    body = {"id": "x", "choices": [{"message": {"content": "", "tool_calls": calls}}]}
    chunks = chunks_of(as_stream(body))
    assert [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])] == calls


def test_as_body_refuses_what_it_cannot_read() -> None:
    with pytest.raises(ValueError, match="2026 form"):
        as_body(as_stream({"id": "1", "choices": [{"message": {"content": "Hi"}}]}))
    with pytest.raises(ValueError, match="not a JSON object: '1'"):
        as_body(b"data: 1\n\n")


# The package and the command.


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "langchain_asi_one.testing", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


def test_the_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "langchain_asi_one.testing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        found = re.search(r"export ASI_ONE_BASE_URL=(\S+)", printed)
        assert found
        response = httpx.post(
            f"{found[1]}/chat/completions",
            json=request_body("[fault: http_403]"),
            headers={"Authorization": "Bearer any-text"},
            trust_env=False,
        )
        assert response.status_code == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0


def test_the_command_explains_itself() -> None:
    refused = run_module("--host", "0.0.0.0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: refusing to listen on '0.0.0.0'")
    assert "--allow-remote" in refused.stderr
    assert "Traceback" not in refused.stderr
    listed = run_module("--list")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in [*FAULTS, *SAMPLE_NAMES])


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_import_without_the_extra_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import langchain_asi_one.testing"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False
    )
    assert run.returncode == 1
    assert f"needs {missing}" in run.stderr
    assert 'pip install "langchain-asi-one[testing]"' in run.stderr


def test_it_does_not_import_the_chat_model() -> None:
    code = (
        "import sys, langchain_asi_one.testing\n"
        "own = ('langchain_asi_one', 'langchain_asi_one._version', 'langchain_asi_one.testing')\n"
        "print([m for m in sys.modules if m.partition('.')[0] in "
        "('langchain_asi_one', 'langchain_core', 'langchain_openai', 'openai') "
        "and m not in own and not m.startswith('langchain_asi_one.testing.')])"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        env=environment,
    )
    assert run.stdout.strip() == "[]"


def test_public_names_are_listed() -> None:
    assert set(asi_testing.__all__) == {
        name
        for name in vars(asi_testing)
        if not name.startswith("_") and not isinstance(getattr(asi_testing, name), ModuleType)
    }
