"""The agents of the local Agentverse: in which session they answer, and who is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langchain_asi_one import ChatASIOne
from langchain_asi_one.executable_data import get_executable_data
from langchain_asi_one.testing import local_asi_one

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.server import LocalAgentverse
    from tests.integration.testing.agentverse.conftest import Somebody


def test_an_agent_answers_in_the_session_of_the_question(somebody: Somebody) -> None:
    question = somebody.seal(somebody.server.agent())
    assert somebody.client.post("/submit", json=question).status_code == 200
    somebody.read_mail(2)
    sessions = [one["envelope"]["session"] for one in somebody.server.mail(somebody.address)]
    assert sessions == [question["session"]] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": None},
        {"payload": "e30="},
        {"session": "6b0ad6f4-8a3d-4c6f-9b11-1a5b1f2a3c4d"},
        {"sender": "agent1qgqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7k8wmf3"},
        {"expires": 1},
        {"expires": -1},
        {"target": "agent1nobody"},
    ],
)
def test_an_envelope_that_was_changed_is_refused(
    somebody: Somebody, changes: dict[str, Any]
) -> None:
    question = somebody.seal(somebody.server.agent(), **changes)
    refused = somebody.client.post("/submit", json=question)
    assert refused.status_code == 400
    assert refused.json() == {"detail": "Invalid signature"}


def test_an_agent_that_is_not_here_cannot_be_asked(somebody: Somebody) -> None:
    refused = somebody.ask(somebody.address)
    assert (refused.status_code, refused.json()["detail"]) == (400, "unable to route envelope")


def test_asi_one_can_name_them(agentverse: LocalAgentverse) -> None:
    address = agentverse.agent(handle="tables", name="Tables")
    entry = next(one for one in agentverse.agents if one["address"] == address)
    with local_asi_one(agents=[entry]) as server:
        model = ChatASIOne(base_url=server.base_url, api_key="any")
        named = get_executable_data(model.invoke("Which agent books a table?"))
    assert [(one["address"], one["name"]) for one in named] == [(address, "Tables")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"behaviour": "sing"}, "unknown behaviour 'sing'; choose one of echo, slow"),
        ({"delay": -1}, "delay must be 0 or more seconds, not -1"),
        ({"delay": float("nan")}, "delay must be 0 or more seconds, not nan"),
        ({"handle": "twice"}, "The handle twice is taken"),
    ],
)
def test_other_arguments_are_refused_by_name(
    agentverse: LocalAgentverse, arguments: dict[str, Any], message: str
) -> None:
    if "handle" in arguments:
        agentverse.agent(handle="twice")
    with pytest.raises(ValueError, match=message):
        agentverse.agent(**arguments)
