"""The conversations of the stand-in, one for each ``x-session-id``."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

_MOST_SESSIONS = 10_000


@dataclass
class Session:
    """One conversation.

    Args:
        texts: The user's texts so far, oldest first. Their number is that of the turns.
        waiting: Number of polls before the deferred answer comes.
        question: The question whose answer is deferred, ``None`` if there is none.
    """

    texts: list[str] = field(default_factory=list)
    waiting: int = 0
    question: str | None = None


class Sessions:
    """The conversations of one server, the most recently used 10,000 of them."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def get(self, session_id: str | None) -> Session:
        """Return the session with that id. Without an id it is new and not kept."""
        if session_id is None:
            return Session()
        session = self._sessions.setdefault(session_id, Session())
        self._sessions.move_to_end(session_id)
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def clear(self) -> None:
        """Forget all conversations."""
        self._sessions.clear()
