"""Who asks agents: the identity of the environment, or a local one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._cli.ask import CannotAskError

if TYPE_CHECKING:
    from langchain_asi_one.agents import AgentChat
    from langchain_asi_one.display._printer import Printer

WEATHER_HANDLE: Final = "local-weather"
FLIGHTS_HANDLE: Final = "local-flights"

_POLL_SECONDS: Final = 0.1  # of the local one, which nobody else asks
_WEATHER: Final = "Sunny, 21 °C, says this local agent, which has not looked."
_FLIGHTS: Final = "A train is faster, says this local agent, which knows no flights."


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks agents.

    Attributes:
        chat: The identity that asks.
        agentverse: Address of Agentverse.
        known: Entries of the agents that run on the local Agentverse; `None` if it is the real one.
        trusted: Addresses that may be asked if nobody says which.
    """

    chat: AgentChat
    agentverse: str
    known: Sequence[Mapping[str, Any]] | None = None
    trusted: frozenset[str] = frozenset()

    def __str__(self) -> str:
        where = "Agentverse" if self.known is None else "a local Agentverse, not the real one,"
        return f"Asking agents as {self.chat.address} by a mailbox on {where} at {self.agentverse}"


@contextmanager
def open_asker(*, offline: bool) -> Iterator[Asker]:
    """Yield who asks agents.

    With `offline`, a local Agentverse with two agents runs meanwhile.

    Raises:
        CannotAskError: If an extra is not installed, or the environment has no seed.
    """
    try:
        # Whoever asks through ASI:One does not need the extra.
        from langchain_asi_one.agents import AgentChat  # noqa: PLC0415
        from langchain_asi_one.agents._almanac import AGENTVERSE  # noqa: PLC0415
    except ImportError as missing:
        raise CannotAskError(str(missing)) from missing
    if offline:
        with _open_local(AgentChat) as asker:
            yield asker
        return
    try:
        chat = AgentChat()
    except ValueError as problem:
        msg = f"{problem}; or add --offline to ask agents on this machine"
        raise CannotAskError(msg) from problem
    yield Asker(chat, AGENTVERSE)


@contextmanager
def _open_local(make_chat: type[AgentChat]) -> Iterator[Asker]:
    try:
        from langchain_asi_one.testing import local_agentverse  # noqa: PLC0415 - an extra
    except ImportError as missing:
        raise CannotAskError(str(missing)) from missing
    with local_agentverse() as server:
        weather = server.agent(lambda _: _WEATHER, handle=WEATHER_HANDLE, name="Local Weather")
        server.agent(lambda _: _FLIGHTS, handle=FLIGHTS_HANDLE, name="Local Flights")
        chat = make_chat(
            seed=secrets.token_urlsafe(),
            api_key=server.api_key,
            agentverse=server.url,
            poll_interval=_POLL_SECONDS,
        )
        try:
            yield Asker(chat, server.url, server.agents, frozenset({weather}))
        finally:
            chat.close()


def print_asker(printer: Printer, asker: Asker) -> None:
    """Print who asks: green on Agentverse, yellow on a local one."""
    printer.print_notice(str(asker), "bold green" if asker.known is None else "bold yellow")
