"""When an answer counts as still to come, and what a poll says: without a server."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue

from langchain_asi_one import ChatASIOne
from langchain_asi_one._follow_up.progress import Waiting, conversation
from langchain_asi_one._follow_up.rule import STAND_IN_MARK, FollowUpRule
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.follow_up import (
    AnswerPendingError,
    FollowUpRunnable,
    is_deferred,
    with_follow_up,
)
from langchain_asi_one.testing._default_answers import MARK

SESSION = "0c0c4b0e-3a53-4a0c-9d2e-5f43f6ea3f5c"
DEFERRED = "I've sent the message"
QUESTION = [HumanMessage("Is a table free?")]
CALL = {"name": "book", "args": {"at": 8}, "id": "call_1", "type": "tool_call"}


def said(text: str, **more: Any) -> AIMessage:
    return AIMessage(text, response_metadata={"session_id": SESSION}, **more)


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
    assert is_deferred(said(text))


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
    assert not is_deferred(said(text))


def test_deferred_sentence_may_come_in_content_blocks() -> None:
    assert is_deferred(AIMessage([{"type": "text", "text": DEFERRED}]))


def test_mark_of_the_stand_in_is_the_stand_ins() -> None:
    assert MARK.strip() == STAND_IN_MARK


def test_answer_with_tool_calls_is_never_pending() -> None:
    with_call = said(DEFERRED, tool_calls=[CALL])
    broken = {**CALL, "args": "{", "error": "cut", "type": "invalid_tool_call"}
    with_broken_call = said(DEFERRED, invalid_tool_calls=[broken])
    for message in (with_call, with_broken_call):
        assert not is_deferred(message)
        for rule in (FollowUpRule(), FollowUpRule(is_pending=lambda _: True)):
            assert not rule.pending(message, history=QUESTION, said=None)
            assert not rule.pending(message, history=QUESTION, said=said(DEFERRED))


def test_answer_without_a_session_is_never_pending() -> None:
    for rule in (FollowUpRule(), FollowUpRule(is_pending=lambda _: True)):
        assert not rule.pending(AIMessage(DEFERRED), history=QUESTION, said=None)


def test_first_answer_to_a_local_tools_result_is_ordinary() -> None:
    history = [*QUESTION, said("", tool_calls=[CALL]), ToolMessage("sent", tool_call_id="call_1")]
    rule = FollowUpRule()
    assert not rule.pending(said(DEFERRED), history=history, said=None)
    assert not rule.undecided("I've", history=history, said=None)
    assert rule.pending(said(DEFERRED), history=QUESTION, said=None)


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
    assert FollowUpRule().pending(said(after), history=QUESTION, said=said(before)) is pending


def test_predicate_decides_alone_for_first_and_later_answers() -> None:
    rule = FollowUpRule(is_pending=lambda answer: "waiting for" in str(answer.text))
    assert not rule.pending(said(DEFERRED), history=QUESTION, said=None)
    assert rule.pending(said("waiting for it"), history=QUESTION, said=None)
    same = said("the same")
    assert not rule.pending(same, history=QUESTION, said=same)


@pytest.mark.parametrize("before", [None, DEFERRED, "Working on it, [local or not"])
@pytest.mark.parametrize(
    "text",
    [DEFERRED, f"{MARK}{DEFERRED}.", "Working on it, [local or not", "I've seen it", f"{MARK}Hi"],
)
def test_stream_is_released_only_when_the_whole_cannot_be_pending(
    text: str, before: str | None
) -> None:
    rule = FollowUpRule()
    earlier = None if before is None else said(before)
    pending = rule.pending(said(text), history=QUESTION, said=earlier)
    undecided = [
        rule.undecided(text[:end], history=QUESTION, said=earlier) for end in range(len(text) + 1)
    ]
    assert undecided[0]
    assert not pending or all(undecided)
    # Once decided, it stays so.
    assert undecided == sorted(undecided, reverse=True)


@pytest.mark.parametrize("text", ["You", "[local stand-in] You", "I'm"])
def test_ordinary_stream_is_released_with_its_first_words(text: str) -> None:
    assert not FollowUpRule().undecided(text, history=QUESTION, said=None)


def test_poll_sends_the_history_the_answer_and_the_question_for_news() -> None:
    history: list[BaseMessage] = [SystemMessage("Be brief."), *QUESTION]
    waiting = Waiting(FollowUpRule(message="And?"), history)
    assert waiting.next_input() is history
    assert waiting.hear(said(DEFERRED))
    assert waiting.next_input() == [*history, said(DEFERRED), HumanMessage("And?")]
    # An empty answer tells nothing: the one before it is what there is.
    assert not waiting.hear(said(""))
    assert waiting.next_input() == [*history, said(DEFERRED), HumanMessage("And?")]
    assert waiting.hear(said("Yes, at eight."))
    assert waiting.ended
    metadata = {"session_id": SESSION, "follow_up_polls": 2}
    assert waiting.result() == AIMessage("Yes, at eight.", response_metadata=metadata)


def test_wait_ends_at_its_bound() -> None:
    waiting = Waiting(FollowUpRule(interval=3, max_polls=2), "Is a table free?")
    events = []
    for _ in range(3):
        assert not waiting.ended
        waiting.next_input()
        waiting.hear(said(DEFERRED))
        events.append((waiting.event()["poll"], waiting.event()["next_poll_in"], waiting.seconds))
    assert waiting.ended
    assert events == [(0, 3, 3), (1, 3, 3), (2, None, 0)]
    assert waiting.result().response_metadata == {
        "session_id": SESSION,
        "follow_up_polls": 2,
        "pending": True,
    }


def test_ordinary_answer_is_left_as_it_is() -> None:
    waiting = Waiting(FollowUpRule(), "Hi")
    waiting.next_input()
    answer = said("Hello")
    waiting.hear(answer)
    assert waiting.ended
    assert waiting.result() is answer


def test_sum_chunks_is_heard_as_a_message() -> None:
    waiting = Waiting(FollowUpRule(), "Hi")
    waiting.next_input()
    waiting.hear(AIMessageChunk(content=DEFERRED, response_metadata={"session_id": SESSION}))
    assert type(waiting.next_input()[1]) is AIMessage


@pytest.mark.parametrize(
    ("question", "messages"),
    [
        ("Hi", [HumanMessage("Hi")]),
        ([("system", "Be brief."), "Hi"], [SystemMessage("Be brief."), HumanMessage("Hi")]),
        ([{"role": "user", "content": "Hi"}], [HumanMessage("Hi")]),
        (StringPromptValue(text="Hi"), [HumanMessage("Hi")]),
        (ChatPromptValue(messages=QUESTION), QUESTION),
    ],
)
def test_history_is_read_from_whatever_a_model_takes(
    question: object, messages: list[BaseMessage]
) -> None:
    assert conversation(question) == messages


def test_chain_input_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match=r"got dict.*prompt \| model\.with_follow_up\(\)"):
        conversation({"city": "London"})


async def _async_predicate(message: AIMessage) -> bool:
    return True


class _AsyncPredicate:
    async def __call__(self, message: AIMessage) -> bool:
        return True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("interval", value) for value in (0, -1, math.nan, math.inf, 86_401, True, "5", None)],
        *[("max_polls", value) for value in (0, -1, 1001, 2.0, True, "3", None)],
        *[("message", value) for value in ("", " \n", None, 5)],
        *[("is_pending", value) for value in ("yes", _async_predicate, _AsyncPredicate())],
        ("on_pending", "ignore"),
    ],
)
def test_arguments_are_refused_by_name(name: str, value: object) -> None:
    model = ChatASIOne(api_key="any")
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=rf"^{name} must be .*; got ") as refused:
        model.with_follow_up(**arguments)
    assert repr(value) in str(refused.value)
    with pytest.raises(ValueError, match=rf"^{name} must be "):
        with_follow_up(model, **arguments)


def test_only_a_runnable_can_be_wrapped() -> None:
    wrong: Any = "asi1"
    with pytest.raises(ValueError, match="takes a Runnable such as ChatASIOne; got str"):
        with_follow_up(wrong)


@pytest.mark.parametrize(("interval", "max_polls"), [(0.001, 1), (86_400, 1000)])
def test_limits_are_accepted(interval: float, max_polls: int) -> None:
    patient = ChatASIOne(api_key="any").with_follow_up(interval=interval, max_polls=max_polls)
    assert patient.rule == FollowUpRule(interval, max_polls)


def test_defaults_are_the_documented_ones() -> None:
    patient = ChatASIOne(api_key="any").with_follow_up()
    assert (patient.rule, patient.on_pending) == (
        FollowUpRule(5, 24, None, "Any update?"),
        "return",
    )


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def test_what_is_bound_is_kept() -> None:
    model = ChatASIOne(api_key="any")
    bindings: list[Any] = [
        model.bind(stop=["x"]),
        model.bind_tools([add]),
        model.bind_tools([add, {"type": "web_search"}]),
        model.with_config(tags=["t"]),
        model.with_listeners(on_start=lambda run: None),
        model.with_alisteners(),
        model.bind(stop=["x"]).with_config(tags=["t"]),
        model.bind_tools([add]).with_retry(),
    ]
    for binding in bindings:
        patient = binding.with_follow_up(max_polls=7)
        assert patient == FollowUpRunnable(bound=binding, rule=FollowUpRule(max_polls=7))


def test_tools_can_be_bound_afterwards() -> None:
    model = ChatASIOne(api_key="any")
    patient = model.with_follow_up(max_polls=7, on_pending="raise").bind_tools([add])
    expected = model.bind_tools([add]).with_follow_up(max_polls=7, on_pending="raise")
    assert patient == expected


def test_fallbacks_each_wait() -> None:
    model = ChatASIOne(api_key="any")
    spare = ChatASIOne(model="asi1-mini", api_key="any")
    waiting = model.with_fallbacks([spare]).with_follow_up(max_polls=7)
    assert waiting == model.with_follow_up(max_polls=7).with_fallbacks(
        [spare.with_follow_up(max_polls=7)]
    )


def test_error_holds_the_answer_and_is_not_retryable() -> None:
    assert issubclass(AnswerPendingError, ASIOneError)
    metadata = {"session_id": SESSION, "model_name": "asi1", "follow_up_polls": 2, "pending": True}
    answer = AIMessage(DEFERRED, response_metadata=metadata)
    for error in (
        AnswerPendingError(answer, 2),
        pickle.loads(pickle.dumps(AnswerPendingError(answer, 2))),  # noqa: S301 - our own
    ):
        assert isinstance(error, AnswerPendingError)
        assert (error.answer, error.polls) == (answer, 2)
        assert (error.session_id, error.model, error.partial_text) == (SESSION, "asi1", DEFERRED)
        assert not error.is_retryable
        assert str(error) == (
            "ASI:One has not given its answer yet: after 2 polls it still says \"I've sent the "
            f'message". Ask again later in session {SESSION}, or raise max_polls or interval.'
        )
        assert error.with_partial(text="", thought="") is error


def test_error_shows_little_of_a_long_answer() -> None:
    text = str(AnswerPendingError(said("x" * 10_000), 1))
    assert "x" * 80 + "'…" in text
    assert len(text) < 400
