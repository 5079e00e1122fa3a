"""When an answer counts as still to come, and what a poll sends."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    ToolMessage,
)

from langchain_asi_one._follow_up.pending_rule import STAND_IN_MARK, FollowUpRule
from langchain_asi_one.follow_up import (
    is_deferred,
)
from langchain_asi_one.testing._default_answers import MARK
from tests.support.deferred import CALL, DEFERRED, QUESTION, make_answer


@pytest.mark.parametrize(
    "text",
    [
        DEFERRED,
        f" {DEFERRED}\n",
        f"{DEFERRED}.",
        f"{DEFERRED}…",
        DEFERRED.upper(),
        DEFERRED.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
        "I've sent  the\nmessage!",
        f"{MARK}{DEFERRED}",
    ],
)
def test_documented_sentence_is_deferred(text: str) -> None:
    assert is_deferred(make_answer(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I've sent the messages",
        f"{DEFERRED} to Bob.",
        f"{DEFERRED}. Anything else?",
        f'The agent says "{DEFERRED}"',
        f"Done: {DEFERRED}",
        f"[note] {DEFERRED}",
        "Any update?",
        "I have sent the message",
    ],
)
def test_other_texts_are_ordinary_answers(text: str) -> None:
    assert not is_deferred(make_answer(text))


def test_deferred_sentence_may_come_in_content_blocks() -> None:
    assert is_deferred(AIMessage([{"type": "text", "text": DEFERRED}]))


def test_mark_of_the_stand_in_is_the_stand_ins() -> None:
    assert MARK.strip() == STAND_IN_MARK


def test_answer_with_tool_calls_is_never_pending() -> None:
    with_call = make_answer(DEFERRED, tool_calls=[CALL])
    broken = {**CALL, "args": "{", "error": "cut", "type": "invalid_tool_call"}
    with_broken_call = make_answer(DEFERRED, invalid_tool_calls=[broken])
    for message in (with_call, with_broken_call):
        assert not is_deferred(message)
        for rule in (FollowUpRule(), FollowUpRule(is_pending=lambda _: True)):
            assert not rule.finds_pending(message, history=QUESTION, last_answer=None)
            assert not rule.finds_pending(
                message, history=QUESTION, last_answer=make_answer(DEFERRED)
            )


def test_answer_without_a_session_is_never_pending() -> None:
    for rule in (FollowUpRule(), FollowUpRule(is_pending=lambda _: True)):
        assert not rule.finds_pending(AIMessage(DEFERRED), history=QUESTION, last_answer=None)


def test_first_answer_to_a_local_tools_result_is_ordinary() -> None:
    history = [
        *QUESTION,
        make_answer("", tool_calls=[CALL]),
        ToolMessage("sent", tool_call_id="call_1"),
    ]
    rule = FollowUpRule()
    assert not rule.finds_pending(make_answer(DEFERRED), history=history, last_answer=None)
    assert not rule.may_find_pending("I've", history=history, last_answer=None)
    assert rule.finds_pending(make_answer(DEFERRED), history=QUESTION, last_answer=None)


@pytest.mark.parametrize(
    ("before", "after", "pending"),
    [
        (DEFERRED, DEFERRED, True),
        (DEFERRED, f"{DEFERRED}.", True),
        (DEFERRED, f"{DEFERRED}\n", True),
        (DEFERRED, "", True),
        (DEFERRED, " \n", True),
        ("Asking…", DEFERRED, True),
        ("Asking…", "Asking…", True),
        (DEFERRED, "No", False),
        (DEFERRED, f"{DEFERRED} and it was read", False),
    ],
)
def test_later_answer_is_pending_while_it_says_nothing_new(
    before: str, after: str, pending: bool
) -> None:
    assert (
        FollowUpRule().finds_pending(
            make_answer(after), history=QUESTION, last_answer=make_answer(before)
        )
        is pending
    )


def test_predicate_decides_alone_for_first_and_later_answers() -> None:
    rule = FollowUpRule(is_pending=lambda answer: "waiting for" in str(answer.text))
    assert not rule.finds_pending(make_answer(DEFERRED), history=QUESTION, last_answer=None)
    assert rule.finds_pending(make_answer("waiting for it"), history=QUESTION, last_answer=None)
    same = make_answer("the same")
    assert not rule.finds_pending(same, history=QUESTION, last_answer=same)


@pytest.mark.parametrize("before", [None, DEFERRED, "Working on it, [local or not"])
@pytest.mark.parametrize(
    "text",
    [DEFERRED, f"{MARK}{DEFERRED}.", "Working on it, [local or not", "I've seen it", f"{MARK}Hi"],
)
def test_stream_is_released_only_when_the_whole_cannot_be_pending(
    text: str, before: str | None
) -> None:
    rule = FollowUpRule()
    earlier = None if before is None else make_answer(before)
    pending = rule.finds_pending(make_answer(text), history=QUESTION, last_answer=earlier)
    may_be_pending = [
        rule.may_find_pending(text[:end], history=QUESTION, last_answer=earlier)
        for end in range(len(text) + 1)
    ]
    assert may_be_pending[0]
    assert not pending or all(may_be_pending)
    # Once decided, it stays so.
    assert may_be_pending == sorted(may_be_pending, reverse=True)


@pytest.mark.parametrize("text", ["You", "[local stand-in] You", "I'm"])
def test_ordinary_stream_is_released_with_its_first_words(text: str) -> None:
    assert not FollowUpRule().may_find_pending(text, history=QUESTION, last_answer=None)


@pytest.mark.parametrize(
    ("polls", "delayed", "retry_after", "wait"),
    [
        (0, 0, None, 5),
        (3, 20, None, 5),
        (1, 0, 0.5, 5),
        (1, 0, 12, 12),
        (1, 15, 12, 10),
        (1, 0, 3600, 25),
        (1, 20, 3600, 5),
        (4, 0, None, None),
        (4, 0, 12, None),
    ],
)
def test_a_longer_retry_after_is_waited_within_the_bound(
    polls: int, delayed: float, retry_after: float | None, wait: float | None
) -> None:
    assert FollowUpRule(interval=5, max_polls=4).compute_wait(polls, delayed, retry_after) == wait


def test_one_poll_is_enough_to_wait() -> None:
    assert FollowUpRule(max_polls=1).max_polls == 1
    with pytest.raises(ValueError, match="max_polls"):
        FollowUpRule(max_polls=0)


def test_an_object_that_is_called_asynchronously_is_no_predicate() -> None:
    class Later:
        async def __call__(self, answer: AIMessage) -> bool:
            return False

    with pytest.raises(ValueError, match="an async one would always count as true"):
        FollowUpRule(is_pending=Later())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("interval", value) for value in (0, 86_401, True, "5")],
        *[("max_polls", value) for value in (0, 1_001, True, 2.0)],
        *[("message", value) for value in (" ", 5)],
        ("is_pending", "yes"),
    ],
)
def test_an_argument_that_is_none_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be .*; got {value!r}$"):
        FollowUpRule(**{name: value})
