"""Tokens for the mailbox, and what its headers say."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest
from uagents_core.identity import Identity
from uagents_core.storage import compute_attestation

from langchain_asi_one.agents._endpoints import Response
from langchain_asi_one.agents._mailbox import _compare_clocks, _read_retry_after, sign_token

ME = Identity.from_seed("a seed of the tests", 0)


def respond(**headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(401, httpx.Headers(named), b"")


def test_a_token_is_that_of_uagents_core() -> None:
    start = datetime(2026, 11, 26, tzinfo=UTC)
    seconds = int(start.timestamp())
    ours = sign_token(ME, seconds, seconds + 600, b"n" * 32).split(":")
    theirs = compute_attestation(ME, start, 600, b"n" * 32).split(":")
    assert ours[:2] == theirs[:2]
    digest = hashlib.sha256(base64.b64decode(ours[1])).digest()
    assert Identity.verify_digest(ME.address, digest, ours[2])


def test_clocks_are_compared_by_the_date_of_the_server() -> None:
    now = datetime.now(UTC)
    assert _compare_clocks(respond(date=format_datetime(now, usegmt=True))) == ""
    early = format_datetime(now.replace(year=now.year - 1), usegmt=True)
    assert "ahead of Agentverse's: set it" in _compare_clocks(respond(date=early))
    for date in ("", "yesterday", "Thu, 99 Nov 2026 99:99:99 GMT"):
        assert _compare_clocks(respond(date=date)) == ""


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3), ("0.5", 0.5), ("-1", 0), ("99999", 60), ("soon", 0), ("inf", 60), ("nan", 0)],
)
def test_a_server_can_hold_up_the_polls_for_a_minute(value: str, seconds: float) -> None:
    assert _read_retry_after(respond(retry_after=value)) == seconds
    assert _read_retry_after(respond()) == 0
