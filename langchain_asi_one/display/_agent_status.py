"""The status of an agent in a run, and the signs for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from langchain_asi_one.display._sections import Row

Status: TypeAlias = Literal["named", "allowed", "refused", "pending", "failed"]

STATUSES: Final[dict[str, tuple[str, str]]] = {
    "named": ("○", "named: no node of the graph has looked at it"),
    "allowed": ("✓", "allowed: it was asked, and has answered"),
    "refused": ("✕", "refused: not allowed, rejected in review, or beyond the limit"),
    "pending": ("…", "pending: it may be asked, and has not answered yet"),
    "failed": ("!", "failed: it was asked, and gave no answer"),
}
"""Of each status the sign and its meaning."""

REFUSALS: Final[dict[str, str]] = {
    "not_identified": "refused: it has no address or handle that holds",
    "not_allowed": "refused: it is not among the agents that may be asked",
    "over_limit": "refused: it is beyond the limit of a turn",
    "rejected": "refused: a human rejected it",
}
"""Of each reason in a state's `executable_data_refused` the meaning."""

AGENTS: Final = "Agents of this run"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent in a run.

    Attributes:
        address: Its address, if the checksum is right; else `""`.
        handle: Its handle with `@`, if it is a sound one; else `""`.
        status: Its status.
        row: The same for people.
    """

    address: str
    handle: str
    status: Status
    row: Row

    @property
    def identity(self) -> str:
        """What identifies it: the address, else the handle; `""` if it has neither."""
        return self.address or self.handle

    @property
    def identifiers(self) -> list[str]:
        """Handle and address, as far as it has them."""
        return [one for one in (self.handle, self.address) if one]
