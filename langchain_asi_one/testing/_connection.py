"""Connections that are counted, and can be dropped."""

from __future__ import annotations

import logging
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger("langchain_asi_one.testing")


class CountingState(ServerState):
    """uvicorn's shared state, with the number of accepted connections."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted = 0


class CountedConnection(H11Protocol):
    """An HTTP/1.1 connection with a number; the application can drop it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn copies this into each request's scope, so that a request finds its connection.
        self.app_state = {**self.app_state, "connection": self}
        self.access_log = False
        self.logger = logger
        self.number = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Number the connection."""
        super().connection_made(transport)
        state = cast("CountingState", self.server_state)
        state.accepted += 1
        self.number = state.accepted

    def cut(self, *, reset: bool) -> None:
        """Drop the connection, with ``reset`` by RST instead of FIN."""
        if reset:
            raw: socket.socket = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()
