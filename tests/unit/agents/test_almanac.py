"""Records of agents, as Almanac and search give them."""

from __future__ import annotations

from typing import Any

import pytest
from uagents_core.identity import Identity

from langchain_asi_one.agents import search_agents
from langchain_asi_one.agents._almanac import check_agent, check_agentverse, read_record

ADDRESS = Identity.from_seed("an agent of the tests", 0).address
OTHER = Identity.from_seed("another agent of the tests", 0).address


def test_a_record_of_the_almanac_is_read() -> None:
    raw = {
        "address": ADDRESS,
        "status": "active",
        "type": "custom",
        "domain_name": None,
        "endpoints": [
            {"url": "https://a.example", "weight": 1},
            {"url": "https://b.example", "weight": 5},
            {"url": 7, "weight": 9},
            {"url": "https://c.example", "weight": None},
            "https://d.example",
        ],
        "protocols": ["proto:1", 7],
    }
    assert read_record(raw) == {
        "address": ADDRESS,
        "status": "active",
        "type": "custom",
        "endpoints": ["https://b.example", "https://a.example", "https://c.example"],
        "protocols": ["proto:1"],
        "raw": raw,
    }


def test_a_record_of_the_search_is_read() -> None:
    raw = {
        "address": ADDRESS,
        "name": "Weather",
        "handle": "@weather",
        "description": "Knows the weather.",
        "protocols": [{"name": "chat", "version": "0.3.0", "digest": "proto:1"}, {}],
    }
    assert read_record(raw) == {
        "address": ADDRESS,
        "name": "Weather",
        "handle": "weather",
        "description": "Knows the weather.",
        "protocols": ["proto:1"],
        "endpoints": [],
        "raw": raw,
    }


@pytest.mark.parametrize(
    "raw", [None, [], {}, {"address": 7}, {"address": f"{ADDRESS[:-1]}b"}, {"address": OTHER}]
)
def test_a_record_of_another_agent_is_none(raw: Any) -> None:
    assert read_record(raw, agent=ADDRESS) is None


def test_an_agent_is_named_by_address_or_handle() -> None:
    assert check_agent(ADDRESS) == ADDRESS
    assert check_agent("weather") == check_agent("@weather") == "@weather"


@pytest.mark.parametrize(
    "url", ["https://agentverse.ai/", "http://127.0.0.1:80", "http://localhost"]
)
def test_an_address_of_agentverse_is_https_or_here(url: str) -> None:
    assert check_agentverse(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"text": " "}, "text must have 1 to 1,000"),
        ({"text": "x" * 1_001}, "text must have 1 to 1,000"),
        ({"limit": 51}, "limit must be 1 to 50"),
        ({"timeout": -1}, "timeout must be"),
        ({"agentverse": "http://agentverse.ai"}, "agentverse must be"),
    ],
)
def test_a_bad_search_is_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        search_agents(**{"text": "weather", **arguments})
