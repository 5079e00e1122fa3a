"""What the stand-in puts on the wire for one request, as data: status, headers and timed steps."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON_TYPE = "application/json"
SSE_TYPE = "text/event-stream"
"""Without a charset, as the recorded stream must have had (a client has to decode UTF-8 itself)."""

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Pause:
    """Send nothing for ``seconds`` (0 or more), or until the client goes away."""

    seconds: float


@dataclass(frozen=True)
class Cut:
    """Drop the TCP connection: in order (FIN), or with ``reset`` abruptly (RST)."""

    reset: bool = False


Step = bytes | Pause | Cut


@dataclass(frozen=True)
class Script:
    """One scripted HTTP response.

    Args:
        status: HTTP status code.
        headers: Response headers with lower-case names, ``content-type`` included.
        steps: Pieces of the body in order, with pauses and cuts between them.
        before: What happens before the status line is sent.
        sized: Whether to declare ``content-length``; otherwise the body is sent chunked.
        declared: The length to declare when it is not that of ``steps`` (a body that gets cut).
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    before: tuple[Pause | Cut, ...] = ()
    sized: bool = False
    declared: int | None = None

    @property
    def body(self) -> bytes:
        """All bytes of the body, without the timing."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    def wire_headers(self) -> dict[str, str]:
        """The headers to send, with ``content-length`` when the body is sized."""
        if not self.sized:
            return dict(self.headers)
        length = len(self.body) if self.declared is None else self.declared
        return {**self.headers, "content-length": str(length)}


def to_json(value: Any) -> str:
    """Compact JSON with non-ASCII text as it is, like the recorded stream."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def encode_event(value: Any) -> bytes:
    """One server-sent ``data`` event that holds ``value`` as JSON."""
    return f"data: {to_json(value)}\n\n".encode()


def make_response(
    body: Any,
    *,
    status: int = 200,
    content_type: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """A body sent at once with its length: ``bytes`` and ``str`` as they are, the rest as JSON."""
    if isinstance(body, bytes):
        data = body
    else:
        data = (body if isinstance(body, str) else to_json(body)).encode()
    return Script(status, {"content-type": content_type, **(headers or {})}, (data,), sized=True)


def make_stream(pieces: Iterable[Step], *, delay: float = 0, status: int = 200) -> Script:
    """A server-sent event stream; ``delay`` is the pause in seconds after each piece."""
    parts = tuple(pieces)
    if delay > 0:
        parts = tuple(chain.from_iterable((part, Pause(delay)) for part in parts))
    return Script(status, {"content-type": SSE_TYPE, "cache-control": "no-cache"}, parts)


def make_error_body(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    kind: str = "invalid_request_error",
) -> dict[str, Any]:
    """The error shape that a client of the API reports (numeric ``status`` inside included)."""
    error = {"message": message, "type": kind, "code": code, "param": param, "status": status}
    return {"error": error}
