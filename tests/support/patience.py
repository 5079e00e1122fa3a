"""Waiting for what must come: a busy machine may take as long as it likes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 300
"""Seconds: a safety net, not a measure. Nothing that passes waits for it."""

ROUNDS: Final = 20
"""Most measurements of a processor time."""

FOREVER: Final = 3600
"""Seconds for what must not be waited for: a test that ends has not waited for it."""


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until something holds.

    Args:
        condition: Asked again and again.

    Returns:
        Whether it came to hold.
    """
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def least_times(
    measure: Callable[[], tuple[float, ...]], holds: Callable[..., bool]
) -> tuple[float, ...]:
    """Measure processor times again until a bound on the least of each holds.

    Other work on the machine adds to a processor time and never takes away, so the least of several
    is the truest; a bound that is broken by the code itself is broken by the least as well.

    Args:
        measure: Measures once, in seconds.
        holds: The bound, of the least times so far.

    Returns:
        The least times, after `ROUNDS` measurements at most; the bound may be broken.
    """
    least = measure()
    for _ in range(ROUNDS - 1):
        if holds(*least):
            break
        least = tuple(map(min, least, measure()))
    return least
