"""The stand-in on a socket of its own, in a background thread."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_asi_one._json.numbers import is_number
from langchain_asi_one.testing._agents import MADE_UP, make_entries
from langchain_asi_one.testing._app import StandIn
from langchain_asi_one.testing._background import BackgroundServer, get_url, open_socket

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from langchain_asi_one.testing._replies import Reply
    from langchain_asi_one.testing._requests import ReceivedRequest


class LocalASIOne(BackgroundServer):
    """A local stand-in for ASI:One; also a context manager.

    Every response carries the header ``x-asi-one-stand-in``. Several servers can run at once.

    Args:
        host: Address to listen on; a loopback one unless ``allow_remote``.
        port: TCP port, 1 to 65535; 0 takes a free one.
        allow_remote: Whether a non-loopback ``host``, and requests for any name, are permitted.
        api_key: The only Bearer key to accept; ``None`` accepts any.
        chunk_delay: Seconds between the pieces of a generated stream (0 or more).
        agents: The agents that answers name: addresses, or entries of ``executable_data``. By
            default they are two that nobody holds the keys of.

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
        ...         headers={"authorization": "Bearer any", "content-type": "application/json"},
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
        agents: Sequence[str | Mapping[str, Any]] | None = None,
    ) -> None:
        if not is_number(chunk_delay, 0, sys.float_info.max):
            msg = f"chunk_delay must be 0 or more seconds, not {chunk_delay!r:.40}"
            raise ValueError(msg)
        entries = MADE_UP if agents is None else make_entries(agents)
        listener = open_socket(host, port, allow_remote=allow_remote)
        self.base_url = f"{get_url(listener)}/v1"
        self._stand_in = StandIn(
            self.base_url, api_key, chunk_delay, any_host=allow_remote, agents=entries
        )
        super().__init__(listener, self._stand_in.make_application(), "asi-one-stand-in")

    def enqueue(self, *replies: Reply) -> None:
        """Queue replies. Each chat request takes the oldest, before any rule.

        Args:
            *replies: Results of ``answer``, ``stream``, ``raw`` and ``fault``.
        """
        self._stand_in.enqueue(replies)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The last 10,000 requests up to 64 MiB, oldest first."""
        return self._stand_in.requests

    def clear(self) -> None:
        """Forget received requests, queued replies and sessions."""
        self._stand_in.clear()


@contextmanager
def local_asi_one(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_remote: bool = False,
    api_key: str | None = None,
    chunk_delay: float = 0,
    agents: Sequence[str | Mapping[str, Any]] | None = None,
) -> Iterator[LocalASIOne]:
    """Run a local stand-in for ASI:One in a ``with`` block.

    Args:
        host: Address to listen on; a loopback one unless ``allow_remote``.
        port: TCP port, 1 to 65535; 0 takes a free one.
        allow_remote: Whether a non-loopback ``host``, and requests for any name, are permitted.
        api_key: The only Bearer key to accept; ``None`` accepts any.
        chunk_delay: Seconds between the pieces of a generated stream (0 or more).
        agents: The agents that answers name: addresses, or entries of ``executable_data``. By
            default they are two that nobody holds the keys of.

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
        host=host,
        port=port,
        allow_remote=allow_remote,
        api_key=api_key,
        chunk_delay=chunk_delay,
        agents=agents,
    )
    with server:
        yield server
