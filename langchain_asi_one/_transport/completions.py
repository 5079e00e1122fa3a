"""One exchange with `POST /chat/completions`: a request body in, plain dicts out.

The SDK does connections and retries; bodies and streams are read here, as it would drop fields,
lose the first event behind a byte order mark, and accept a stream that broke off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from time import monotonic
from typing import Any

import openai

from langchain_asi_one._httpx_compat import http, timeout_errors, transport_errors
from langchain_asi_one._transport.client_pool import OwnClients, loop_client, sync_client
from langchain_asi_one._transport.decoders import CompletionStreamDecoder, ProtocolError, read_body
from langchain_asi_one._transport.error_mapping import (
    RequestContext,
    status_error,
    transport_error,
    wire_error,
)
from langchain_asi_one._transport.request import ChatRequest, ClientSettings
from langchain_asi_one.errors import ASIOneBadRequestError, ASIOneError, ASIOneTimeoutError

Chunk = dict[str, Any]

_SHORTEST_SECRET = 8


# After [DONE], for the end of the body; the SDK waits as long.
_DRAIN_SECONDS = 0.1


class CompletionsClient:
    """Sends requests, whole or streamed, sync or async. Holds nothing of them."""

    def __init__(self) -> None:
        self._own = OwnClients()
        self._usage_refused = False

    def _client(self, settings: ClientSettings) -> openai.OpenAI:
        own = settings.http_client is not None
        return self._own.sync(settings) if own else sync_client(settings)

    def _aclient(self, settings: ClientSettings) -> AbstractAsyncContextManager[openai.AsyncOpenAI]:
        own = settings.http_async_client is not None
        return nullcontext(self._own.of_loop(settings)) if own else loop_client(settings)

    def create(self, request: ChatRequest, read: Callable[[bytes, str], Any] = read_body) -> Any:
        """Send a request and read the whole answer.

        Args:
            request: The request.
            read: Reads the body and its Content-Type, or raises `ProtocolError`.

        Returns:
            What `read` makes of the body, by default its JSON object.

        Raises:
            ASIOneError: If the request failed.
        """
        try:
            response = self._client(request.settings).post(**_sdk_arguments(request))
            return read(response.content, _content_type(response))
        except _failures() as reason:
            error = _error(reason, request)
        # Outside the except clause: as context, the SDK's error would carry the request's headers.
        raise error

    async def acreate(
        self, request: ChatRequest, read: Callable[[bytes, str], Any] = read_body
    ) -> Any:
        """Do as `create`, in the running event loop."""
        try:
            async with self._aclient(request.settings) as client:
                response = await client.post(**_sdk_arguments(request))
            return read(response.content, _content_type(response))
        except _failures() as reason:
            error = _error(reason, request)
        raise error

    def stream(self, request: ChatRequest) -> Generator[Chunk]:
        """Send a request and read the answer as it arrives.

        Args:
            request: The request, with `stream: true` in its body.

        Yields:
            The JSON object of each event.

        Raises:
            ASIOneError: If the request failed, also after some chunks.
        """
        response: Any = None
        try:
            # Held until the end: a user's own client may close its connections when it is dropped.
            client = self._client(request.settings)
            response = self._open(client, request)
            decoder = CompletionStreamDecoder(_content_type(response))
            limit = _EventLimit(request)
            for data in response.iter_bytes():
                yield from decoder.feed(data)
                if decoder.done:
                    return
                limit.check(decoder.seen)
            yield from decoder.close()
            return
        except _failures() as reason:
            error = _error(reason, request)
        finally:
            if response is not None:
                response.close()
        raise error

    async def astream(self, request: ChatRequest) -> AsyncGenerator[Chunk]:
        """Do as `stream`, in the running event loop."""
        response: Any = None
        try:
            async with self._aclient(request.settings) as client:
                response = await self._aopen(client, request)
                decoder = CompletionStreamDecoder(_content_type(response))
                limit = _EventLimit(request)
                pieces = response.aiter_bytes()
                async for data in pieces:
                    for chunk in decoder.feed(data):
                        yield chunk
                    if decoder.done:
                        await _drain(pieces)
                        return
                    limit.check(decoder.seen)
                    # What is read is not held while a thousand streams wait for more.
                    data, chunk = b"", {}  # noqa: PLW2901
                for chunk in decoder.close():
                    yield chunk
                return
        except _failures() as reason:
            error = _error(reason, request)
        finally:
            if response is not None:
                await response.aclose()
        raise error

    def _open(self, client: openai.OpenAI, request: ChatRequest) -> Any:
        arguments = self._stream_arguments(request)
        try:
            return client.post(**arguments, stream=True, stream_cls=openai.Stream[Any])
        except openai.BadRequestError as reason:
            if not self._is_usage_refusal(reason, arguments, request):
                raise
        return client.post(
            **self._stream_arguments(request), stream=True, stream_cls=openai.Stream[Any]
        )

    async def _aopen(self, client: openai.AsyncOpenAI, request: ChatRequest) -> Any:
        arguments = self._stream_arguments(request)
        try:
            return await client.post(**arguments, stream=True, stream_cls=openai.AsyncStream[Any])
        except openai.BadRequestError as reason:
            if not self._is_usage_refusal(reason, arguments, request):
                raise
        return await client.post(
            **self._stream_arguments(request), stream=True, stream_cls=openai.AsyncStream[Any]
        )

    def _stream_arguments(self, request: ChatRequest) -> dict[str, Any]:
        arguments = _sdk_arguments(request)
        if self._usage_refused:
            body = {k: v for k, v in request.body.items() if k != "stream_options"}
            arguments["body"] = body
        return arguments

    def _is_usage_refusal(
        self, reason: openai.BadRequestError, arguments: dict[str, Any], request: ChatRequest
    ) -> bool:
        """Whether a 400 refuses `stream_options`, which then is never sent again."""
        error = _error(reason, request)
        refused = (
            "stream_options" in arguments["body"]
            and isinstance(error, ASIOneBadRequestError)
            and "stream_options" in f"{error.param} {error.api_message}"
        )
        self._usage_refused = self._usage_refused or refused
        return refused


def _context(request: ChatRequest) -> RequestContext:
    """Return what an error says about its request."""
    return RequestContext(
        url=f"{request.settings.base_url.rstrip('/')}{request.path}",
        model=request.body.get("model"),
        session_id=request.session_id,
        # A short value is no secret (a test's key, a flag), but part of many words.
        secrets=tuple(
            value
            for value in (request.settings.api_key, *request.settings.headers.values())
            if len(value) >= _SHORTEST_SECRET
        ),
        agentic=request.agentic,
    )


def _sdk_arguments(request: ChatRequest) -> dict[str, Any]:
    """Arguments of the SDK's `post`."""
    options: dict[str, Any] = {
        "headers": {"x-session-id": request.session_id},
        # The prompt goes where the user said, and nowhere else.
        "follow_redirects": False,
    }
    if request.timeout is not None:
        options["timeout"] = request.timeout
    if request.sent_once:
        # A second delivery may let an agent act twice, or cost twice.
        options["max_retries"] = 0
    return {
        "path": request.path,
        "cast_to": http.Response,
        "body": request.body,
        "options": options,
    }


