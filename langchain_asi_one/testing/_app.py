"""The stand-in as an ASGI application: records requests, sends replies."""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from langchain_asi_one.testing._default_answers import find_last_user_text, respond
from langchain_asi_one.testing._images import check_image_request, make_image_body
from langchain_asi_one.testing._reception import (
    LONGEST_BODY,
    MOST_REQUESTS,
    RequestLog,
    is_loopback_header,
    make_record,
    read_body,
)
from langchain_asi_one.testing._replies import Reply, find_marked_reply, render
from langchain_asi_one.testing._requests import (
    Exchange,
    ReceivedRequest,
    fingerprint,
    read_bearer_key,
)
from langchain_asi_one.testing._responses import Cut, Script, make_error_body, make_response
from langchain_asi_one.testing._schema_examples import InvalidSchemaError
from langchain_asi_one.testing._script_response import ScriptResponse
from langchain_asi_one.testing._sessions import Sessions
from langchain_asi_one.testing._validation import (
    RequestRefusedError,
    check_content_type,
    check_request,
    parse_body,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_asi_one.testing._agents import Entries
    from langchain_asi_one.testing._connection import CountedConnection

CHAT_PATH = "/v1/chat/completions"
IMAGE_PATH = "/v1/image/generate"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class StandIn:
    """State and decisions of one server.

    Its methods may be called from any thread.

    Args:
        base_url: Base URL under which the server is reached.
        api_key: The only key to accept; ``None`` accepts any.
        chunk_delay: Seconds between the pieces of a generated stream.
        any_host: Whether to serve requests for names that are not loopback ones.
        agents: The agents that answers name.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        chunk_delay: float,
        *,
        any_host: bool,
        agents: Entries,
    ) -> None:
        self._any_host = any_host
        self._agents = agents
        self._base_url = base_url
        self._api_key = api_key
        self._chunk_delay = chunk_delay
        self._lock = threading.Lock()
        self._received = RequestLog()
        self._replies: deque[Reply] = deque()
        self._sessions = Sessions()
        self._bodies: Counter[str] = Counter()

    def make_application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(routes=[Route("/{path:path}", self._handle_request, methods=_METHODS)])

    def enqueue(self, replies: Sequence[Reply]) -> None:
        """Append replies to the queue, which precedes every rule."""
        with self._lock:
            self._replies.extend(replies)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The last 10,000 requests up to 64 MiB, oldest first."""
        with self._lock:
            return self._received.copy()

    def clear(self) -> None:
        """Forget received requests, queued replies and sessions."""
        with self._lock:
            self._received.clear()
            self._replies.clear()
            self._sessions.clear()
            self._bodies.clear()

    async def _handle_request(self, request: Request) -> ScriptResponse:
        connection: CountedConnection = request.scope["state"]["connection"]
        if not (self._any_host or is_loopback_header(request.headers.get("host", ""))):
            return ScriptResponse(_refuse_host(), connection)
        try:
            body = await read_body(request)
        except ClientDisconnect:
            return ScriptResponse(Script(before=(Cut(),)), connection)
        exchange = self._record(request, body or b"", connection.number)
        script = _refuse_body() if body is None else self._reply_to(exchange)
        return ScriptResponse(script, connection)

    def _record(self, request: Request, raw: bytes, connection: int) -> Exchange:
        # The last of several headers, as the record has it.
        key = read_bearer_key(dict(request.headers).get("authorization", ""))
        authorized = bool(key) and self._api_key in (None, key)
        received = make_record(request, raw, connection, key=key, authorized=authorized)
        with self._lock:
            self._received.add(received)
            if len(self._bodies) >= MOST_REQUESTS:
                self._bodies.clear()
            repeat = self._bodies[_make_session_key(received)]
            self._bodies[_make_session_key(received)] += 1
            self._bodies[_make_body_key(received)] += 1
        exchange = Exchange(
            received,
            key,
            self._base_url,
            self._chunk_delay,
            lambda: self._apply_rules(exchange, repeat),
        )
        return exchange

    def _reply_to(self, exchange: Exchange) -> Script:
        received = exchange.received
        if received.path.partition("?")[0] not in (CHAT_PATH, IMAGE_PATH):
            message = (
                f"Not found: {received.path}. This stand-in serves POST {CHAT_PATH} and "
                f"POST {IMAGE_PATH} only."
            )
            return make_response(make_error_body(404, message, code="not_found"), status=404)
        if received.method != "POST":
            message = f"Method {received.method} is not allowed; use POST."
            headers = {"allow": "POST"}
            return make_response(make_error_body(405, message), status=405, headers=headers)
        # Before the queue: a web page can send a request, but no key without asking first.
        if not received.authorized:
            message = "Missing or invalid API key: send it as 'Authorization: Bearer <key>'."
            kind = "authentication_error"
            return make_response(
                make_error_body(401, message, code="invalid_api_key", kind=kind), status=401
            )
        with self._lock:
            queued = self._replies.popleft() if self._replies else None
        return queued.play(exchange) if queued else self._reply_to_prompt(exchange)

    def _reply_to_prompt(self, exchange: Exchange) -> Script:
        try:
            marked = find_marked_reply(_find_text(exchange.payload))
        except ValueError as cause:
            return make_response(
                make_error_body(400, f"{cause}", code="unknown_marker"), status=400
            )
        with self._lock:
            # In whatever session: a client that tries again may begin a new one.
            seen = self._bodies[_make_body_key(exchange.received)]
        reply, times = marked or (None, 0)
        return reply.play(exchange) if reply and seen <= times else exchange.answer()

    def _apply_rules(self, exchange: Exchange, repeat: int) -> Script:
        try:
            check_content_type(exchange.received.headers.get("content-type", ""))
            payload = parse_body(exchange.received.raw)
            if exchange.received.path.partition("?")[0] == IMAGE_PATH:
                check_image_request(payload)
                return make_response(make_image_body(payload))
            check_request(payload)
        except RequestRefusedError as refused:
            return make_response(refused.body, status=refused.status)
        with self._lock:
            session = self._sessions.get(exchange.received.session_id)
            try:
                given = respond(payload, session, repeat, self._agents)
            except InvalidSchemaError as cause:
                return make_response(
                    make_error_body(400, f"{cause}", code="invalid_schema"), status=400
                )
        return render(given.body, exchange, given.plan_states)


def _find_text(payload: dict[str, Any]) -> str:
    """Return the last user text, or an image request's prompt."""
    prompt = payload.get("prompt")
    return prompt if isinstance(prompt, str) else find_last_user_text(payload)


def _refuse_host() -> Script:
    message = "This stand-in serves loopback names only, such as 127.0.0.1 and localhost."
    return make_response(make_error_body(421, message, code="misdirected_request"), status=421)


def _refuse_body() -> Script:
    message = f"The request body has more than {LONGEST_BODY:,} bytes."
    return make_response(make_error_body(413, message, code="request_too_large"), status=413)


def _make_session_key(received: ReceivedRequest) -> str:
    """Return a key that equal bodies of one session share."""
    return fingerprint(f"{received.session_id} {_make_body_key(received)}")


def _make_body_key(received: ReceivedRequest) -> str:
    return fingerprint(received.raw.decode(errors="replace"))
