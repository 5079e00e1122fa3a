"""What the review refuses when it is made."""

from __future__ import annotations

import pytest

from langchain_asi_one.langgraph import (
    review_agents,
)
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT

WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]


def test_wrong_decisions_are_refused_when_the_node_is_made() -> None:
    for wrong in ((), "approve", ("approve", "respond"), ("ignore",)):
        with pytest.raises(ValueError, match="allowed_decisions must be a list of some of"):
            review_agents(allowed_decisions=wrong)  # type: ignore[arg-type]
    for limit in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="limit must be a whole number of 1 or more, or None"):
            review_agents(limit=limit)  # type: ignore[arg-type]