class _EventLimit:
    """A limit on the time between two events.

    Keep-alive comments reset the HTTP library's timer, so an answer that never comes would hang.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._limit = _read_limit(request.time_limit)
        self._last = monotonic()
        self._seen = 0

    def check(self, seen: int) -> None:
        """Take note of how many events there were, when all of them have been handed on.

        The time that the caller takes for an event is not ASI:One's.
        """
        now = monotonic()
        if seen > self._seen:
            self._seen, self._last = seen, now
        elif self._limit is not None and now - self._last > self._limit:
            message = f"ASI:One's stream brought no event for {self._limit:g} s"
            raise ProtocolError(ASIOneTimeoutError, message)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Read what follows `[DONE]`, without which the connection could not be used again.

    Only here: a sync read cannot be limited to so short a time.
    """
    with suppress(TimeoutError, *_failures()):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in pieces:
                await asyncio.sleep(0)  # lets the limit act on data that is there already


def _failures() -> tuple[type[Exception], ...]:
    return (openai.APIError, ProtocolError, *timeout_errors(), *transport_errors())


def _read_limit(timeout: Any) -> float | None:
    """Seconds that a timeout, or an HTTP library's timeout object, allows between reads."""
    limit = getattr(timeout, "read", timeout)
    return float(limit) if isinstance(limit, int | float) else None


def _content_type(response: Any) -> str:
    return str(response.headers.get("content-type", "without a content type"))


def _error(reason: BaseException, request: ChatRequest) -> ASIOneError:
    if isinstance(reason, ASIOneError):
        return reason
    if isinstance(reason, ProtocolError):
        return wire_error(reason, _context(request))
    if isinstance(reason, openai.APIStatusError):
        response = reason.response
        return status_error(
            reason.status_code, response.headers, response.content, _context(request)
        )
    cause = reason.__cause__ if isinstance(reason, openai.APIError) else reason
    cause = cause if isinstance(cause, Exception) else Exception(str(reason))
    timed_out = isinstance(reason, (openai.APITimeoutError, *timeout_errors()))
    return transport_error(
        cause, _context(request), timeout=request.time_limit if timed_out else None
    )
