"""Questions that wait for replies, told apart by their sessions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, cast
from uuid import UUID

from langchain_asi_one.agents._envelope import read_session
from langchain_asi_one.agents._errors import AgentError, AgentErrorInfo

logger = logging.getLogger(__name__)

_MAX_WAITING: Final = 2_000  # letters of one question that nobody has read yet


class Letter(NamedTuple):
    """What arrived for a session; nothing in it has been checked.

    Attributes:
        envelope: The JSON of an envelope.
        uuid: Its place in the mailbox, if it lies in one.
    """

    envelope: object
    uuid: str | None = None


@dataclass
class Question:
    """A question that waits for its answer.

    Attributes:
        session: Its session.
        agent: Address of the agent that is asked, or its handle.
        is_sent: Whether the agent may have the question.
        ignored: How many letters were no replies to it.
        uuids: Places in the mailbox of what came for its session.
        letters: What has come and was not read; an error ends the wait.
    """

    session: UUID
    agent: str
    is_sent: bool = False
    ignored: int = 0
    uuids: dict[str, None] = field(default_factory=dict)
    letters: asyncio.Queue[Letter | AgentError] = field(
        default_factory=lambda: asyncio.Queue(_MAX_WAITING)
    )

    def put(self, letter: Letter | AgentError) -> bool:
        """Keep a letter until it is read; drop one that came before.

        Returns:
            `False` if there is no room for it.
        """
        uuid = letter.uuid if isinstance(letter, Letter) else None
        if uuid in self.uuids:
            return True
        try:
            self.letters.put_nowait(letter)
        except asyncio.QueueFull:
            logger.debug("The session %s has too many letters: one was left out.", self.session)
            return False
        if uuid is not None:
            self.uuids[uuid] = None
        return True


class Inbox:
    """The open questions of one identity."""

    def __init__(self) -> None:
        self.questions: dict[str, Question] = {}
        self.opened: set[str] = set()
        """Sessions of open questions that the mailbox was not read for."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    @contextmanager
    def open_question(self, session: UUID, agent: str) -> Iterator[Question]:
        """Wait for replies in a session.

        Raises:
            ValueError: If a question is open in the session: no reply says what it answers.
            AgentError: If the inbox is closed, also while the question is open.
        """
        key = str(session)
        if key in self.questions:
            msg = (
                f"a question is open in the session {key}, and no reply says what it answers: "
                "wait for its answer, or leave session_id out"
            )
            raise ValueError(msg)
        question = Question(session, agent)
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        if self._is_closed:
            raise _make_closed(question)
        self.questions[key] = question
        self.opened.add(key)
        self._tasks.add(task)
        try:
            yield question
        except asyncio.CancelledError:
            if self._is_closed and not task.uncancel():
                raise _make_closed(question) from None
            raise
        finally:
            self._tasks.discard(task)
            del self.questions[key]
            self.opened.discard(key)

    def put(self, envelope: object, uuid: str | None = None) -> bool:
        """Give an envelope to the question of its session, if any.

        Returns:
            `False` if there is no room for it now.
        """
        question = self.questions.get(read_session(envelope) or "")
        return question is None or question.put(Letter(envelope, uuid))

    def fail(self, error: AgentError) -> None:
        """End the wait of all open questions."""
        for question in self.questions.values():
            question.put(error)

    async def close(self) -> None:
        """End all open questions at once, and take no further ones."""
        self._is_closed = True
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _make_closed(question: Question) -> AgentError:
    what = f"the chat was closed before the question to {question.agent} was sent: ask again"
    if question.is_sent:
        what = (
            f"the chat was closed before {question.agent} had answered, and the agent may have the "
            "question. Ask again only if it does no harm to ask twice"
        )
    about = AgentErrorInfo(
        agent=question.agent, session_id=str(question.session), may_have_acted=question.is_sent
    )
    return AgentError(what, about)


class Source(Protocol):
    """Where letters come from."""

    async def prepare(self, *, seconds: float) -> None:
        """Make sure that agents can reach us, before a question is sent.

        Raises:
            AgentError: If they cannot.
        """

    def watch(self) -> None:
        """Look for letters as long as a question is open."""

    def describe_problem(self) -> str:
        """Say what keeps letters from coming, `""` if nothing is known."""

    async def delete(self, uuids: list[str]) -> None:
        """Delete letters that were read."""
