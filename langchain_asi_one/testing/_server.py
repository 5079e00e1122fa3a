"""The stand-in on a socket of its own, in a background thread."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, cast

import uvicorn

from langchain_asi_one._version import __version__
from langchain_asi_one.testing._app import StandIn
from langchain_asi_one.testing._connection import CountedConnection, CountingState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from langchain_asi_one.testing._replies import Reply
    from langchain_asi_one.testing._requests import ReceivedRequest

_START_SECONDS = 10
_STOP_SECONDS = 5


class LocalASIOne:
    """A local stand-in for ASI:One; also a context manager.

    Every response carries the header ``x-asi-one-stand-in``. Several servers can run at once.

    Args:
        host: Address to listen on; a loopback one unless ``allow_remote``.
        port: TCP port, 1 to 65535; 0 takes a free one.
        allow_remote: Whether a non-loopback ``host``, and requests for any name, are permitted.
        api_key: The only Bearer key to accept; ``None`` accepts any.
        chunk_delay: Seconds between the pieces of a generated stream (0 or more).

    Attributes:
        base_url: Where it listens, for the ``base_url`` of a model.

    Raises:
        ValueError: ``host`` is not a loopback address and ``allow_remote`` is false, or an
            argument is out of range.
        OSError: The address or port cannot be listened on.

    Example:
        >>> import json, urllib.request
        >>> body = {"model": "asi1", "messages": [{"role": "user", "content": "Hello"}]}
        >>> with LocalASIOne() as server:
        ...     request = urllib.request.Request(
        ...         f"{server.base_url}/chat/completions",
        ...         data=json.dumps(body).encode(),
        ...         headers={"authorization": "Bearer any-text"},
        ...     )
        ...     with urllib.request.urlopen(request) as response:
        ...         message = json.load(response)["choices"][0]["message"]
        >>> message["content"]
        '[local stand-in] You said: "Hello". This is turn 1 of the session.'
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        api_key: str | None = None,
        chunk_delay: float = 0,
    ) -> None:
        if not 0 <= chunk_delay < math.inf:
            msg = f"chunk_delay must be 0 or more seconds, not {chunk_delay}"
            raise ValueError(msg)
        self._socket = _open_socket(host, port, allow_remote=allow_remote)
        name, actual_port = self._socket.getsockname()[:2]
        self.base_url = f"http://{f'[{name}]' if ':' in name else name}:{actual_port}/v1"
        self._stand_in = StandIn(self.base_url, api_key, chunk_delay, any_host=allow_remote)
        config = uvicorn.Config(
            self._stand_in.application(),
            http=CountedConnection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            headers=[("x-asi-one-stand-in", f"langchain-asi-one/{__version__}")],
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="local-asi-one", daemon=True)

    def start(self) -> Self:
        """Start the server, and return when it accepts requests.

        Returns:
            The server itself.

        Raises:
            RuntimeError: The server was started before, or did not come up.
        """
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            msg = f"the stand-in at {self.base_url} did not start; see the log of this process"
            raise RuntimeError(msg)
        return self

    def stop(self) -> None:
        """Close all connections, open streams too, and end the thread.

        A second call does nothing.
        """
        if self._thread.is_alive():
            self._server.request_stop()
            self._thread.join(_STOP_SECONDS)
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def enqueue(self, *replies: Reply) -> None:
        """Queue replies. Each chat request takes the oldest, before any rule.

        Args:
            *replies: Results of ``answer``, ``stream``, ``raw`` and ``fault``.
        """
        self._stand_in.enqueue(replies)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The last 10,000 requests, or the last 64 MiB of them, oldest first, as a new list."""
        return self._stand_in.requests

    def clear(self) -> None:
        """Forget received requests, queued replies and sessions."""
        self._stand_in.clear()

    @property
    def connections(self) -> int:
        """Number of open TCP connections."""
        return len(self._server.server_state.connections)

    @property
    def total_connections(self) -> int:
        """Number of TCP connections accepted so far."""
        return self._server.server_state.accepted

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))


@contextmanager
def local_asi_one(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_remote: bool = False,
    api_key: str | None = None,
    chunk_delay: float = 0,
) -> Iterator[LocalASIOne]:
    """Run a local stand-in for ASI:One for the length of a ``with`` block.

    Args:
        host: Address to listen on; a loopback one unless ``allow_remote``.
        port: TCP port, 1 to 65535; 0 takes a free one.
        allow_remote: Whether a non-loopback ``host``, and requests for any name, are permitted.
        api_key: The only Bearer key to accept; ``None`` accepts any.
        chunk_delay: Seconds between the pieces of a generated stream (0 or more).

    Yields:
        The running server.

    Raises:
        ValueError: As for :class:`LocalASIOne`.
        OSError: The address or port cannot be listened on.

    Example:
        >>> with local_asi_one() as server:
        ...     server.base_url.startswith("http://127.0.0.1:")
        True
    """
    server = LocalASIOne(
        host=host, port=port, allow_remote=allow_remote, api_key=api_key, chunk_delay=chunk_delay
    )
    with server:
        yield server


class _Server(uvicorn.Server):
    """A server that another thread can stop at once, with open connections too."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state: CountingState = CountingState()
        self.ready = threading.Event()
        self._stopping = asyncio.Event()
        self._running: asyncio.AbstractEventLoop | None = None

    def request_stop(self) -> None:
        if self._running is not None:
            self._running.call_soon_threadsafe(self._stopping.set)

    async def main_loop(self) -> None:
        await self.on_tick(0)  # sets the default headers
        self._running = asyncio.get_running_loop()
        self.ready.set()
        await self._stopping.wait()
        for connection in list(self.server_state.connections):
            cast("CountedConnection", connection).transport.abort()


def _open_socket(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    if not 0 <= port <= 65535:
        msg = f"port must be from 0 (any free one) to 65535, not {port}"
        raise ValueError(msg)
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    ip = str(address[0]).partition("%")[0]
    if not allow_remote and not ipaddress.ip_address(ip).is_loopback:
        msg = (
            f"refusing to listen on {host!r}: it is not a loopback address, and the stand-in "
            "answers everybody who can reach it. Use 127.0.0.1, or permit it with "
            "allow_remote=True (--allow-remote on the command line)"
        )
        raise ValueError(msg)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError:
        listener.close()
        raise
    return listener
