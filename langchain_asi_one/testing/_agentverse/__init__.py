"""A local Agentverse.

It needs the extra ``agents``; the rest of the stand-in does not.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_asi_one.testing._agentverse.server import LocalAgentverse


@contextmanager
def local_agentverse(*, port: int = 0) -> Iterator[LocalAgentverse]:
    """Run a local Agentverse with agents, within a ``with`` block.

    It has the Almanac, the proof of an identity, mailboxes, the proxy and the search of
    agents, on the loopback interface. Agents that run elsewhere can register with it too.

    Args:
        port: TCP port, 1 to 65535; 0 takes a free one.

    Yields:
        The running server.

    Raises:
        ImportError: What the extra ``agents`` brings is not installed.
        ValueError: ``port`` is out of range.
        OSError: The port cannot be listened on.

    Source:
        Paths and bodies are those of https://docs.agentverse.ai (API reference, version 2), and
        what the clients in Fetch.ai's ``uagents`` send and accept.

    Example:
        >>> with local_agentverse() as agentverse:
        ...     address = agentverse.agent("echo")
        >>> address.startswith("agent1q")
        True
    """
    try:
        from langchain_asi_one.testing._agentverse.server import (  # noqa: PLC0415 - optional
            LocalAgentverse,
        )
    except ImportError as missing:
        msg = (
            f"local_agentverse needs {missing.name}, which is not installed; "
            "run: pip install 'uagents-core>=0.4.8,<0.5' 'httpx>=0.28.1,<0.29'"
        )
        raise ImportError(msg, name=missing.name) from missing
    with LocalAgentverse(port=port) as server:
        yield server
