"""How far the wait for one answer has come, with and without a stream: pure, without I/O."""

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

from langchain_asi_one._follow_up.rule import FollowUpRule, has_calls, session_of


class Waiting:
    """One question, the answers to it so far, and whether to ask again.

    Args:
        rule: How to wait.
        question: What the caller asked: messages, a prompt value or a text.

    Raises:
        ValueError: If the question is something that no poll could be appended to.
    """

    def __init__(self, rule: FollowUpRule, question: object) -> None:
        self.rule = rule
        self.history = conversation(question)
        self.said: AIMessage | None = None
        self.session_id: str | None = None
        self.polls = 0
        self.pending = False
        self._question = question
        self._settled = False

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be asked."""
        heard = self._settled or self.said is not None
        return heard and (not self.pending or self.polls >= self.rule.max_polls)

    @property
    def seconds(self) -> float:
        """How long to wait before what comes next."""
        return 0 if self.ended else self.rule.interval

    def next_input(self) -> Any:
        """Give what to ask now: the question as it came, or a poll, which is counted."""
        if self.said is None:
            return self._question
        self.polls += 1
        return self.rule.poll(self.history, self.said)

    def hear(self, answer: object) -> bool:
        """Take an answer.

        Args:
            answer: What came.

        Returns:
            Whether it is what there is to show: an empty answer while waiting tells nothing.

        Raises:
            TypeError: If it is no `AIMessage`.
        """
        message = checked(answer)
        if isinstance(message, AIMessageChunk):
            message = checked(message_chunk_to_message(message))
        self.pending = self.rule.pending(message, history=self.history, said=self.said)
        if self.said is not None and self.pending and not str(message.text).strip():
            return False
        self.session_id = self.session_id or session_of(message)
        self.said = message
        return True

    def settle(self) -> None:
        """Take an answer that was shown as it came, because it could not be pending."""
        self.pending = False
        self._settled = True

    def result(self) -> AIMessage:
        """Give the answer that there is, marked."""
        return marked(checked(self.said), self.marks())

    def marks(self) -> dict[str, Any]:
        """Give what the wait adds to the answer's `response_metadata`; `{}` if there was none."""
        marks: dict[str, Any] = {"follow_up_polls": self.polls} if self.polls else {}
        return {**marks, "pending": True} if self.pending else marks

    def event(self) -> dict[str, Any]:
        """Tell of an answer that is still to come, as plain JSON."""
        return {
            "poll": self.polls,
            "max_polls": self.rule.max_polls,
            "text": str(self.said.text) if self.said else "",
            "session_id": self.session_id,
            "next_poll_in": None if self.ended else self.rule.interval,
        }


class HeldAnswer:
    """A streamed answer, held back until it is sure not to be pending.

    Args:
        waiting: The wait that it belongs to.
    """

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._pieces: list[AIMessage] = []
        self._text = ""
        self._released = False

    def feed(self, piece: object) -> Iterator[AIMessage]:
        """Take a piece, and give all pieces that may be shown.

        Args:
            piece: What came.

        Yields:
            Pieces to show now.

        Raises:
            TypeError: If it is no `AIMessage`.
        """
        message = checked(piece)
        self._pieces.append(message)
        if not self._released:
            self._text += str(message.text)
            calls = has_calls(message) or bool(getattr(message, "tool_call_chunks", None))
            self._released = calls or not self._waiting.rule.undecided(
                self._text, history=self._waiting.history, said=self._waiting.said
            )
        if self._released:
            polls = self._waiting.polls
            marks = {"follow_up_polls": polls} if polls else {}
            pieces, self._pieces = self._pieces, []
            for held in pieces:
                yield marked(held, marks) if _is_last(held) else held

    def end(self) -> bool:
        """Take the end of the answer.

        Returns:
            Whether the answer is what there is to show.

        Raises:
            TypeError: If nothing came.
        """
        if self._released:
            self._waiting.settle()
            return True
        if not self._pieces:
            msg = "The stream ended without a single message; wrap a runnable that answers."
            raise TypeError(msg)
        return self._waiting.hear(_whole(self._pieces))

    def rest(self) -> Iterator[AIMessage]:
        """Give the pieces that are still held, the last one marked."""
        yield from self._pieces[:-1]
        for last in self._pieces[-1:]:
            yield marked(last, self._waiting.marks())


def conversation(question: object) -> list[BaseMessage]:
    """Read the messages of a question.

    Args:
        question: Messages, a prompt value or a text.

    Returns:
        The messages.

    Raises:
        ValueError: If it is none of these.
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


def checked(answer: object) -> AIMessage:
    """Check that something is an answer of a chat model.

    Args:
        answer: What a Runnable gave.

    Returns:
        The same.

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


def marked(message: AIMessage, marks: dict[str, Any]) -> AIMessage:
    """Copy a message with more in its `response_metadata`.

    Args:
        message: A message or a chunk.
        marks: What to add.

    Returns:
        The copy; the message itself if there is nothing to add.
    """
    if not marks:
        return message
    metadata = {**message.response_metadata, **marks}
    return message.model_copy(update={"response_metadata": metadata})


def _is_last(piece: AIMessage) -> bool:
    return not isinstance(piece, AIMessageChunk) or piece.chunk_position == "last"


def _whole(pieces: Sequence[AIMessage]) -> AIMessage:
    first, *others = pieces
    if not others:
        return first
    chunks = [piece for piece in pieces if isinstance(piece, AIMessageChunk)]
    if len(chunks) < len(pieces):
        msg = "A stream gave whole messages among chunks, which have no sum; stream chunks only."
        raise TypeError(msg)
    return add_ai_message_chunks(chunks[0], *chunks[1:])
