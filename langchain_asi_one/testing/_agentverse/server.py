"""The local Agentverse on its own socket, in a background thread."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from langchain_asi_one._json.numbers import is_number
from langchain_asi_one.testing._agentverse.app import AgentverseApp
from langchain_asi_one.testing._agentverse.behaviours import SLOW_SECONDS, check_behaviour
from langchain_asi_one.testing._agentverse.proofs import RefusedError
from langchain_asi_one.testing._agentverse.state import State
from langchain_asi_one.testing._background import BackgroundServer, get_url, open_socket

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.behaviours import Behaviour
    from langchain_asi_one.testing._replies import Reply
    from langchain_asi_one.testing._requests import ReceivedRequest


_MOST_SKEW = 315_360_000  # ten years


class LocalAgentverse(BackgroundServer):
    """A local Agentverse; also a context manager.

    Args:
        port: TCP port, 1 to 65535; 0 takes a free one.

    Attributes:
        url: Where it listens, without a path.
    """

    def __init__(self, *, port: int = 0) -> None:
        listener = open_socket("127.0.0.1", port, allow_remote=False)
        self.url = get_url(listener)
        self._lock = threading.Lock()
        self._state = State(self.url)
        self._app = AgentverseApp(self._state, self._lock)
        super().__init__(listener, self._app.make_application(), "local-agentverse", lifespan=True)

    @property
    def api_key(self) -> str:
        """The key of the only account, which owns identities and registers mailboxes."""
        return self._state.api_key

    def agent(
        self,
        behaviour: Behaviour = "echo",
        *,
        handle: str | None = None,
        name: str | None = None,
        delay: float | None = None,
    ) -> str:
        """Start an agent in the server.

        It takes signed questions at an endpoint of the server. It sends signed answers to the
        endpoints that the Almanac lists for the sender, if these are on this machine.

        Args:
            behaviour: ``"echo"`` acknowledges the question, and answers with it. ``"slow"`` does
                so after 2 s, ``"parts"`` in three messages, ``"stream"`` in a stream,
                ``"picture"`` with the address of a picture, ``"no_end"`` without ending the
                session, ``"no_ack"`` without the acknowledgement. ``"ack_only"`` sends nothing
                but that, ``"silent"`` nothing at all. ``"error"`` and ``"payment"`` answer with an
                error and with a request for payment. Or a function of the question's text, which
                returns a text or a list of content: uagents-core's objects, or dicts as on the
                wire.
            handle: Its handle, at most 40 characters; none by default.
            name: Its name, at most 32 characters; ``"Local agent"`` with a number by default.
            delay: Seconds before each message after the acknowledgement (0 or more). The default
                is 0, for ``"slow"`` it is 2.

        Returns:
            Its address. The first agent of every server has the same, and so on.

        Raises:
            ValueError: There is no such behaviour, or an argument is out of range or taken.
        """
        check_behaviour(behaviour)
        seconds = (SLOW_SECONDS if behaviour == "slow" else 0.0) if delay is None else delay
        if not is_number(seconds, 0, sys.float_info.max):
            msg = f"delay must be 0 or more seconds, not {delay!r:.40}"
            raise ValueError(msg)
        with self._lock:
            try:
                return self._state.add_agent(behaviour, handle, name, seconds)
            except RefusedError as refused:
                raise ValueError(refused.detail) from None

    @property
    def agents(self) -> list[dict[str, Any]]:
        """The server's agents as Agentverse's search shows them, for ``local_asi_one``."""
        with self._lock:
            return self._state.list_agents()

    def mail(self, address: str) -> list[dict[str, Any]]:
        """List the mail of an address, oldest first, as the API does.

        Args:
            address: Address of an agent.

        Returns:
            Its letters, each with ``uuid``, ``envelope``, ``received_at`` and ``expires_at``.

        Raises:
            KeyError: It has no mailbox.
        """
        with self._lock:
            try:
                return self._state.mailboxes.list(address, limit=10**9, offset=0)
            except RefusedError as refused:
                raise KeyError(refused.detail) from None

    def enqueue(self, *replies: Reply, to: str = "*") -> None:
        """Queue replies; the oldest that fits a request answers it.

        Args:
            *replies: Results of ``raw`` and ``fault``.
            to: Method and path of the requests that they are for, with ``*`` for any text:
                ``"GET /v2/agents/*/mailbox*"``. Agents of the server send requests too.
        """
        self._app.enqueue(replies, to)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The last 10,000 requests or 64 MiB of them, in a list."""
        return self._app.requests

    def clear(self) -> None:
        """Forget received requests and queued replies; agents, registrations and mail stay."""
        self._app.clear()

    @property
    def clock_skew(self) -> float:
        """Seconds that the server's clock is ahead of this machine's.

        Tokens are judged by it, and the header ``Date`` shows it.
        """
        return self._state.clock_skew

    @clock_skew.setter
    def clock_skew(self, seconds: float) -> None:
        if not is_number(seconds, -_MOST_SKEW, _MOST_SKEW):
            msg = f"clock_skew must be at most {_MOST_SKEW:,} seconds, not {seconds!r:.40}"
            raise ValueError(msg)
        self._state.clock_skew = seconds
