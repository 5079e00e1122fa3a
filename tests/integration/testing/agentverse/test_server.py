"""The local Agentverse as a server: queued replies, its clock, its bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from langchain_asi_one.testing import _reception, fault, raw
from langchain_asi_one.testing._agentverse import almanac, mailboxes

if TYPE_CHECKING:
    from tests.integration.testing.agentverse.conftest import Somebody

Json = dict[str, Any]


def test_a_reply_can_be_queued_for_a_path(somebody: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}/mailbox"
    server = somebody.server
    server.enqueue(fault("http_429", retry_after=3), raw(b"{}", status=503), to="GET */mailbox*")
    server.enqueue(raw(b"tea"), to="*/v1/almanac/*")
    statuses = [somebody.client.get(path, headers=somebody.token()).status_code for _ in range(3)]
    assert statuses == [429, 503, 200]
    assert somebody.client.get(f"/v1/almanac/agents/{somebody.address}").content == b"tea"
    assert somebody.client.get(f"/v1/almanac/agents/{somebody.address}").status_code == 200


def test_its_clock_can_be_wrong(somebody: Somebody) -> None:
    path = f"/v2/agents/{somebody.address}/mailbox"
    somebody.server.clock_skew = 3600
    try:
        refused = somebody.client.get(path, headers=somebody.token())
    finally:
        somebody.server.clock_skew = 0
    assert refused.status_code == 401
    shown = time.strptime(refused.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
    assert shown > time.gmtime(time.time() + 3000)
    assert somebody.client.get(path, headers=somebody.token()).status_code == 200


def test_what_was_received_is_kept_without_secrets(somebody: Somebody) -> None:
    somebody.client.get(f"/v2/agents/{somebody.address}", headers=somebody.token())
    kept = somebody.server.requests
    assert [one.authorized for one in kept] == [True] * 4
    assert {one.headers["authorization"] for one in kept} == {"Bearer ***", "***"}
    assert somebody.server.api_key not in str(kept)


def test_loopback_names_only_are_served(stranger: Somebody) -> None:
    refused = stranger.client.get("/v1/almanac/handles/x", headers={"host": "evil.example"})
    assert refused.status_code == 421
    assert stranger.server.requests == []


def test_what_it_takes_has_bounds(
    somebody: Somebody, stranger: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send() -> int:
        letter = somebody.seal(somebody.address, "x" * 1000)
        return somebody.client.post("/v2/agents/mailbox/submit", json=letter).status_code

    assert send() == 200
    with monkeypatch.context() as limited:
        limited.setattr(mailboxes, "_MOST_BYTES", 3000)
        assert send() == 429
    with monkeypatch.context() as limited:
        limited.setattr(mailboxes, "MOST_MAIL", 1)
        assert send() == 429
    with monkeypatch.context() as limited:
        limited.setattr(almanac, "_MOST_AGENTS", 1)
        posted = stranger.client.post("/v1/almanac/agents", json=stranger.attest())
        assert posted.status_code == 429
    with monkeypatch.context() as limited:
        limited.setattr(_reception, "LONGEST_BODY", 1000)
        assert send() == 413
    endpoints = [{"url": "http://127.0.0.1:9/", "weight": 1}] * 11
    assert somebody.register(endpoints=endpoints).status_code == 422
    assert send() == 200
