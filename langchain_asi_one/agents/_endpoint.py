"""An HTTP endpoint of our own for replies: plain ASGI."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from uagents_core.identity import Identity

from langchain_asi_one._json.safe import loads
from langchain_asi_one.agents._almanac import Almanac
from langchain_asi_one.agents._envelope import MAX_BYTES

ASGIMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[ASGIMessage]]
Send: TypeAlias = Callable[[ASGIMessage], Awaitable[None]]

_RENEWED_AFTER: Final = 3_600.0  # seconds; a registration lives for 48 hours


class Endpoint:
    """Letters that come by an application on the developer's own server."""

    def __init__(self, identity: Identity, almanac: Almanac, url: str) -> None:
        self._identity = identity
        self._almanac = almanac
        self._url = url
        self._registered: float | None = None
        self._registering = asyncio.Lock()

    async def prepare(self, *, seconds: float) -> None:
        """Write the endpoint into the Almanac, once in an hour."""
        async with self._registering:
            now = time.monotonic()
            if self._registered is None or now > self._registered + _RENEWED_AFTER:
                await self._almanac.register(self._identity, self._url, seconds=seconds)
                self._registered = now

    def watch(self) -> None:
        """Do nothing: letters come by themselves."""

    def describe_problem(self) -> str:
        """Say where letters are to come to."""
        return f"answers are to come to {self._url}: is it served, and can agents reach it?"

    async def delete(self, uuids: list[str]) -> None:
        """Do nothing: nothing is kept."""


async def serve(
    scope: ASGIMessage, receive: Receive, send: Send, put: Callable[[object], None]
) -> None:
    """Serve one connection of an ASGI server.

    Args:
        scope: What kind of connection it is.
        receive: Gives its messages.
        send: Takes ours.
        put: Takes an envelope's JSON; the sender learns nothing of what becomes of it.
    """
    if scope["type"] == "lifespan":
        await _serve_lifespan(receive, send)
    elif scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
    elif scope["method"] != "POST":
        await _answer(send, 405)
    elif (body := await _read_body(receive)) is None:
        await _answer(send, 413)
    else:
        envelope = _read_object(body)
        if envelope is not None:
            put(envelope)
        await _answer(send, 400 if envelope is None else 200)


async def _serve_lifespan(receive: Receive, send: Send) -> None:
    message: ASGIMessage = {"type": ""}
    while message["type"] != "lifespan.shutdown":
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


async def _read_body(receive: Receive) -> bytes | None:
    """Read the body of a request; keep none that is too long."""
    body: bytearray | None = bytearray()
    more = True
    while more:
        message = await receive()
        if body is not None:
            body += message.get("body", b"")
            body = body if len(body) <= MAX_BYTES else None
        more = message.get("more_body", False)
    return None if body is None else bytes(body)


def _read_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
