"""How many examples Hypothesis makes up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import pytest
from hypothesis import settings

Property = TypeVar("Property", bound=Callable[..., Any])

EVERYDAY: Final = 100
"""Examples of a property that asks for no number; `make deep` has a profile with more."""


def examples(number: int, **others: Any) -> Callable[[Property], Property]:
    """Bound the time of a property, which is not traced: few of its examples run a new line.

    Args:
        number: Examples every day, about a second's worth; deep runs have as many times more as
            their profile has more than `EVERYDAY`.
        **others: Further settings.

    Returns:
        The decorator.
    """

    def decorate(test: Property) -> Property:
        times = settings().max_examples / EVERYDAY
        bounded: Property = settings(max_examples=round(number * times), **others)(test)
        pytest.mark.no_cover(bounded)
        return bounded

    return decorate
