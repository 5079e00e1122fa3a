"""What the stand-in decides about a request: no socket, a request and its script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.requests import Request

from langchain_asi_one.testing._app import CHAT_PATH, IMAGE_PATH, StandIn
from langchain_asi_one.testing._replies import raw
from tests.support.model import API_KEY
from tests.support.stand_in_wire import request_body


def answer(stand_in: StandIn, body: object, **changed: Any) -> tuple[int, Any]:
    """Return status and body of the answer to a request."""
    key = changed.pop("key", API_KEY)
    content_type = changed.pop("content_type", b"application/json")
    scope = {
        "type": "http",
        "method": "POST",
        "path": CHAT_PATH,
        "query_string": b"",
        "server": ("127.0.0.1", 80),
        "headers": [
            (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", content_type),
            (b"x-session-id", b"s"),
        ],
        **changed,
    }
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    script = stand_in._reply_to(stand_in._record(Request(scope), data, connection=1))
    return script.status, json.loads(script.body)


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn("http://127.0.0.1:1/v1", None, 0, any_host=False, agents=())


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"path": "/v1/models"}, 404, "serves POST /v1/chat/completions and POST /v1/image"),
        ({"method": "GET"}, 405, "use POST"),
        ({"key": ""}, 401, "Missing or invalid API key"),
    ],
)
def test_what_it_does_not_serve(
    stand_in: StandIn, changed: dict[str, Any], status: int, words: str
) -> None:
    given, body = answer(stand_in, request_body(), **changed)
    assert given == body["error"]["status"] == status
    assert words in body["error"]["message"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (b"application/json", 200),
        (b"Application/JSON; charset=utf-8", 200),
        (b"", 400),
        (b"text/plain", 400),
        (b"application/x-www-form-urlencoded", 400),
    ],
)
@pytest.mark.parametrize("path", [CHAT_PATH, IMAGE_PATH])
def test_a_body_is_said_to_be_json(
    stand_in: StandIn, path: str, content_type: bytes, status: int
) -> None:
    body = request_body() if path == CHAT_PATH else {"prompt": "a fox", "size": "256x256"}
    given, said = answer(stand_in, body, path=path, content_type=content_type)
    assert given == status
    if status == 400:
        assert said["error"]["code"] == "unsupported_content_type"
        assert "Send 'application/json'" in said["error"]["message"]


def test_a_server_with_a_key_takes_no_other() -> None:
    own = StandIn("http://127.0.0.1:1/v1", "sk_own", 0, any_host=False, agents=())
    assert answer(own, request_body())[0] == 401
    assert answer(own, request_body(), key="sk_own")[0] == 200
    assert [request.authorized for request in own.requests] == [False, True]


def test_a_queued_reply_precedes_markers_and_a_marker_the_rules(stand_in: StandIn) -> None:
    stand_in.enqueue([raw(b'"queued"')])
    marked = request_body("Hello [fault: http_500 times=1]")
    assert answer(stand_in, marked) == (200, "queued")
    # It was the first of equal requests, so the marker, for one, has had its turn.
    assert answer(stand_in, marked)[0] == 200
    stand_in.clear()
    assert [answer(stand_in, marked)[0] for _ in range(2)] == [500, 200]


def test_an_unknown_marker_is_named(stand_in: StandIn) -> None:
    status, body = answer(stand_in, request_body("[fault: nothing]"))
    assert (status, body["error"]["code"]) == (400, "unknown_marker")


def test_a_picture_is_answered_by_its_own_path(stand_in: StandIn) -> None:
    status, body = answer(stand_in, {"prompt": "a fox", "model": "asi1"}, path=IMAGE_PATH)
    assert (status, "b64_json" in body["data"][0]) == (200, True)


def test_clearing_forgets_everything(stand_in: StandIn) -> None:
    _, first = answer(stand_in, request_body())
    stand_in.enqueue([raw(b"1")])
    stand_in.clear()
    assert stand_in.requests == []
    assert answer(stand_in, request_body()) == (200, first)
