"""Ranges of numbers that callers give."""

from __future__ import annotations


def is_number(value: object, low: float, high: float, *, whole: bool = False) -> bool:
    """Return whether a value is a number within a range, ends included.

    Text, truth values and NaN are none.

    Example:
        >>> [is_number(value, 0, 9) for value in (9, 9.5, True, "1", float("nan"))]
        [True, False, False, False, False]
    """
    kind = int if whole else int | float
    return isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high
