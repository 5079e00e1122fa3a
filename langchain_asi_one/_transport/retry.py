"""Which errors another try may overcome, and when to try: no I/O."""

from __future__ import annotations

import random
from typing import Any

from langchain_asi_one.errors import (
    ASIOneConnectionError,
    ASIOneError,
    ASIOneRateLimitError,
    ASIOneServerError,
    ASIOneTimeoutError,
)

LONGEST_WAIT = 120.0
"""Seconds; an API that asks for more gets no further try."""

_PASSING_STATUS = {408, 409}
_FIRST_WAIT, _MOST_WAIT = 0.5, 8.0
# The free plan has three requests a minute (docs/wire-format.md, 7).
_FIRST_RATE_WAIT, _MOST_RATE_WAIT = 30.0, 60.0
_QUOTA = "insufficient_quota"


def compute_wait(error: ASIOneError, retries: int, *, sent: bool, once: bool) -> float | None:
    """Return the seconds to wait before a further try.

    They are `None` if another try would not help, or a request that must arrive `once` may have
    been `sent`. `retries` counts the further tries so far.
    """
    is_late = isinstance(error, ASIOneTimeoutError) and error.info.status_code is None
    if sent and (once or is_late):
        # The server is still at work: each try would be paid for.
        return None
    asked = error.retry_after
    if not _may_pass(error) or (asked is not None and asked > LONGEST_WAIT):
        return None
    if asked:
        return asked
    if isinstance(error, ASIOneRateLimitError) and asked is None:
        first, most = _FIRST_RATE_WAIT, _MOST_RATE_WAIT
    else:
        first, most = _FIRST_WAIT, _MOST_WAIT
    wait = min(first * 2.0 ** min(retries, 10), most)
    # Clients that failed together come back apart.
    return wait * (1 - 0.25 * random.random())  # noqa: S311 - no secret


def describe_retry(error: ASIOneError, retries: int, wait: float) -> Any:
    """Return a further try as LangChain's callbacks take it, a `tenacity.RetryCallState`."""
    # Imported for those who need it.
    from tenacity import RetryAction, RetryCallState, Retrying  # noqa: PLC0415

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = retries
    state.idle_for = wait
    state.next_action = RetryAction(wait)
    state.set_exception((type(error), error, None))
    return state


def _may_pass(error: ASIOneError) -> bool:
    if _QUOTA in (error.code, error.type):
        return False
    passing = (ASIOneConnectionError, ASIOneTimeoutError, ASIOneRateLimitError, ASIOneServerError)
    return isinstance(error, passing) or error.info.status_code in _PASSING_STATUS
