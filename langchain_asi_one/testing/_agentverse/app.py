"""The local Agentverse as an ASGI application: records requests, sends replies."""

from __future__ import annotations

import ssl
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import httpx
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from langchain_asi_one.testing._agentverse.proofs import RefusedError, read_token
from langchain_asi_one.testing._agentverse.routes import Incoming, find_route
from langchain_asi_one.testing._reception import (
    LONGEST_BODY,
    RequestLog,
    is_loopback_header,
    make_record,
    read_body,
)
from langchain_asi_one.testing._requests import (
    Exchange,
    ReceivedRequest,
    read_bearer_key,
)
from langchain_asi_one.testing._responses import Cut, Script, make_response
from langchain_asi_one.testing._script_response import ScriptResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from langchain_asi_one.testing._agentverse.state import State
    from langchain_asi_one.testing._connection import CountedConnection
    from langchain_asi_one.testing._replies import Reply

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class AgentverseApp:
    """A request's way: its record, then a queued reply or the path's.

    Args:
        state: What the server remembers.
        lock: Held while the state is read or changed.
    """

    def __init__(self, state: State, lock: threading.Lock) -> None:
        self._state = state
        self._lock = lock
        self._received = RequestLog()
        self._replies: list[tuple[str, Reply]] = []

    def make_application(self) -> Starlette:
        """Return the ASGI application."""
        routes = [Route("/{path:path}", self._handle_request, methods=_METHODS)]
        return Starlette(routes=routes, lifespan=self._open_client)

    def enqueue(self, replies: Sequence[Reply], pattern: str) -> None:
        """Queue replies for requests whose method and path fit a pattern."""
        with self._lock:
            self._replies.extend((pattern, reply) for reply in replies)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The last 10,000 requests, or 64 MiB of them, oldest first."""
        with self._lock:
            return self._received.copy()

    def clear(self) -> None:
        """Forget received requests and queued replies."""
        with self._lock:
            self._received.clear()
            self._replies.clear()

    @asynccontextmanager
    async def _open_client(self, _: Starlette) -> AsyncIterator[None]:
        # No proxy of the environment, and no certificates, whose reading takes 40 ms.
        no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        async with httpx.AsyncClient(trust_env=False, verify=no_certificates) as client:
            self._state.client = client
            yield

    async def _handle_request(self, request: Request) -> ScriptResponse:
        connection: CountedConnection = request.scope["state"]["connection"]
        if not is_loopback_header(request.headers.get("host", "")):
            return ScriptResponse(self._refuse(421, "Only loopback names are served"), connection)
        try:
            body = await read_body(request)
        except ClientDisconnect:
            return ScriptResponse(Script(before=(Cut(),)), connection)
        with self._lock:
            script = self._reply_to(request, body, connection.number)
        return ScriptResponse(script, connection)

    def _reply_to(self, request: Request, body: bytes | None, connection: int) -> Script:
        authorization = request.headers.get("authorization", "")
        key = read_bearer_key(authorization)
        agent = read_token(authorization, self._state.now())
        authorized = key == self._state.api_key or agent is not None
        received = make_record(request, body or b"", connection, key=key, authorized=authorized)
        self._received.add(received)
        if body is None:
            return self._refuse(413, f"The body has more than {LONGEST_BODY:,} bytes")

        def answer() -> Script:
            has_key = key == self._state.api_key
            return self._answer(request, Incoming(body, {}, request.query_params, has_key, agent))

        exchange = Exchange(received, key, self._state.url, 0, answer)
        reply = self._take_reply(f"{received.method} {received.path}")
        return self._format_date(reply.play(exchange) if reply else answer())

    def _take_reply(self, line: str) -> Reply | None:
        for index, (pattern, reply) in enumerate(self._replies):
            if fnmatchcase(line, pattern):
                del self._replies[index]
                return reply
        return None

    def _answer(self, request: Request, incoming: Incoming) -> Script:
        try:
            handler, params = find_route(request.method, request.url.path)
            return make_response(handler(self._state, replace(incoming, params=params)))
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            return make_response({"detail": problems}, status=422)
        except RefusedError as refused:
            return self._refuse(refused.status, refused.detail)

    def _refuse(self, status: int, detail: str) -> Script:
        return self._format_date(make_response({"detail": detail}, status=status))

    def _format_date(self, script: Script) -> Script:
        date = formatdate(self._state.now(), usegmt=True)
        return replace(script, headers={"date": date, **script.headers})
