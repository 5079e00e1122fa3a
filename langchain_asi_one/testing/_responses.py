"""Responses as data: status, headers, and a body with pauses and cuts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSON_TYPE = "application/json"
SSE_TYPE = "text/event-stream"
"""Without a charset, as in the recorded stream: a client decodes UTF-8 by itself."""

DONE = b"data: [DONE]\n\n"
_HALF_PAIR = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Pause:
    """A time of ``seconds`` (0 or more) without a byte.

    It ends early if the client leaves.
    """

    seconds: float


@dataclass(frozen=True)
class Cut:
    """An end of the TCP connection: by FIN, or RST with ``reset``."""

    reset: bool = False


Step = bytes | Pause | Cut


@dataclass(frozen=True)
class Script:
    """One scripted HTTP response.

    Args:
        status: HTTP status code.
        headers: Response headers with lower-case names, ``content-type`` included.
        steps: Pieces of the body in order, with pauses and cuts between them.
        before: Pauses and cuts before the status line.
        sized: Whether to declare ``content-length``. Otherwise the body is sent chunked.
        declared: The length to declare if it is not that of ``steps``, for a body that is cut.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    before: tuple[Pause | Cut, ...] = ()
    sized: bool = False
    declared: int | None = None

    @property
    def body(self) -> bytes:
        """All bytes of the body."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))

    def make_headers(self) -> dict[str, str]:
        """Return the headers to send, with ``content-length`` if the body is sized."""
        if not self.sized:
            return dict(self.headers)
        length = len(self.body) if self.declared is None else self.declared
        return {**self.headers, "content-length": str(length)}


def to_json(value: Any) -> str:
    """Return compact JSON with text as it is, as recorded."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # UTF-8 has no half of a surrogate pair, JSON has.
    return json.dumps(value, separators=(",", ":")) if _HALF_PAIR.search(text) else text


def encode_event(value: Any) -> bytes:
    """Return a server-sent ``data`` event with ``value`` as JSON."""
    return f"data: {to_json(value)}\n\n".encode()


def make_response(
    body: Any,
    *,
    status: int = 200,
    content_type: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """Return a response in one piece.

    Bytes and text are sent as they are, all else as JSON.
    """
    if isinstance(body, bytes):
        data = body
    else:
        data = (body if isinstance(body, str) else to_json(body)).encode()
    return Script(status, {"content-type": content_type, **(headers or {})}, (data,), sized=True)


def make_stream(pieces: Iterable[Step], *, delay: float = 0, status: int = 200) -> Script:
    """Return an event stream; ``delay`` is the pause after each piece."""
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
    """Return an error in the form that a client reports.

    The body names the ``status`` too.
    """
    error = {"message": message, "type": kind, "code": code, "param": param, "status": status}
    return {"error": error}
