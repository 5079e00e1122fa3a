"""What can become of an agent in a run, and the signs for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from langchain_asi_one.display._view import Item

Status: TypeAlias = Literal["named", "allowed", "refused", "pending", "failed"]

STATUSES: Final[dict[str, tuple[str, str]]] = {
    "named": ("○", "named: no node of the graph has looked at it"),
    "allowed": ("✓", "allowed: it was asked, and has answered"),
    "refused": ("✕", "refused: not allowed, rejected in review, or beyond the limit"),
    "pending": ("…", "pending: it may be asked, and has not answered yet"),
    "failed": ("!", "failed: it was asked, and gave no answer"),
}
"""Of each status the sign and what it means."""

AGENTS: Final = "Agents of this run"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent in a run.

    Attributes:
        identity: Its checked address or sound handle; `""` if it has neither.
        status: What became of it.
        item: The same for people.
    """

    identity: str
    status: Status
    item: Item
