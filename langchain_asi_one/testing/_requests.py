"""Requests as the stand-in keeps them: without the API key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langchain_asi_one.testing._responses import Script

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization"})


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as the stand-in received it.

    Args:
        method: HTTP method, upper case.
        path: Path with the query string, for example ``/v1/chat/completions``.
        headers: All headers with lower-case names; credentials read ``"Bearer ***"``.
        authorized: Whether the request carried a Bearer key that the server accepts.
        key_fingerprint: First 12 hex digits of the key's SHA-256, ``""`` without a key.
        raw: The body's bytes, empty if there were more than the server takes.
        session_id: The ``x-session-id`` header, ``None`` if absent.
        connection: Number of the TCP connection on this server, from 1.
        received_at: ``time.monotonic()`` when the body was complete.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any", session_id="chat-42")
        ...     message = model.invoke("Hello")
        ...     received = server.requests[-1]
        >>> received.method, received.path, received.session_id
        ('POST', '/v1/chat/completions', 'chat-42')
        >>> received.headers["authorization"], received.body["model"]
        ('Bearer ***', 'asi1')
    """

    method: str
    path: str
    headers: Mapping[str, str]
    authorized: bool
    key_fingerprint: str
    raw: bytes = field(repr=False)
    session_id: str | None
    connection: int
    received_at: float

    @property
    def body(self) -> Any:
        """The JSON body, parsed anew; ``None`` if it is not JSON."""
        # Not kept: parsed, a body may take twenty times its bytes.
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError):
            return None

    @property
    def size(self) -> int:
        """Bytes of headers and body."""
        return len(self.raw) + sum(map(len, (*self.headers, *self.headers.values())))


@dataclass(frozen=True)
class Exchange:
    """A request, and what a reply needs to answer it.

    Args:
        received: The request.
        key: The API key as received. It is kept only while the request is being answered.
        base_url: Base URL of this server.
        chunk_delay: Seconds between the pieces of a generated stream.
        answer: Makes the response that the rules give to this request.
    """

    received: ReceivedRequest
    key: str = field(repr=False)
    base_url: str
    chunk_delay: float
    answer: Callable[[], Script]

    @cached_property
    def payload(self) -> dict[str, Any]:
        """The request body, ``{}`` unless it is a JSON object."""
        body = self.received.body
        return body if isinstance(body, dict) else {}

    @property
    def streaming(self) -> bool:
        """Whether the request asks for a stream."""
        return self.payload.get("stream") is True


def read_bearer_key(authorization: str) -> str:
    """Return the Bearer key of an ``Authorization`` header value, or ``""``."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def fingerprint(key: str) -> str:
    """Return the start of a key's SHA-256, ``""`` for no key.

    It has 12 hex digits.
    """
    return hashlib.sha256(key.encode()).hexdigest()[:12] if key else ""


def mask_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with asterisks in place of each credential."""
    return {
        name: value
        if name not in _SECRET_HEADERS
        else "Bearer ***"
        if read_bearer_key(value)
        else "***"
        for name, value in headers.items()
    }
