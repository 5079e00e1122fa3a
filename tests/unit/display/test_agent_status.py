"""What identifies an agent of a run."""

from __future__ import annotations

from typing import get_args

import pytest

from langchain_asi_one._agent_identity import RefusalReason
from langchain_asi_one.display._agent_status import REFUSALS, SIGNS, Agent
from langchain_asi_one.display._diagram import _MERMAID_CLASSES
from langchain_asi_one.display._html import read_style_sheet
from langchain_asi_one.display._sections import Row


@pytest.mark.parametrize(
    ("address", "handle", "identity", "identifiers"),
    [
        ("agent1q", "@a", "agent1q", ["@a", "agent1q"]),
        ("", "@a", "@a", ["@a"]),
        ("", "", "", []),
    ],
)
def test_an_address_goes_before_a_handle(
    address: str, handle: str, identity: str, identifiers: list[str]
) -> None:
    agent = Agent(address, handle, "named", Row())
    assert (agent.identity, agent.identifiers) == (identity, identifiers)


def test_each_status_has_a_sign_and_is_drawn_apart() -> None:
    assert len({*SIGNS.values()}) == len(SIGNS)
    assert SIGNS.keys() == _MERMAID_CLASSES.keys()
    sheet = read_style_sheet()
    assert [status for status in SIGNS if f".asi1-{status}" not in sheet] == ["named"]


def test_each_reason_to_refuse_an_agent_has_a_meaning() -> None:
    assert REFUSALS.keys() == {*get_args(RefusalReason)}
