"""Which errors another try may overcome, and how long to wait before it."""

from __future__ import annotations

import pytest

from langchain_asi_one import errors
from langchain_asi_one._transport.retry import compute_wait, describe_retry
from langchain_asi_one.errors import ASIOneError, ErrorInfo, find_status_class


def failed(status: int, **facts: object) -> ASIOneError:
    return find_status_class(status)("failed", ErrorInfo(status_code=status, **facts))  # type: ignore[arg-type]


LOST = errors.ASIOneConnectionError("lost")
LATE = errors.ASIOneTimeoutError("late")
CUT = errors.IncompleteStreamError("cut")


@pytest.mark.parametrize(
    ("error", "low", "high"),
    [
        (errors.ASIOneTimeoutError("failed", ErrorInfo(status_code=408)), 0.3, 0.5),
        (failed(409), 0.3, 0.5),
        (failed(500), 0.3, 0.5),
        (failed(503, retry_after=7.0), 7, 7),
        (failed(503, retry_after=120.0), 120, 120),
        (failed(429, retry_after=2.5), 2.5, 2.5),
        (failed(429, retry_after=0.0), 0.3, 0.5),
        (failed(429), 22.5, 30),
        (LOST, 0.3, 0.5),
        (CUT, 0.3, 0.5),
    ],
)
def test_a_failure_that_may_pass(error: ASIOneError, low: float, high: float) -> None:
    wait = compute_wait(error, 0, sent=True, once=False)
    assert wait is not None
    assert low <= wait <= high


@pytest.mark.parametrize(
    "error",
    [
        *map(failed, (302, 400, 401, 402, 403, 404, 413, 422)),
        failed(429, retry_after=121.0),
        failed(429, code="insufficient_quota"),
        failed(429, type="insufficient_quota"),
        errors.InvalidResponseError("odd"),
        ASIOneError("odd"),
        LATE,
    ],
)
def test_a_failure_that_stays(error: ASIOneError) -> None:
    assert compute_wait(error, 0, sent=True, once=False) is None


@pytest.mark.parametrize("error", [failed(500), failed(429), LOST])
def test_what_must_not_arrive_twice_is_sent_again_only_if_it_never_left(error: ASIOneError) -> None:
    assert compute_wait(error, 0, sent=True, once=True) is None
    assert compute_wait(error, 0, sent=False, once=True) is not None


def test_a_connection_that_took_too_long_is_tried_again() -> None:
    assert compute_wait(LATE, 0, sent=False, once=False) is not None


@pytest.mark.parametrize(("error", "most"), [(failed(500), 8), (failed(429), 60)])
def test_waits_grow_up_to_a_limit(error: ASIOneError, most: float) -> None:
    waits = [compute_wait(error, retries, sent=True, once=False) or 0 for retries in range(30)]
    assert waits[1] > waits[0]
    assert 0.75 * most <= waits[-1] <= most


def test_a_retry_is_described_as_langchain_takes_it() -> None:
    state = describe_retry(LOST, 2, 1.5)
    assert (state.attempt_number, state.idle_for) == (2, 1.5)
    assert state.outcome.exception() is LOST
