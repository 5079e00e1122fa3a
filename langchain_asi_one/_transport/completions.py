"""Requests to the API: a body in, dicts or an `ASIOneError` out.

The HTTP library does connections. Tries, bodies and streams are done here: the SDK would drop
fields, lose the first event behind a byte order mark, accept a stream that broke off, and keep the
request's headers in its errors.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing, suppress
from time import monotonic
from typing import Any, Self, cast

from langchain_asi_one._transport.client_pool import (
    Pool,
    find_client,
    find_pool,
    require_event_loop,
)
from langchain_asi_one._transport.clients import BODY
from langchain_asi_one._transport.connections import Connection, Deadline
from langchain_asi_one._transport.decoders import (
    BodyDecoder,
    CompletionStreamDecoder,
    ProtocolError,
    read_body,
)
from langchain_asi_one._transport.failures import (
    DeadlineError,
    IdleError,
    RequestContext,
    StatusError,
    map_error,
    spell_secrets,
    was_sent,
)
from langchain_asi_one._transport.request import ChatRequest
from langchain_asi_one._transport.retry import compute_wait, describe_retry
from langchain_asi_one._version import __version__
from langchain_asi_one.errors import ASIOneBadRequestError, ASIOneError

JSONObject = dict[str, Any]

_LOG = logging.getLogger("langchain_asi_one")
_LONG_WAIT = 5  # seconds; a longer one is worth a warning
_SHORTEST_SECRET = 8  # characters; a shorter value is no secret, but part of many words
_ERROR_BODY = 65_536  # bytes that are read of the body of an error
_ERROR_SECONDS = 5
_DRAIN_SECONDS = 0.1  # after [DONE], for the end of the body


class CompletionsClient:
    """Sends requests, whole or streamed, sync or async."""

    def __init__(self) -> None:
        self.usage_refused = False
        """Whether the API has refused `stream_options`, which are not sent from then on."""

    def create(self, request: ChatRequest, read: Callable[[bytes, str], Any] = read_body) -> Any:
        """Send a request and read the whole answer.

        `read` makes the result of the body and its Content-Type, or raises `ProtocolError`.

        Raises:
            ASIOneError: If the request failed.
        """
        (answer,) = _stream(_Exchange(request, self, read))
        return answer

    async def acreate(
        self, request: ChatRequest, read: Callable[[bytes, str], Any] = read_body
    ) -> Any:
        """Async version of `create`."""
        require_event_loop()
        async with aclosing(CompletionStream(_Exchange(request, self, read))) as answers:
            return await anext(answers)

    def stream(self, request: ChatRequest) -> Generator[JSONObject]:
        """Send a request; yield each event's JSON object as it arrives.

        The body has `stream: true`.

        Raises:
            ASIOneError: If the request failed, also after some chunks.
        """
        return _stream(_Exchange(request, self))

    def astream(self, request: ChatRequest) -> CompletionStream:
        """Async version of `stream`; close it, or read it to its end."""
        require_event_loop()
        return CompletionStream(_Exchange(request, self))


def _stream(exchange: _Exchange) -> Generator[Any]:
    """Yield the chunks of an answer, or the whole."""
    while True:
        response = None
        try:
            response = _send(exchange)
            decoder = exchange.begin_answer(response)
            pieces = response.iter_bytes()
            for data in pieces:
                yield from decoder.feed(data)
                if decoder.done:
                    _drain(response, pieces)
                    return
                exchange.check_time()
            yield from decoder.close()
            return
        except Exception as reason:  # noqa: BLE001 - becomes an ASIOneError
            wait = exchange.fail(reason)
        finally:
            _close(response)
        # Outside the except clause: as context, the reason would carry the request's headers.
        exchange.pause(wait)


class CompletionStream:
    """The chunks of a streamed answer, for the running event loop.

    No generator: an event loop that ends closes all async generators at the same time, and one that
    is closing another then fails.
    """

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._attempt = _AsyncAttempt(exchange)
        self._chunks: Iterator[JSONObject] = iter(())
        self._pieces: Any = None
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> JSONObject:
        while True:
            try:
                chunk = await self._read()
            except Exception as reason:  # noqa: BLE001 - becomes an ASIOneError
                wait = self._exchange.fail(reason)
            else:
                if chunk is not None:
                    return chunk
                await self.aclose()
                raise StopAsyncIteration
            await self.aclose()
            await self._exchange.apause(wait)
            self._ended = False

    async def aclose(self) -> None:
        """End the request, whatever has been read of its answer."""
        await self._attempt.close()
        pieces, self._pieces = self._pieces, None
        if pieces is not None:
            self._ended = True
            with suppress(Exception):
                await pieces.aclose()

    async def _read(self) -> JSONObject | None:
        """Return the next chunk, or `None` at the end of the answer."""
        exchange = self._exchange
        if self._pieces is None and not self._ended:
            response = await self._attempt.send()
            exchange.begin_answer(response)
            self._pieces = response.aiter_bytes()
            await self._feed(_BeginUnregistered(self._pieces))
        decoder = exchange.decoder
        while True:
            for chunk in self._chunks:
                return chunk
            if decoder.done and not self._ended:
                self._ended = True
                await _adrain(self._pieces)
            if self._ended:
                return None
            exchange.check_time()
            await self._feed(anext(self._pieces, None))

    async def _feed(self, coming: Awaitable[bytes | None]) -> None:
        # What is read is not held while a thousand streams wait for more.
        data = await coming
        decoder = self._exchange.decoder
        self._ended = data is None
        self._chunks = iter(decoder.close()) if data is None else decoder.feed(data)


class _BeginUnregistered:
    """Awaits an async generator's first item, hidden from the event loop.

    The HTTP library's generators lie within each other. A loop that ends closes all that it knows
    at the same time; closing the inner ones twice is an error, which the loop prints.
    """

    def __init__(self, generator: AsyncGenerator[bytes]) -> None:
        self._generator = generator

    def __await__(self) -> Generator[Any, Any, bytes | None]:
        hooks = sys.get_asyncgen_hooks()
        # All of them begin before the first of them waits.
        sys.set_asyncgen_hooks(None, None)
        try:
            steps: Any = anext(self._generator, None).__await__()
            waiting = next(steps)
        except StopIteration as end:
            return cast("bytes | None", end.value)
        finally:
            sys.set_asyncgen_hooks(*hooks)
        try:
            while True:
                try:
                    step, value = steps.send, (yield waiting)
                except BaseException as thrown:  # noqa: BLE001 - handed on
                    step, value = steps.throw, thrown
                waiting = step(value)
        except StopIteration as end:
            return cast("bytes | None", end.value)


class _Exchange:
    """A request with its tries: what is sent, what fails, what follows."""

    def __init__(
        self,
        request: ChatRequest,
        client: CompletionsClient,
        read: Callable[[bytes, str], Any] | None = None,  # of a whole body; `None` for a stream
    ) -> None:
        self.request = request
        self.deadline = Deadline(request.total_limit)
        self.decoder: BodyDecoder | CompletionStreamDecoder = CompletionStreamDecoder("")
        self._client = client
        self._read = read
        self._body = request.body
        if client.usage_refused:
            self._leave_usage_out()
        self._content = _encode(self._body)
        self._retries = 0
        self._answered = False
        self._error: ASIOneError | None = None
        self._news = 0
        self._last_said = 0.0
        self._read_limit = request.timeouts["read"]
        self._proxy = request.settings.proxy

    def build(self, client: Any) -> Any:
        """Build the HTTP request for a try."""
        request, settings = self.request, self.request.settings
        # A client of the user's own knows itself whether it goes through a proxy.
        own = client in (settings.http_client, settings.http_async_client)
        self._proxy = None if own else settings.proxy
        headers = {
            "accept": "application/json",
            "content-type": "application/json",
            "user-agent": f"langchain-asi-one/{__version__}",
            "authorization": f"Bearer {settings.api_key}",
            **{name.lower(): value for name, value in settings.headers.items()},
            "x-session-id": request.session_id,
        }
        bound = self.deadline.bound
        timeouts = {name: bound(limit) for name, limit in request.timeouts.items()}
        return client.build_request(
            "POST",
            request.url,
            content=self._content,
            headers=headers,
            extensions={"timeout": timeouts},
        )

    def begin_answer(self, response: Any) -> BodyDecoder | CompletionStreamDecoder:
        """Return the decoder for a body; no other try follows a stream."""
        self.request.response_headers.update(response.headers)
        content_type = str(response.headers.get("content-type", "without a content type"))
        self._last_said, self._news = monotonic(), 0
        if self._read is None:
            self._answered = True
            self.decoder = CompletionStreamDecoder(content_type)
        else:
            self.decoder = BodyDecoder(self._read, content_type)
        return self.decoder

    def check_time(self) -> None:
        """Limit the time between pieces that say something; keep the deadline.

        All other pieces (blanks, comments, empty chunks) restart the HTTP library's timer, so an
        answer that never comes would last forever. The time that the caller takes for a chunk does
        not count.
        """
        now, limit, news = monotonic(), self._read_limit, self.decoder.news
        if news > self._news:
            self._last_said, self._news = now, news
        elif limit is not None and now - self._last_said > limit:
            raise IdleError(limit)
        if self.deadline.has_passed():
            raise DeadlineError

    def fail(self, reason: Exception) -> float | None:
        """Note why a try failed; return the seconds before the next.

        `None` means that there is no other try.
        """
        self._error = error = map_error(reason, self._describe())
        if self._refuses_usage(error):
            self._client.usage_refused = True
            self._leave_usage_out()
            self._content = _encode(self._body)
            if not (self.request.sent_once or self._has_begun):
                self._answered = False
                return 0.0
        most = self.request.settings.max_retries
        if self._answered or self._retries >= most or isinstance(reason, ProtocolError):
            return None
        sent = was_sent(reason)
        wait = compute_wait(error, self._retries, sent=sent, once=self.request.sent_once)
        if wait is None or wait >= self.deadline.compute_left():
            return None
        self._retries += 1
        self._log_retry(wait, error)
        return wait

    def pause(self, wait: float | None) -> None:
        """Wait before the next try, or raise the last one's error."""
        error = self._raise_last(wait)
        if error and wait and self.request.on_retry:
            self.request.on_retry(describe_retry(error, self._retries, wait))
        time.sleep(wait or 0)

    async def apause(self, wait: float | None) -> None:
        """Async version of `pause`."""
        error = self._raise_last(wait)
        if error and wait and self.request.on_retry:
            await self.request.on_retry(describe_retry(error, self._retries, wait))
        await asyncio.sleep(wait or 0)

    def _raise_last(self, wait: float | None) -> ASIOneError | None:
        error, self._error = self._error, None
        if wait is None and error is not None:
            raise error
        return error

    def _log_retry(self, wait: float, error: ASIOneError) -> None:
        level = logging.WARNING if wait >= _LONG_WAIT else logging.INFO
        status = error.info.status_code or "no response"
        text = "%s (%s): trying again in %.1f s, retry %d of %d"
        most = self.request.settings.max_retries
        _LOG.log(level, text, type(error).__name__, status, wait, self._retries, most)

    def _describe(self) -> RequestContext:
        request, settings = self.request, self.request.settings
        return RequestContext(
            url=request.url,
            base_url=settings.base_url,
            model=request.body.get("model"),
            session_id=request.session_id,
            secrets=spell_secrets(
                value
                for value in (settings.api_key, *settings.headers.values())
                if len(value) >= _SHORTEST_SECRET
            ),
            agentic=request.agentic,
            proxy=str(self._proxy or ""),
            timeouts=request.timeouts,
            deadline=self.deadline.seconds if self.deadline.has_passed() else None,
            begun=self._has_begun,
        )

    @property
    def _has_begun(self) -> bool:
        """Whether chunks of a stream have said something."""
        return self._answered and self.decoder.news > 0

    def _refuses_usage(self, error: ASIOneError) -> bool:
        return (
            "stream_options" in self._body
            and isinstance(error, ASIOneBadRequestError)
            and "stream_options" in f"{error.param} {error.api_message}"
        )

    def _leave_usage_out(self) -> None:
        self._body = {k: v for k, v in self._body.items() if k != "stream_options"}


