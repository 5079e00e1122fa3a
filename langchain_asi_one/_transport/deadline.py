"""Time limits of a request that hold whatever arrives: the deadline of all its tries."""

from __future__ import annotations

from math import inf
from time import monotonic


class Deadline:
    """The time at which a request ends, tries and waits included.

    Args:
        seconds: Seconds from now; `None` for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = inf if seconds is None else monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; infinite without a limit."""
        return self._end - monotonic() if self._end != inf else inf

    def passed(self) -> bool:
        """Return whether no time is left."""
        return self.left() <= 0

    def shorten(self, seconds: float) -> None:
        """Move the end to some seconds from now, if it is not earlier anyway."""
        self._end = min(self._end, monotonic() + seconds)

    def bound(self, timeout: float | None) -> float | None:
        """Return a timeout that never reaches beyond the deadline."""
        if timeout is None and self._end == inf:
            return None
        return BoundedTimeout(timeout, self)


class BoundedTimeout(float):
    """A timeout as the HTTP libraries take it; `current` also keeps to a deadline.

    The libraries hand the same number to every read of a response. A server that sends a byte at a
    time would restart it with each byte. `connections` asks for `current` at each read.
    """

    _timeout: float
    _deadline: Deadline

    def __new__(cls, timeout: float | None, deadline: Deadline) -> BoundedTimeout:
        """Begin with the time that is left now."""
        limit = inf if timeout is None else timeout
        bounded = super().__new__(cls, max(0.0, min(limit, deadline.left())))
        bounded._timeout, bounded._deadline = limit, deadline
        return bounded

    def current(self) -> float:
        """Return the seconds that an operation may take that starts now."""
        return max(0.0, min(self._timeout, self._deadline.left()))
