"""A deadline bounds each timeout, whenever it is asked for."""

from __future__ import annotations

from math import inf
from time import sleep

import pytest

from langchain_asi_one._transport.connections import BoundedTimeout, Deadline


def test_without_a_limit_all_time_is_left() -> None:
    deadline = Deadline(None)
    assert deadline.compute_left() == inf
    assert not deadline.has_passed()
    assert deadline.bound(None) is None
    assert deadline.bound(5) == 5


@pytest.mark.parametrize("timeout", [None, 5, 0.05])
def test_a_timeout_never_reaches_beyond_the_deadline(timeout: float | None) -> None:
    deadline = Deadline(0.1)
    bounded = deadline.bound(timeout)
    assert isinstance(bounded, BoundedTimeout)
    assert 0 < bounded <= 0.1
    assert bounded.compute_limit() <= (timeout or inf)
    sleep(0.11)
    assert deadline.has_passed()
    assert bounded.compute_limit() == 0
