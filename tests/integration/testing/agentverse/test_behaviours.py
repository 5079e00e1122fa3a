"""What an agent of each behaviour sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.behaviours import Behaviour
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
