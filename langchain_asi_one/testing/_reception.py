"""What every server of the tests does before it answers a request."""

from __future__ import annotations

import ipaddress
import re
import time
from collections import deque
from typing import TYPE_CHECKING

from langchain_asi_one.testing._requests import (
    ReceivedRequest,
    fingerprint,
    mask_secrets,
)

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_REQUESTS = 10_000
_MOST_BYTES = 64 * 2**20
"""Of all requests that are kept."""
LONGEST_BODY = 32 * 2**20


class RequestLog:
    """The last 10,000 requests up to 64 MiB.

    The owner locks it.
    """

    def __init__(self) -> None:
        self._received: deque[ReceivedRequest] = deque()
        self._bytes = 0

    def add(self, received: ReceivedRequest) -> None:
        """Keep a request, and drop the oldest beyond the limits."""
        self._received.append(received)
        self._bytes += received.size
        while len(self._received) > MOST_REQUESTS or (
            self._bytes > _MOST_BYTES and len(self._received) > 1
        ):
            self._bytes -= self._received.popleft().size

    def copy(self) -> list[ReceivedRequest]:
        """Return the requests, oldest first, as a new list."""
        return list(self._received)

    def clear(self) -> None:
        """Forget all requests."""
        self._received.clear()
        self._bytes = 0


def make_record(
    request: Request, body: bytes, connection: int, *, key: str, authorized: bool
) -> ReceivedRequest:
    """Make the record of a request that has arrived, without its key."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = f"?{request.url.query}" if request.url.query else ""
    return ReceivedRequest(
        method=request.method,
        path=request.url.path + query,
        headers=mask_secrets(headers),
        authorized=authorized,
        key_fingerprint=fingerprint(key),
        raw=body,
        session_id=headers.get("x-session-id"),
        connection=connection,
        received_at=time.monotonic(),
    )


async def read_body(request: Request) -> bytes | None:
    """Return the body, or ``None`` if it is too long.

    A longer one is read to its end and dropped.
    """
    body = bytearray()
    length = 0
    async for data in request.stream():
        length += len(data)
        if length <= LONGEST_BODY:
            body += data
    return bytes(body) if length <= LONGEST_BODY else None


def is_loopback_header(host: str) -> bool:
    """Return whether a ``Host`` header names this machine.

    Another name may lead here by a trick of DNS.
    """
    name = re.sub(r":\d*$", "", host).strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    # `_validators` has this too, but brings pydantic, for which a server would start later.
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
