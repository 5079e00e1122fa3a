"""When an answer of ASI:One is not the answer yet: pure, without I/O.

Long agent work is answered by a stand-in sentence; the documentation compares with the literal
"I've sent the message" and then asks "Any update?" in the same session, every 5 s and up to 24
times, until the text differs from the last assistant text (wire contract, 6.1).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

DEFERRED_SENTENCE = "i've sent the message"
STAND_IN_MARK = "[local stand-in]"
"""What the local stand-in puts before each text; the API does not."""

LONGEST_INTERVAL = 86_400.0
MOST_POLLS = 1_000

_ENDINGS = ".!…"


def plain(text: str) -> str:
    """Write a text so that equal sentences are equal: blanks and apostrophes made one kind."""
    return " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


def text_of(message: AIMessage) -> str:
    """The text of an answer, without its thought."""
    return plain(str(message.text))


def session_of(message: AIMessage) -> str | None:
    """The `x-session-id` that an answer came in; `None` if it is not an answer of `ChatASIOne`."""
    session_id = message.response_metadata.get("session_id")
    return session_id if isinstance(session_id, str) else None


def has_calls(message: AIMessage) -> bool:
    """Whether an answer calls tools: then nothing but their results may follow it."""
    return bool(message.tool_calls or message.invalid_tool_calls)


def is_deferred(message: AIMessage) -> bool:
    """Tell whether an answer is only ASI:One's stand-in sentence for a later one.

    The whole text must be the documented sentence, "I've sent the message", in any case, with or
    without full stop; an answer that only contains it ("I've sent the message to Bob") is an
    ordinary one, and so is one with tool calls.

    Args:
        message: An answer of `ChatASIOne`.

    Returns:
        Whether it stands in for an answer to come.

    Source:
        ASI:One's documentation of agentic models compares with this sentence.

    Example:
        >>> is_deferred(AIMessage("I've sent the message."))
        True
        >>> is_deferred(AIMessage("I've sent the message to Bob."))
        False
    """
    return not has_calls(message) and _sentence(text_of(message)) == DEFERRED_SENTENCE


def _sentence(text: str) -> str:
    return text.removeprefix(STAND_IN_MARK).strip().rstrip(_ENDINGS).casefold()


def _may_become_deferred(text: str) -> bool:
    """Whether a text of which this is the start could be the stand-in sentence."""
    return STAND_IN_MARK.startswith(text) or DEFERRED_SENTENCE.startswith(_sentence(text))


@dataclass(frozen=True)
class FollowUpRule:
    """How a deferred answer is waited for.

    Args:
        interval: Seconds between an answer and the next poll, above 0 and up to 86,400.
        max_polls: Most polls for one question, 1 to 1,000.
        is_pending: Decides instead of the default rule whether an answer is still to come.
        message: What a poll says.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> FollowUpRule(max_polls=0)
        Traceback (most recent call last):
        ...
        ValueError: max_polls must be a whole number from 1 to 1000; got 0
    """

    interval: float = 5.0
    max_polls: int = 24
    is_pending: Callable[[AIMessage], bool] | None = None
    message: str = "Any update?"

    def __post_init__(self) -> None:
        _check_interval(self.interval)
        _check_max_polls(self.max_polls)
        _check_is_pending(self.is_pending)
        _check_message(self.message)

    def pending(
        self, answer: AIMessage, *, history: Sequence[BaseMessage], said: AIMessage | None
    ) -> bool:
        """Tell whether the real answer is still to come.

        Args:
            answer: What has just come.
            history: The conversation up to the question.
            said: The answer before this one; `None` if this is the first.

        Returns:
            Whether to ask again. Never for an answer with tool calls, or one that names no session
            (another provider's): such a one cannot be asked after.
        """
        if has_calls(answer) or session_of(answer) is None:
            return False
        if self.is_pending is not None:
            return bool(self.is_pending(answer))
        if said is None:
            return is_deferred(answer) and not _ends_with_results(history)
        return is_deferred(answer) or text_of(answer) in ("", text_of(said))

    def undecided(
        self, text: str, *, history: Sequence[BaseMessage], said: AIMessage | None
    ) -> bool:
        """Tell whether an answer that has only begun could turn out to be pending.

        Args:
            text: What has come of its text; it has called no tool.
            history: As for `pending`.
            said: As for `pending`.

        Returns:
            `False` as soon as `pending` is sure to be false for the whole.
        """
        if self.is_pending is not None:
            return True
        text = plain(text)
        if said is None:
            return _may_become_deferred(text) and not _ends_with_results(history)
        return _may_become_deferred(text) or text_of(said).startswith(text)

    def poll(self, history: Sequence[BaseMessage], said: AIMessage) -> list[BaseMessage]:
        """Write the messages of a poll.

        Args:
            history: The conversation up to the question.
            said: The last answer.

        Returns:
            The full history, the answer, and the user's question for news; earlier polls are not
            repeated.
        """
        return [*history, said, HumanMessage(self.message)]


def _ends_with_results(history: Sequence[BaseMessage]) -> bool:
    """Whether the question was the result of a local tool, which "I've sent" may well be about."""
    return bool(history) and isinstance(history[-1], ToolMessage)


def _check_interval(value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 < value <= LONGEST_INTERVAL):  # also false for NaN
        msg = f"interval must be above 0 and at most {LONGEST_INTERVAL:.0f} seconds; got {value!r}"
        raise ValueError(msg)


def _check_max_polls(value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_POLLS:
        msg = f"max_polls must be a whole number from 1 to {MOST_POLLS}; got {value!r}"
        raise ValueError(msg)


def _check_message(value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        msg = f"message must be a text with words, as it is what a poll says; got {value!r}"
        raise ValueError(msg)


def _check_is_pending(value: Any) -> None:
    if value is None:
        return
    call = getattr(value, "__call__", None)  # noqa: B004 - the method of a callable object
    if not callable(value) or any(map(inspect.iscoroutinefunction, (value, call))):
        msg = (
            f"is_pending must be a plain function that takes an AIMessage and returns a bool (an "
            f"async one would always count as true); got {value!r}"
        )
        raise ValueError(msg)
