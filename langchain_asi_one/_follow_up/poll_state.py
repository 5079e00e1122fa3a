"""How far the wait for one answer has come: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    convert_to_messages,
    message_chunk_to_message,
)
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.prompt_values import PromptValue

from langchain_asi_one._follow_up.pending_rule import FollowUpRule, has_calls, read_session_id
from langchain_asi_one._json.printable import describe_error


class PollState:
    """A question, its answers so far, and whether to ask again.

    Raises:
        ValueError: If no poll could be appended to the question.
    """

    def __init__(self, rule: FollowUpRule, question: object) -> None:
        self.rule = rule
        self.history = convert_question(question)
        self.last_answer: AIMessage | None = None
        self.session_id: str | None = None
        self.polls = 0
        self.is_pending = False
        self.next_poll_in: float | None = None
        """Seconds until the next poll; `None` if none is to follow."""
        self._question = question
        self._is_accepted = False
        self._delayed = 0.0
        self._error: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to ask."""
        has_answer = self._is_accepted or self.last_answer is not None
        return has_answer and self.next_poll_in is None

    def make_next_input(self) -> Any:
        """Return the question as it came, or the next poll, counted."""
        if self.last_answer is None:
            return self._question
        self.polls += 1
        return self.rule.make_poll_messages(self.history, self.last_answer)

    def record(self, answer: object) -> bool:
        """Record an answer; return whether it replaces the previous one.

        An empty poll result does not.

        Raises:
            TypeError: If it is no `AIMessage`.
        """
        message = require_message(answer)
        if isinstance(message, AIMessageChunk):
            message = require_message(message_chunk_to_message(message))
        self.is_pending = self.rule.finds_pending(
            message, history=self.history, last_answer=self.last_answer
        )
        self._error = None
        self._schedule()
        if self.last_answer is not None and self.is_pending and not str(message.text).strip():
            return False
        self.session_id = self.session_id or read_session_id(message)
        self.last_answer = message
        return True

    def record_error(self, error: Exception) -> None:
        """Record one of the `PASSING_ERRORS`; the answer stays pending."""
        self._error = describe_error(error)
        self._schedule(read_retry_after(error))

    def _schedule(self, retry_after: float | None = None) -> None:
        wait = self.rule.compute_wait(self.polls, self._delayed, retry_after)
        self.next_poll_in = wait if self.is_pending else None
        self._delayed += wait - self.rule.interval if wait else 0

    def accept(self) -> None:
        """Record an answer that could not be pending.

        Its pieces were passed on as they came.
        """
        self.is_pending = False
        self.next_poll_in = None
        self._is_accepted = True

    def make_result(self) -> AIMessage:
        """Return the last answer with the metadata of the wait."""
        return add_metadata(require_message(self.last_answer), self.make_metadata())

    def make_metadata(self) -> dict[str, Any]:
        """Return what the wait adds to `response_metadata`; `{}` if there was none."""
        metadata: dict[str, Any] = {"follow_up_polls": self.polls} if self.polls else {}
        if self.is_pending:
            metadata["pending"] = True
            if self._error:
                metadata["follow_up_error"] = self._error
        return metadata

    def make_event(self) -> dict[str, Any]:
        """Return the event of a pending answer, as plain JSON."""
        event = {
            "poll": self.polls,
            "max_polls": self.rule.max_polls,
            "text": str(self.last_answer.text) if self.last_answer else "",
            "session_id": self.session_id,
            "next_poll_in": self.next_poll_in,
        }
        return {**event, "error": self._error} if self._error else event


class AnswerBuffer:
    """A streamed answer, held back until it cannot be pending any more."""

    def __init__(self, state: PollState) -> None:
        self._state = state
        self._pieces: list[AIMessage] = []
        self._text = ""
        self.is_released = False
        """Whether pieces were passed on."""

    def feed(self, piece: object) -> Iterator[AIMessage]:
        """Take a chunk or message; yield all pieces to pass on.

        Raises:
            TypeError: If it is no `AIMessage`.
        """
        message = require_message(piece)
        self._pieces.append(message)
        if not self.is_released:
            self._text += str(message.text)
            calls = has_calls(message) or bool(getattr(message, "tool_call_chunks", None))
            self.is_released = calls or not self._state.rule.may_find_pending(
                self._text, history=self._state.history, last_answer=self._state.last_answer
            )
        if self.is_released:
            polls = self._state.polls
            metadata = {"follow_up_polls": polls} if polls else {}
            pieces, self._pieces = self._pieces, []
            for held in pieces:
                yield add_metadata(held, metadata) if _is_last(held) else held

    def close(self) -> bool:
        """Record the answer at its end; return whether it replaces the last.

        Raises:
            TypeError: If no piece came.
        """
        if self.is_released:
            self._state.accept()
            return True
        if not self._pieces:
            msg = "The stream ended without a single message; wrap a runnable that answers."
            raise TypeError(msg)
        return self._state.record(_merge(self._pieces))

    def flush(self) -> Iterator[AIMessage]:
        """Yield the pieces that are still held.

        The last one gets the metadata of the wait.
        """
        yield from self._pieces[:-1]
        for last in self._pieces[-1:]:
            yield add_metadata(last, self._state.make_metadata())


def convert_question(question: object) -> list[BaseMessage]:
    """Return the messages of a question.

    Raises:
        ValueError: If it is neither messages nor a prompt value nor a text.
    """
    if isinstance(question, str):
        return [HumanMessage(question)]
    if isinstance(question, PromptValue):
        return question.to_messages()
    if isinstance(question, Sequence):
        return convert_to_messages(question)
    msg = (
        f"A follow-up asks again in the same conversation, so it takes messages, a prompt value or "
        f"a text; got {type(question).__name__}. Wrap the model, not the chain around it: "
        f"prompt | model.with_follow_up()."
    )
    raise ValueError(msg)


def require_message(answer: object) -> AIMessage:
    """Return an answer if it is one of a chat model.

    Raises:
        TypeError: If it is no `AIMessage`.
    """
    if isinstance(answer, AIMessage):
        return answer
    msg = (
        f"A follow-up waits for an AIMessage of ChatASIOne; got {type(answer).__name__}. Put the "
        f"parser behind it: model.with_follow_up() | parser."
    )
    raise TypeError(msg)


def read_retry_after(error: Exception) -> float | None:
    """Return the seconds after which the API asks to be called again."""
    seconds = getattr(error, "retry_after", None)
    return seconds if isinstance(seconds, int | float) else None


def add_metadata(message: AIMessage, metadata: dict[str, Any]) -> AIMessage:
    """Return a copy of a message with more in its `response_metadata`.

    With nothing to add it is the message itself.
    """
    if not metadata:
        return message
    metadata = {**message.response_metadata, **metadata}
    return message.model_copy(update={"response_metadata": metadata})


def _is_last(piece: AIMessage) -> bool:
    return not isinstance(piece, AIMessageChunk) or piece.chunk_position == "last"


def _merge(pieces: Sequence[AIMessage]) -> AIMessage:
    first, *others = pieces
    if not others:
        return first
    chunks = [piece for piece in pieces if isinstance(piece, AIMessageChunk)]
    if len(chunks) < len(pieces):
        msg = "A stream gave whole messages among chunks, which have no sum; stream chunks only."
        raise TypeError(msg)
    return add_ai_message_chunks(chunks[0], *chunks[1:])
