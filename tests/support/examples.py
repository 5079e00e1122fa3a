"""How many examples Hypothesis makes up, and how many of other things there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest
from hypothesis import settings

Property = TypeVar("Property", bound=Callable[..., Any])

EVERYDAY: Final = 40
"""Examples in `make test` of a property that asks for no number."""
DEEP: Final = 2_000
"""Examples in `make deep`."""
_MEANT: Final = 100
"""Examples of such a property to which the numbers given below are in proportion."""


def choose_number(everyday: int, *, deep: int) -> int:
    """Return how many there are of something in this run; the test has the marker `deep`."""
    return deep if settings().max_examples == DEEP else everyday


def examples(number: int, **others: Any) -> Callable[[Property], Property]:
    """Bound the time of a property, which is not traced: few of its examples run a new line.

    Args:
        number: Examples where a property that asks for no number has 100, about two seconds'
            worth; each profile has as many times less or more.
        **others: Further settings.

    Returns:
        The decorator.
    """

    def decorate(test: Property) -> Property:
        times = settings().max_examples / _MEANT
        bounded: Property = settings(max_examples=round(number * times), **others)(test)
        pytest.mark.no_cover(bounded)
        return bounded

    return decorate
