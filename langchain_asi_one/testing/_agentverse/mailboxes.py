"""Mail that waits for agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from langchain_asi_one.testing._agentverse.almanac import write_time
from langchain_asi_one.testing._agentverse.proofs import RefusedError

if TYPE_CHECKING:
    from uagents_core.envelope import Envelope

MOST_MAIL = 20_000
_MOST_BYTES = 64 * 2**20
"""Of all mail together."""
_DAY = 86_400


class Mailboxes:
    """The mailboxes of one server."""

    def __init__(self) -> None:
        self._boxes: dict[str, dict[str, dict[str, Any]]] = {}
        self._bytes = 0

    def open(self, address: str) -> None:
        """Give an address a mailbox, unless it has one."""
        self._boxes.setdefault(address, {})

    def close(self, address: str) -> None:
        """Remove a mailbox with its mail."""
        for item in self._boxes.pop(address, {}).values():
            self._bytes -= _measure(item)

    def put(self, envelope: Envelope, now: float) -> None:
        """Keep an envelope for its target.

        Raises:
            RefusedError: The target has no mailbox, or there is no room.
        """
        box = self._find(envelope.target)
        item = {
            "uuid": str(uuid4()),
            "envelope": envelope.model_dump(mode="json"),
            "received_at": write_time(now),
            "expires_at": write_time(now + _DAY),
        }
        size = _measure(item)
        if sum(map(len, self._boxes.values())) >= MOST_MAIL or self._bytes + size > _MOST_BYTES:
            raise RefusedError(429, "The mailboxes of this local Agentverse are full")
        self._bytes += size
        box[item["uuid"]] = item

    def list(self, address: str, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return a page of the mail, oldest first.

        Raises:
            RefusedError: There is no such mailbox.
        """
        return [*self._find(address).values()][offset : offset + limit]

    def delete(self, address: str, number: str) -> None:
        """Remove one envelope.

        Raises:
            RefusedError: There is no such mailbox or envelope.
        """
        item = self._find(address).pop(number, None)
        if item is None:
            raise RefusedError(404, "Message not found")
        self._bytes -= _measure(item)

    def _find(self, address: str) -> dict[str, dict[str, Any]]:
        box = self._boxes.get(address)
        if box is None:
            raise RefusedError(404, "Mailbox not found")
        return box


def _measure(item: dict[str, Any]) -> int:
    """Return about the bytes of an envelope."""
    return 500 + len(item["envelope"]["payload"] or "")
