"""What the stand-in answers, by which rule."""

from __future__ import annotations

import re

import httpx
import pytest

from langchain_asi_one.testing import LocalASIOne, local_asi_one
from tests.support.bech32 import has_right_checksum
from tests.support.model import API_KEY
from tests.support.patience import PATIENCE
from tests.support.stand_in_wire import (
    SPEECH,
    WEATHER_TOOL,
    Json,
    ask,
    chunks_of,
    client_of,
    read_message,
    request_body,
    text_of,
)


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
        httpx.post(
            f"{server.base_url}/chat/completions",
            json=request_body(),
            timeout=PATIENCE,
            trust_env=False,
        ),
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
        ({"stop": [1]}, "stop", "list of at most 4 strings"),
        ({"agents": "agent1"}, "agents", "list of strings"),
        ({"tools": 1}, "tools", "list"),
        ({"stream_options": True}, "stream_options", "object"),
        ({"response_format": {"type": "xml"}}, "response_format", "'xml'"),
        ({"response_format": "json_object", "n": 1}, "n", "Unknown parameter"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "must be an object"),
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
            "'made-up' is no call",
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
    assert "Describe" in read_message(ask(client, messages=messages))["content"]
    assert ask(client, messages=messages, model="asi1-mini").status_code == 400


def test_a_chosen_key_is_the_only_one() -> None:
    with local_asi_one(api_key="sk_other") as server, client_of(server) as client:
        refused = ask(client)
        client.headers["Authorization"] = "Bearer sk_other"
        assert (refused.status_code, ask(client).status_code) == (401, 200)
        assert [request.authorized for request in server.requests] == [False, True]
        assert API_KEY not in refused.text


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
    assert read_message(ask(client, enable_thinking=False))["reasoning_content"] is None
    assert read_message(ask(client, thinking_budget=2))["reasoning_content"] == "The user "


def test_sessions_are_remembered_apart(server: LocalASIOne) -> None:
    with client_of(server, **{"x-session-id": "a"}) as one, client_of(server) as none:
        ask(one, "I like tea")
        ask(one, "And milk")
        assert '"I like tea"; "And milk"' in read_message(ask(one, "What did I say?"))["content"]
        assert "turn 4" in read_message(ask(one, "Bye"))["content"]
        other = one.post(
            "/chat/completions",
            json=request_body("Do you remember?"),
            headers={"x-session-id": "b"},
        )
        assert "nothing" in read_message(other)["content"]
        assert "nothing" in read_message(ask(none, "Do you remember?"))["content"]
        assert [request.session_id for request in server.requests] == [*"aaaab", None]


def test_deferred_answer_comes_with_the_nth_poll(server: LocalASIOne) -> None:
    with client_of(server, **{"x-session-id": "a"}) as client:
        waiting = read_message(ask(client, "[deferred: 2] Find an agent"))["content"]
        assert "I've sent the message" in waiting
        assert read_message(ask(client, "Any update?"))["content"] == waiting
        final = ask(client, "any update").json()
        assert "Find an agent" in final["choices"][0]["message"]["content"]
        assert len(final["executable_data"]) == 2
        assert "Find an agent" not in read_message(ask(client, "Any update?"))["content"]
        assert "now" in read_message(ask(client, "[deferred: 0] now"))["content"]


def test_agents_have_valid_addresses_but_the_bad_one(client: httpx.Client) -> None:
    body = ask(client, "Show me a bad agent").json()
    addresses = [agent["address"] for agent in body["executable_data"]]
    assert [len(address) for address in addresses] == [65, 65, 65]
    assert [has_right_checksum(address) for address in addresses] == [True, True, False]
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
