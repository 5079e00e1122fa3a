"""Whom the stand-in serves, how much it keeps, and that no request makes it fail."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one.testing import LocalASIOne, _reception, local_asi_one, raw
from tests.support.examples import examples
from tests.support.patience import PATIENCE
from tests.support.stand_in_wire import Json, ask, client_of, read_message, request_body


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("api.localhost", 200),
        ("127.0.0.1", 200),
        ("127.8.8.8:1", 200),
        ("[::1]", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:80", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.0.2.1", 421),
        ("[2001:db8::1]", 421),
        ("a" * 5000, 421),
    ],
)
def test_loopback_names_only_are_served(
    server: LocalASIOne, client: httpx.Client, host: str, status: int
) -> None:
    server.enqueue(raw(b"tea"))
    response = client.post("/chat/completions", json=request_body(), headers={"Host": host})
    assert response.status_code == status
    assert (response.content == b"tea") is (status == 200)
    assert len(server.requests) == (status == 200)


def test_any_name_is_served_where_others_are_let_in() -> None:
    with local_asi_one(allow_remote=True) as server, client_of(server) as client:
        headers = {"Host": "asi-one.test"}
        response = client.post("/chat/completions", json=request_body(), headers=headers)
        assert read_message(response)["content"]


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_has_a_limit(
    is_chunked: bool,
    server: LocalASIOne,
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_reception, "LONGEST_BODY", 200_000)
    body = json.dumps(request_body("x" * 190_000)).encode()
    as_json = {"content-type": "application/json"}
    assert client.post("/chat/completions", content=body, headers=as_json).status_code == 200
    longer = json.dumps(request_body("x" * 200_000)).encode()
    pieces = (longer[start : start + 1000] for start in range(0, len(longer), 1000))
    response = client.post("/chat/completions", content=pieces if is_chunked else longer)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"
    assert [len(request.raw) for request in server.requests] == [len(body), 0]
    assert ask(client).status_code == 200


def test_what_is_kept_has_a_limit(
    server: LocalASIOne, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_reception, "_MOST_BYTES", 50_000)
    for number in range(10):
        ask(client, f"{number} {'x' * 15_000}")
    assert [request.body["messages"][0]["content"][0] for request in server.requests] == list("789")
    ask(client, "x" * 60_000)
    assert [len(request.raw) > 60_000 for request in server.requests] == [True]
    server.clear()
    for _ in range(3):
        ask(client)
    assert len(server.requests) == 3
    monkeypatch.setattr(_reception, "MOST_REQUESTS", 2)
    ask(client)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": [1]},
        {"properties": {"a": {"type": "string", "minLength": "long"}}},
        {"properties": {"a": {"type": "string", "minLength": 10**9}}},
        {"properties": {"a": {"type": "array", "items": {}, "minItems": 10**9}}},
        {"properties": {"a": {"type": "integer", "minimum": "x"}}},
        {"properties": {"a": {"enum": {"b": 1}}}},
        {"properties": {"a": {"allOf": [{"properties": 1}]}}},
        {
            "$defs": {
                "a": {
                    "type": "object",
                    "required": ["b", "c"],
                    "properties": {"b": {"$ref": "#/$defs/a"}, "c": {"$ref": "#/$defs/a"}},
                }
            },
            "$ref": "#/$defs/a",
        },
    ],
)
def test_a_schema_that_is_none_is_refused(client: httpx.Client, schema: Json) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    for fields in ({"tools": [tool], "tool_choice": "required"}, {"response_format": form}):
        response = ask(client, **fields)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_schema")


WORDS = (
    *("asi1", "user", "tool", "assistant", "text", "function", "json_schema", "json_object", "f"),
    *("\ud800", "[deferred: 2]", f"[deferred: {'9' * 5000}]", "bad agent", "required", "object"),
    *("any update?", "what did i say", "call f", "array", "integer", "#/$defs/a", ""),
)
FIELDS = (
    *("model", "messages", "stream", "stream_options", "temperature", "max_tokens", "stop"),
    *("tools", "tool_choice", "response_format", "web_search", "planner_mode", "agents", "role"),
    *("content", "tool_calls", "tool_call_id", "type", "function", "name", "parameters", "items"),
    *("arguments", "properties", "enum", "anyOf", "allOf", "$ref", "$defs", "required", "text"),
    *("image_url", "json_schema", "schema", "id", "thinking_budget", "prompt", "size", "const"),
    *("minLength", "minItems", "minimum", "multipleOf", "default", "format", "parallel_tool_calls"),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1.5, 2**70, 10**400, 1e308])
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=12,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "system", "assistant", "tool"]), "content": VALUES},
        optional={"tool_calls": VALUES, "tool_call_id": VALUES},
    ),
    min_size=1,
    max_size=3,
)
BODIES = VALUES | st.fixed_dictionaries(
    {"model": st.just("asi1"), "messages": MESSAGES | st.just(request_body()["messages"])},
    optional={
        "tools": st.builds(
            lambda schema: [{"type": "function", "function": {"name": "f", "parameters": schema}}],
            VALUES,
        ),
        "tool_choice": st.sampled_from(["required", "auto", "none", None]),
        "response_format": st.builds(
            lambda schema: {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
            st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4),
        )
        | VALUES,
        "stream": st.booleans(),
        "planner_mode": st.booleans(),
        "max_tokens": VALUES,
        "agents": VALUES,
        "stop": VALUES,
        "prompt": VALUES,
        "thinking_budget": VALUES,
    },
)


# Each made the server fail once.
FAILED_ONCE: tuple[Json, ...] = (
    {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
    {"messages": [{"role": "user", "content": [{"type": ["text"]}]}]},
    {"messages": [{"role": ["user"], "content": "x"}]},
    {"messages": [{"role": "user", "content": "\ud800"}]},
    {"messages": [{"role": "user", "content": f"[deferred: {'9' * 5000}]"}]},
    {
        "messages": [
            {"role": "assistant", "tool_calls": [{"function": {"name": 1, "arguments": "x"}}]}
        ]
    },
    {"response_format": "json_object"},
    {"temperature": 10**400},
    {"max_tokens": 10**400},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": ["x"]}}]},
    {"tools": [{"type": "function", "function": {"name": "f", "description": 5}}]},
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fields", FAILED_ONCE)
def test_what_made_it_fail_once(client: httpx.Client, fields: Json, stream: bool) -> None:
    body: Json = {"tool_choice": "required"} if "tools" in fields else {}
    body |= {**request_body("call f"), "stream": stream, **fields}
    response = client.post("/chat/completions", content=json.dumps(body).encode())
    assert response.status_code in (200, 400), response.text
    response.content.decode("utf-8")


@pytest.fixture(scope="module")
def target(shared_server: LocalASIOne) -> Any:
    with client_of(shared_server, **{"x-session-id": "s"}) as client:
        yield client


@given(body=BODIES, path=st.sampled_from(["/chat/completions", "/image/generate"]))
@examples(300)
def test_no_request_makes_it_fail(target: httpx.Client, body: Any, path: str) -> None:
    response = target.post(path, content=json.dumps(body).encode(), timeout=PATIENCE)
    assert response.status_code in (200, 400), response.text
    response.content.decode("utf-8")
