"""A server on a socket of its own, in a background thread."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from typing import TYPE_CHECKING, Self, cast

import uvicorn

from langchain_asi_one._json.numbers import is_number
from langchain_asi_one._version import __version__
from langchain_asi_one.testing._connection import CountedConnection, CountingState

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.types import ASGIApp

_START_SECONDS = 10
_STOP_SECONDS = 5
_ACCEPT_STEPS = 3  # of asyncio: the task, its transport, the connection


class BackgroundServer:
    """An application on a socket, in a thread; also a context manager.

    Args:
        listener: The socket, which listens. It is closed in the end.
        application: What answers.
        name: Name of the thread, and of the server in the header ``x-{name}``.
        lifespan: Whether the application is told of its start and end.
    """

    def __init__(
        self,
        listener: socket.socket,
        application: ASGIApp,
        name: str,
        *,
        lifespan: bool = False,
    ) -> None:
        self._socket = listener
        config = uvicorn.Config(
            application,
            http=CountedConnection,
            ws="none",
            lifespan="on" if lifespan else "off",
            interface="asgi3",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            headers=[(f"x-{name}", f"langchain-asi-one/{__version__}")],
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Self:
        """Start the server, and return when it accepts requests.

        Returns:
            The server itself.

        Raises:
            RuntimeError: The server was started before, or did not come up.
        """
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            place = get_url(self._socket)
            msg = f"the stand-in at {place} did not start; see the log of this process"
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


class _Server(uvicorn.Server):
    """A server that another thread can stop at once.

    Open connections are closed.
    """

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
        await self._stop_accepting()
        self._abort_connections()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # Those that were being accepted when the listening ended.
        self._abort_connections()
        await asyncio.sleep(0)

    async def _stop_accepting(self) -> None:
        """Stop listening, once all that was accepted is a connection.

        A server that is closed in between leaves its socket open.
        """
        with contextlib.suppress(NotImplementedError):  # loops of Windows
            for listener in (one for server in self.servers for one in server.sockets):
                asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(_ACCEPT_STEPS):
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            cast("CountedConnection", connection).transport.abort()


def get_url(listener: socket.socket) -> str:
    """Return the address of a listening socket, without a path."""
    name, port = listener.getsockname()[:2]
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def open_socket(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Return a socket that listens."""
    if not is_number(port, 0, 65_535, whole=True):
        msg = f"port must be from 0 (any free one) to 65535, not {port!r:.40}"
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
    except OSError as problem:
        listener.close()
        msg = f"cannot listen on {host}, port {port} ({problem.strerror}); port 0 takes a free one"
        raise OSError(problem.errno, msg) from None
    return listener
