"""What a server does with a request before it answers it."""

from __future__ import annotations

import pytest

from langchain_asi_one.testing import _reception
from langchain_asi_one.testing._reception import RequestLog, is_loopback_header
from langchain_asi_one.testing._requests import ReceivedRequest


def received(number: int, size: int = 0) -> ReceivedRequest:
    return ReceivedRequest(
        method="POST",
        path="/",
        headers={},
        authorized=True,
        key_fingerprint="",
        raw=b"x" * size,
        session_id=None,
        connection=number,
        received_at=0.0,
    )


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8000", True),
        ("127.9.9.9", True),
        ("[::1]:80", True),
        ("LOCALHOST", True),
        ("a.localhost:1", True),
        ("localhost.example.org", False),
        ("127.0.0.1.nip.io", False),
        ("192.168.0.1:80", False),
        ("", False),
    ],
)
def test_names_of_this_machine(host: str, ours: bool) -> None:
    assert is_loopback_header(host) is ours


def test_the_oldest_requests_are_dropped_by_number_and_by_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = RequestLog()
    for number in range(_reception.MOST_REQUESTS + 2):
        log.add(received(number))
    assert [one.connection for one in log.copy()[:1]] == [2]
    log.clear()
    monkeypatch.setattr(_reception, "_MOST_BYTES", 100)
    for number in range(3):
        log.add(received(number, 40))
    assert [one.connection for one in log.copy()] == [1, 2]
    log.add(received(3, 1_000))  # the newest stays, whatever its size
    assert [one.connection for one in log.copy()] == [3]
