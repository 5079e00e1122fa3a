"""`with_follow_up`: its arguments, what is bound, and its error; without a server."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
)

from langchain_asi_one import ChatASIOne
from langchain_asi_one._follow_up.pending_rule import FollowUpRule
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.follow_up import (
    AnswerPendingError,
    FollowUpRunnable,
    with_follow_up,
)
from tests.support.deferred import DEFERRED, SESSION, make_answer


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


def test_defaults_fit_a_plan_of_three_requests_a_minute() -> None:
    patient = ChatASIOne(api_key="any").with_follow_up()
    assert (patient.rule, patient.on_pending) == (
        FollowUpRule(20, 15, None, "Any update?"),
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


def test_what_takes_no_tools_is_named() -> None:
    patient = with_follow_up(ChatASIOne(api_key="any").with_retry())
    with pytest.raises(ValueError, match="RunnableRetry takes no tools: bind them to the model"):
        patient.bind_tools([add])


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
    text = str(AnswerPendingError(make_answer("x" * 10_000), 1))
    assert "x" * 80 + "'…" in text
    assert len(text) < 400
