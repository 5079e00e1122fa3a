"""The status of an agent in a run, and its signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from langchain_asi_one.display._sections import Row

Status: TypeAlias = Literal["named", "answered", "refused", "pending", "failed"]

SIGNS: Final[dict[str, str]] = {
    "named": "○",
    "answered": "✓",
    "refused": "✕",
    "pending": "…",
    "failed": "!",
}
"""The sign of each status."""

ANSWERED: Final = "it was asked, and has answered"
FAILED: Final = "it was asked, and gave no answer"
PENDING: Final = "it may be asked, and has not answered yet"
TOO_LATE: Final = "it was named after the agents had been asked, so it was not asked"
NOT_KNOWN: Final = "the state has no `agent_results`, so it does not say whether it was asked"
NOT_ASKED: Final = "not allowed, rejected in review, or beyond the limit"
REFUSALS: Final[dict[str, str]] = {
    "not_identified": "it has no address or handle that holds",
    "not_allowed": "it is not among the agents that may be asked",
    "over_limit": "it is beyond the limit of a turn",
    "rejected": "a human rejected it",
}
"""The meaning of each reason in a state's `executable_data_refused`."""

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
        """Its address, else its handle; `""` if it has neither."""
        return self.address or self.handle

    @property
    def identifiers(self) -> list[str]:
        """Handle and address, as far as it has them."""
        return [one for one in (self.handle, self.address) if one]
