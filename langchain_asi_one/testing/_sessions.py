"""What the stand-in remembers per ``x-session-id``."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

_MOST_SESSIONS = 10_000


@dataclass
class Session:
    """One conversation.

    Args:
        said: The user's texts so far, oldest first; their number is the number of turns.
        waiting: Polls still to come before a deferred answer is given.
        question: The question whose answer is deferred, ``None`` if there is none.
    """

    said: list[str] = field(default_factory=list)
    waiting: int = 0
    question: str | None = None


class Sessions:
    """The conversations of one server, the most recently used 10,000 of them."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def of(self, session_id: str | None) -> Session:
        """The session with that id; a new one that is not kept if there is no id."""
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
