"""The conversations of the stand-in, one for each ``x-session-id``."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

_MOST_SESSIONS = 1_000
_MOST_TEXTS = 100
_LONGEST_TEXT = 1_000


@dataclass
class Session:
    """One conversation.

    Args:
        texts: The beginnings of the user's last 100 texts, oldest first.
        turns: Number of the user's texts so far.
        waiting: Number of polls before the deferred answer comes.
        question: The question whose answer is deferred, ``None`` if there is none.
    """

    texts: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_TEXTS))
    turns: int = 0
    waiting: int = 0
    question: str | None = None

    def add(self, text: str) -> None:
        """Take the user's text of a further turn."""
        self.texts.append(text[:_LONGEST_TEXT])
        self.turns += 1


class Sessions:
    """The conversations of one server, the most recently used 1,000 of them."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def get(self, session_id: str | None) -> Session:
        """Return the session with that id.

        Without an id it is new and not kept.
        """
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
