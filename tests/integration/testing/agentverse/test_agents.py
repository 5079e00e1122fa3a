"""The agents of the local Agentverse: what each sends, and how it says that it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from langchain_asi_one import ChatASIOne
from langchain_asi_one.executable_data import get_executable_data
from langchain_asi_one.testing import local_asi_one

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.behaviours import Behaviour
    from langchain_asi_one.testing._agentverse.server import LocalAgentverse
    from tests.integration.testing.agentverse.conftest import Somebody

ACK = "acknowledgement"


def describe(message: dict[str, Any]) -> str:
    """Return a message in a few words."""
    if "acknowledged_msg_id" in message:
        return ACK
    if "content" not in message:
        return str(message.get("error") or message["accepted_funds"][0]["amount"])
    return "|".join(part.get("text") or part["type"] for part in message["content"])


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        ("echo", [ACK, "echo: hello|end-session"]),
        ("slow", [ACK, "echo: hello|end-session"]),
        ("no_ack", ["echo: hello|end-session"]),
        ("no_end", [ACK, "echo: hello"]),
        ("ack_only", [ACK]),
        ("parts", [ACK, *(f"part {n} of 3: hello\n" for n in (1, 2, 3)), "end-session"]),
        ("stream", [ACK, "start-stream", "echo: ", "hello", "end-stream|end-session"]),
        ("picture", [ACK, "Here it is.|resource|end-session"]),
        ("error", [ACK, "The agent is out of credit."]),
        ("payment", [ACK, "0.1"]),
        (str.upper, [ACK, "HELLO|end-session"]),
        (lambda text: [{"type": "text", "text": text}] * 2, [ACK, "hello|hello|end-session"]),
    ],
)
def test_what_an_agent_sends(somebody: Somebody, behaviour: Behaviour, expected: list[str]) -> None:
    agent = somebody.server.agent(behaviour, delay=0.01)
    assert somebody.ask(agent).status_code == 200
    messages = somebody.read_mail(len(expected))
    assert [describe(message) for message in messages] == expected


def test_a_silent_agent_sends_nothing(somebody: Somebody) -> None:
    silent, echo = somebody.server.agent("silent"), somebody.server.agent("echo")
    somebody.ask(silent)
    somebody.ask(echo)
    somebody.read_mail(2)
    assert {one["envelope"]["sender"] for one in somebody.server.mail(somebody.address)} == {echo}


def test_a_function_that_raises_is_an_error_of_the_agent(
    somebody: Somebody, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(text: str) -> NoReturn:
        raise RuntimeError(text)

    somebody.ask(somebody.server.agent(fail), "secret detail")
    *_, message = somebody.read_mail(2)
    assert message == {"error": "The agent could not answer."}
    assert "secret detail" in caplog.text


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
