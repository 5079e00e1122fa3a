"""Where a request goes, and which time limits are in force for it."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one._httpx_compat import http
from langchain_asi_one._transport.proxies import Proxy
from langchain_asi_one._transport.request import (
    AGENTIC_TIMEOUT,
    DEFAULT_TIMEOUT,
    ChatRequest,
    ClientSettings,
    ImageRequest,
)

SETTINGS = ClientSettings("sk_key", "https://api.example/v1/", DEFAULT_TIMEOUT, 2)
AGENTIC = {"planner_mode": True}


def request(body: dict[str, Any], **arguments: Any) -> ChatRequest:
    return ChatRequest(SETTINGS, body, "s", **arguments)


def test_a_request_goes_below_the_base_url() -> None:
    assert request({}).url == "https://api.example/v1/chat/completions"
    assert ImageRequest(SETTINGS, {}, "s").url == "https://api.example/v1/image/generate"


@pytest.mark.parametrize(
    ("body", "agentic"),
    [({}, False), (AGENTIC, True), ({"agents": ["a"]}, True), ({"agents": []}, False)],
)
def test_what_can_make_agents_act_is_sent_once(body: dict[str, Any], agentic: bool) -> None:
    assert request(body).agentic is request(body).sent_once is agentic
    assert ImageRequest(SETTINGS, body, "s").sent_once


@pytest.mark.parametrize(
    ("body", "timeout", "limits"),
    [
        ({}, None, (10, DEFAULT_TIMEOUT)),
        (AGENTIC, None, (10, AGENTIC_TIMEOUT)),
        (AGENTIC, 5, (5, 5)),
        ({}, 400, (10, 400)),
        ({}, http.Timeout(30, read=7), (10, 7)),
        ({}, http.Timeout(None, connect=2), (2, None)),
    ],
)
def test_limits(body: dict[str, Any], timeout: Any, limits: tuple[float, float]) -> None:
    timeouts = request(body, timeout=timeout).timeouts
    assert (timeouts["connect"], timeouts["read"]) == limits
    assert set(timeouts) == {"connect", "read", "write", "pool"}


def test_a_request_may_have_a_deadline_of_its_own() -> None:
    assert request({}).total_limit is None
    assert request({}, deadline=3).total_limit == 3


@pytest.mark.parametrize("url", ["http://me:secret@p.example:3128", "http://p.example:3128"])
def test_a_proxy_is_named_without_credentials(url: str) -> None:
    proxy = Proxy(url, "HTTPS_PROXY")
    assert str(proxy) == "http://p.example:3128 (HTTPS_PROXY)"
    assert "secret" not in repr(proxy)


def test_neither_key_nor_headers_are_shown() -> None:
    settings = ClientSettings("sk_key", "https://a.example", 1, 0, {"x-team": "blue-secret"})
    assert not {"sk_key", "blue-secret"} & set(repr(settings).split("'"))