def _encode(body: JSONObject) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        for name, value in body.items():
            try:
                json.dumps(value, ensure_ascii=False).encode()
            except (TypeError, ValueError):
                msg = f"The request field {name!r} cannot be sent as JSON: {error}"
                raise ValueError(msg) from None
        raise


def _send(exchange: _Exchange) -> Any:
    """Send a request and return the response with its body unread."""
    settings = exchange.request.settings
    own = settings.http_client
    client = find_client(settings.proxy) if own is None else own
    # The prompt goes where the user said, and nowhere else.
    response = client.send(exchange.build(client), stream=True, follow_redirects=False)
    # The client puts a stream around the body that makes a `timedelta` when it is closed. As a
    # process ends, that crashes Python 3.13 and later: https://github.com/python/cpython/issues/148732
    response.stream = response.extensions.get(BODY, response.stream)
    if response.status_code < 300:
        return response
    content = b""
    try:
        with suppress(Exception):  # the status says more than a body that cannot be read
            for data in _read_until(Deadline(_ERROR_SECONDS), response, response.iter_bytes()):
                content += data
                if len(content) > _ERROR_BODY:
                    break
    finally:
        _close(response)
    raise StatusError(response.status_code, response.headers, content[:_ERROR_BODY])


class _AsyncAttempt:
    """A try of an async request: its response and its pool."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self._pool: Pool | None = None
        self._response: Any = None

    async def send(self) -> Any:
        """Async version of `_send`."""
        settings = self._exchange.request.settings
        client = settings.http_async_client
        if client is None:
            self._pool = await find_pool()
            self._pool.requests += 1
            client = self._pool.find_client(settings.proxy)
        request = self._exchange.build(client)
        self._response = response = await client.send(request, stream=True, follow_redirects=False)
        if response.status_code < 300:
            return response
        content = b""
        with suppress(Exception):
            async with asyncio.timeout(_ERROR_SECONDS):
                async for data in response.aiter_bytes():
                    content += data
                    if len(content) > _ERROR_BODY:
                        break
        raise StatusError(response.status_code, response.headers, content[:_ERROR_BODY])

    async def close(self) -> None:
        """Close the response, and give the place back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.requests -= 1
        response, self._response = self._response, None
        if response is not None:
            with suppress(Exception):
                await response.aclose()


def _close(response: Any) -> None:
    if response is not None:
        with suppress(Exception):
            response.close()


def _read_until(deadline: Deadline, response: Any, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Read pieces of a body until a time.

    A user's own client looks at it between two pieces only.
    """
    connection = response.extensions.get("network_stream")
    if isinstance(connection, Connection):
        connection.body_deadline = deadline
    for data in pieces:
        yield data
        if deadline.has_passed():
            break


def _drain(response: Any, pieces: Iterator[bytes]) -> None:
    """Read what follows `[DONE]`, so that the connection can be reused."""
    # With a client of a user's own this could last.
    if isinstance(response.extensions.get("network_stream"), Connection):
        with suppress(Exception):
            for _ in _read_until(Deadline(_DRAIN_SECONDS), response, pieces):
                pass


async def _adrain(pieces: AsyncGenerator[bytes]) -> None:
    """Async version of `_drain`, for any client."""
    with suppress(Exception):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in pieces:
                await asyncio.sleep(0)  # lets the limit act on data that is there already
