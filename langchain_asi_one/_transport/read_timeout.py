"""Read timeouts that blanks do not renew, for bodies that a gateway keeps open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from time import monotonic
from typing import Any

from langchain_asi_one._httpx_compat import http


def limit_blanks(response: Any) -> None:
    """Let a body that brings only blanks time out as one that brings nothing; a response hook.

    Gateways send them to keep a connection open, and each starts the read timeout anew. Streams of
    events are left alone: comments keep those open, and their reader has a limit of its own.

    Args:
        response: A response whose body is not read yet.
    """
    limit = response.request.extensions.get("timeout", {}).get("read")
    if limit is not None and "event-stream" not in response.headers.get("content-type", ""):
        kind = _Limited if isinstance(response.stream, http.SyncByteStream) else _AsyncLimited
        response.stream = kind(response.stream, _BlankTimer(limit, response.request))


async def alimit_blanks(response: Any) -> None:
    """Do as `limit_blanks`, for async clients."""
    limit_blanks(response)


class _BlankTimer:
    def __init__(self, limit: float, request: Any) -> None:
        self._limit = limit
        self._request = request
        self._last = monotonic()

    def check(self, data: bytes) -> None:
        now = monotonic()
        if data and not data.isspace():
            self._last = now
        elif now - self._last > self._limit:
            raise http.ReadTimeout("only blanks came", request=self._request)


class _Limited(http.SyncByteStream):  # type: ignore[misc]  # one of two libraries
    def __init__(self, stream: Any, timer: _BlankTimer) -> None:
        self._stream = stream
        self._timer = timer

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            self._timer.check(data)
            yield data

    def close(self) -> None:
        self._stream.close()


class _AsyncLimited(http.AsyncByteStream):  # type: ignore[misc]  # one of two libraries
    def __init__(self, stream: Any, timer: _BlankTimer) -> None:
        self._stream = stream
        self._timer = timer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._timer.check(data)
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()
