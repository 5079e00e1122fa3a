"""When an answer of ASI:One is still to come: pure.

ASI:One answers long agent work with a placeholder. Its documentation compares with the
literal "I've sent the message" and then asks "Any update?" in the same session, every 5 s and up to
24 times, until the text differs from the last assistant text (docs/wire-format.md, 6.1).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from langchain_core.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

DEFERRED_SENTENCE = "i've sent the message"
STAND_IN_MARK = "[local stand-in]"
"""The prefix that the local stand-in puts before each text; the API does not."""

# The free plan is reported as 3 requests a minute. ASI:One waits up to 240 s for an agent that has
# begun to answer.
INTERVAL: Final = 20.0
MAX_POLLS: Final = 15
LONGEST_INTERVAL: Final = 86_400.0
MOST_POLLS: Final = 1_000

PASSING_ERRORS: Final = (
    ModelRateLimitError,
    ModelAPIError,
    ModelConnectionError,
    ModelTimeoutError,
)
"""Errors of a poll that mean "not yet": a later poll may succeed, and repeats no question."""

_ENDINGS = ".!…"


def normalize(text: str) -> str:
    """Return a text with one kind of blank and apostrophe."""
    return " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


def read_answer_text(message: AIMessage) -> str:
    """Return the normalized text of an answer, without its thought."""
    return normalize(str(message.text))


def read_session_id(message: AIMessage) -> str | None:
    """Return an answer's `x-session-id`; `None` if it is not one of `ChatASIOne`."""
    session_id = message.response_metadata.get("session_id")
    return session_id if isinstance(session_id, str) else None


def has_calls(message: AIMessage) -> bool:
    """Return whether an answer calls tools: only their results may follow it."""
    return bool(message.tool_calls or message.invalid_tool_calls)


def is_deferred(message: AIMessage) -> bool:
    """Return whether an answer is only ASI:One's "I've sent the message".

    Such an answer is a placeholder for a later one.

    The whole text must be the documented sentence, "I've sent the message", in any case, with or
    without full stop. An answer that only contains it ("I've sent the message to Bob") is an
    ordinary one, and so is one with tool calls.

    Args:
        message: An answer of `ChatASIOne`.

    Returns:
        Whether it is such a placeholder.

    Source:
        ASI:One's documentation of agentic models compares with this sentence.

    Example:
        >>> is_deferred(AIMessage("I've sent the message."))
        True
        >>> is_deferred(AIMessage("I've sent the message to Bob."))
        False
    """
    return (
        not has_calls(message) and _strip_sentence(read_answer_text(message)) == DEFERRED_SENTENCE
    )


def says_nothing_new(answer: AIMessage, last_answer: AIMessage) -> bool:
    """Return whether an answer is empty or repeats the last one."""
    return read_answer_text(answer) in ("", read_answer_text(last_answer))


def _strip_sentence(text: str) -> str:
    return text.removeprefix(STAND_IN_MARK).strip().rstrip(_ENDINGS).casefold()


def _may_become_deferred(text: str) -> bool:
    """Return whether a text may grow into the placeholder."""
    return STAND_IN_MARK.startswith(text) or DEFERRED_SENTENCE.startswith(_strip_sentence(text))


@dataclass(frozen=True)
class FollowUpRule:
    """How to wait for a deferred answer.

    Args:
        interval: Seconds between an answer and the next poll, above 0 and up to 86,400.
        max_polls: Most polls for one question, 1 to 1,000.
        is_pending: Decides instead of the default rule whether an answer is still to come.
        message: Text of a poll.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> FollowUpRule(max_polls=0)
        Traceback (most recent call last):
        ...
        ValueError: max_polls must be a whole number from 1 to 1000; got 0
    """

    interval: float = INTERVAL
    max_polls: int = MAX_POLLS
    is_pending: Callable[[AIMessage], bool] | None = None
    message: str = "Any update?"

    def __post_init__(self) -> None:
        _check_interval(self.interval)
        _check_max_polls(self.max_polls)
        _check_is_pending(self.is_pending)
        _check_message(self.message)

    def finds_pending(
        self, answer: AIMessage, *, history: Sequence[BaseMessage], last_answer: AIMessage | None
    ) -> bool:
        """Return whether the real answer is still to come.

        Never for an answer with tool calls, or without a session (another provider's): no poll can
        follow these. `last_answer` is `None` for the first answer.
        """
        if has_calls(answer) or read_session_id(answer) is None:
            return False
        if self.is_pending is not None:
            return bool(self.is_pending(answer))
        if last_answer is None:
            return is_deferred(answer) and not _ends_with_results(history)
        return is_deferred(answer) or says_nothing_new(answer, last_answer)

    def may_find_pending(
        self, text: str, *, history: Sequence[BaseMessage], last_answer: AIMessage | None
    ) -> bool:
        """Return whether an answer may turn out to be pending.

        `text` is its text so far. It has called no tool. The result is `False` as soon as
        `finds_pending` is sure to be false for the whole.
        """
        if self.is_pending is not None:
            return True
        text = normalize(text)
        if last_answer is None:
            return _may_become_deferred(text) and not _ends_with_results(history)
        return _may_become_deferred(text) or read_answer_text(last_answer).startswith(text)

    def compute_wait(
        self, polls: int, delayed: float = 0.0, retry_after: float | None = None
    ) -> float | None:
        """Return the seconds until the next poll; `None` after the last.

        A longer `retry_after` of the API adds to the interval, as long as all seconds that were
        `delayed` so are at most `interval * max_polls`.
        """
        if polls >= self.max_polls:
            return None
        longest = self.interval * (1 + self.max_polls) - delayed
        return max(self.interval, min(retry_after or 0, longest))

    def make_poll_messages(
        self, history: Sequence[BaseMessage], last_answer: AIMessage
    ) -> list[BaseMessage]:
        """Return the full history, the last answer, and the question for news.

        Earlier polls are not repeated.
        """
        return [*history, last_answer, HumanMessage(self.message)]


def _ends_with_results(history: Sequence[BaseMessage]) -> bool:
    """Return whether the question is a local tool's result.

    "I've sent the message" may then be about what the tool did.
    """
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
        msg = f"message must be a text with words, as it is the text of a poll; got {value!r}"
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
