"""What local agents do with a question: chat messages and pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args
from uuid import uuid4

from uagents_core.contrib.protocols.chat import (
    ChatAcknowledgement,
    ChatMessage,
    EndSessionContent,
    EndStreamContent,
    Resource,
    ResourceContent,
    StartStreamContent,
    TextContent,
)
from uagents_core.contrib.protocols.payment import Funds, RequestPayment
from uagents_core.models import ErrorMessage, Model

BehaviourName = Literal[
    "echo",
    "slow",
    "parts",
    "stream",
    "picture",
    "no_end",
    "no_ack",
    "ack_only",
    "silent",
    "error",
    "payment",
]
Content: TypeAlias = "str | Sequence[Mapping[str, Any] | Model]"
Behaviour: TypeAlias = "BehaviourName | Callable[[str], Content]"
Step: TypeAlias = "Model | None"
"""A message, or ``None`` for a pause."""

SLOW_SECONDS = 2.0
PICTURE = "https://pictures.example/stand-in.png"


def check_behaviour(behaviour: object) -> None:
    """Check that there is such a behaviour.

    Raises:
        ValueError: There is not. The text lists those that there are.
    """
    names = get_args(BehaviourName)
    if behaviour not in names and not callable(behaviour):
        msg = f"unknown behaviour {behaviour!r}; choose one of {', '.join(names)}, or a function"
        raise ValueError(msg)


def list_steps(name: str, question: ChatMessage) -> Iterator[Step]:
    """Yield what an agent with a named behaviour sends."""
    if name == "silent":
        return
    if name != "no_ack":
        yield ChatAcknowledgement(question.msg_id)
    yield from _ANSWERS.get(name, _echo)(describe_question(question))


def describe_question(question: ChatMessage) -> str:
    """Return the text of a question, and how many files it has."""
    files = sum(isinstance(part, ResourceContent) for part in question.content)
    return f"{question.text()} [{files} files]" if files else str(question.text())


def make_message(content: Content) -> ChatMessage:
    """Return a message that ends the session.

    Args:
        content: Its text, or its content in the form of the wire or as uagents-core's objects.
    """
    parts: list[Any] = [TextContent(content)] if isinstance(content, str) else list(content)
    plain = [dict(part) for part in parts]
    message: ChatMessage = ChatMessage.parse_obj({"content": [*plain, {"type": "end-session"}]})
    return message


def _echo(text: str) -> Iterator[Step]:
    yield None
    yield make_message(f"echo: {text}")


def _answer_in_parts(text: str) -> Iterator[Step]:
    for number in range(1, 4):
        yield None
        yield ChatMessage([TextContent(f"part {number} of 3: {text}\n")])
    yield ChatMessage([EndSessionContent()])


def _answer_in_a_stream(text: str) -> Iterator[Step]:
    stream = uuid4()
    yield ChatMessage([StartStreamContent(stream)])
    for word in ("echo: ", text):
        yield None
        yield ChatMessage([TextContent(word)])
    yield ChatMessage([EndStreamContent(stream), EndSessionContent()])


def _show_a_picture(_: str) -> Iterator[Step]:
    yield None
    picture = Resource(uri=PICTURE, metadata={"mime_type": "image/png", "role": "picture"})
    yield make_message([TextContent("Here it is."), ResourceContent(uuid4(), picture)])


def _leave_open(text: str) -> Iterator[Step]:
    yield None
    yield ChatMessage([TextContent(f"echo: {text}")])


def _say_no_more(_: str) -> Iterator[Step]:
    return iter(())


def _fail(_: str) -> Iterator[Step]:
    yield None
    yield ErrorMessage(error="The agent is out of credit.")


def _ask_for_payment(_: str) -> Iterator[Step]:
    yield None
    yield RequestPayment(
        accepted_funds=[Funds(amount="0.1", currency="FET")],
        recipient="fetch1standin",
        deadline_seconds=300,
        description="One answer of a local agent.",
    )


_ANSWERS: dict[str, Callable[[str], Iterator[Step]]] = {
    "parts": _answer_in_parts,
    "stream": _answer_in_a_stream,
    "picture": _show_a_picture,
    "no_end": _leave_open,
    "ack_only": _say_no_more,
    "error": _fail,
    "payment": _ask_for_payment,
}
