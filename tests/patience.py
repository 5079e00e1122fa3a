"""Waiting for what must come: a busy machine may take as long as it likes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 300
"""Seconds: a safety net, not a measure. Nothing that passes waits for it."""

FOREVER: Final = 3600
"""Seconds for what must not be waited for: what ends at all, or is `eventually` so, did not."""


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
