"""Errors of asking agents: of the package's family, whole after a pickle."""

from __future__ import annotations

import pickle

import pytest

from langchain_asi_one.agents import (
    AgentError,
    AgentPaymentRequiredError,
    AgentRefusedError,
    AgentTimeoutError,
    AgentUnreachableError,
)
from langchain_asi_one.agents._errors import AgentErrorInfo
from langchain_asi_one.errors import ASIOneError

CLASSES = [
    AgentError,
    AgentPaymentRequiredError,
    AgentRefusedError,
    AgentTimeoutError,
    AgentUnreachableError,
]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_is_whole_after_a_pickle(kind: type[AgentError]) -> None:
    funds = {"accepted_funds": [{"amount": "0.1", "currency": "FET"}]}
    info = AgentErrorInfo(
        agent="agent1q",
        session_id="s-1",
        acknowledged=True,
        payment_request=funds,
        api_message="no",
        partial_text="so far",
    )
    error = pickle.loads(pickle.dumps(kind("it failed", info)))  # noqa: S301 - made above
    assert type(error) is kind
    assert isinstance(error, ASIOneError)
    assert str(error) == "it failed"
    assert error.info == info
    assert (error.agent, error.session_id) == ("agent1q", "s-1")
    assert (error.api_message, error.partial_text) == ("no", "so far")
    if isinstance(error, AgentTimeoutError):
        assert error.acknowledged
    if isinstance(error, AgentPaymentRequiredError):
        assert error.payment_request == funds


@pytest.mark.parametrize("kind", CLASSES)
def test_only_what_reached_nobody_may_be_asked_again(kind: type[AgentError]) -> None:
    assert kind("it failed").is_retryable is (kind is AgentUnreachableError)
    assert kind("it failed", AgentErrorInfo(may_have_acted=True)).is_retryable is False
