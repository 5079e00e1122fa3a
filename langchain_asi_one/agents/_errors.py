"""Errors of asking an agent, each an `ASIOneError` without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from langchain_asi_one.errors import ASIOneError, ErrorInfo

TOO_LARGE: Final = "too_large"
"""Code of the error of an answer that has more bytes than are read."""


@dataclass(frozen=True)
class AgentErrorInfo(ErrorInfo):
    """What is known of a question that failed, beside what `ErrorInfo` has.

    Attributes:
        agent: Address of the agent; its handle if that has no address; `""` if it is not about one.
        acknowledged: Whether the agent said that it has the question.
        payment_request: What the agent wants to be paid, as plain data.
    """

    agent: str = ""
    acknowledged: bool = False
    payment_request: Mapping[str, Any] | None = None


class AgentError(ASIOneError):
    """Asking an agent failed, or the mailbox cannot be used.

    `is_retryable` says whether the same question may be asked again: true only if nothing reached
    the agent.

    Example:
        >>> error = AgentError("no mailbox", AgentErrorInfo(status_code=404))
        >>> error.status_code, error.is_retryable
        (404, False)
    """

    info: AgentErrorInfo

    def __init__(self, message: str, info: AgentErrorInfo | None = None) -> None:
        super().__init__(message, info or AgentErrorInfo())

    @property
    def agent(self) -> str:
        """Address of the agent, or its handle; `""` if there is none."""
        return self.info.agent


class AgentUnreachableError(AgentError):
    """No endpoint of the agent took the message.

    If the connection broke after the message was sent, the agent may have it all the same. Then
    `info.may_have_acted` is true, and the error is not retryable.

    Example:
        >>> AgentUnreachableError("nobody answers").is_retryable
        True
        >>> AgentUnreachableError("it broke off", AgentErrorInfo(may_have_acted=True)).is_retryable
        False
    """

    is_retryable = True


class AgentRefusedError(AgentError):
    """The agent answered with an error.

    `api_message` has its own words, which are untrusted.

    Example:
        >>> AgentRefusedError("refused", AgentErrorInfo(api_message="out of credit")).api_message
        'out of credit'
    """


class AgentTimeoutError(AgentError):
    """The question was delivered, and no answer came in time.

    Example:
        >>> AgentTimeoutError("no answer", AgentErrorInfo(acknowledged=True)).acknowledged
        True
    """

    @property
    def acknowledged(self) -> bool:
        """Whether the agent said that it has the question."""
        return self.info.acknowledged


class AgentPaymentRequiredError(AgentError):
    """The agent asks for a payment first; this package never pays.

    Example:
        >>> funds = [{"amount": "0.1", "currency": "FET", "payment_method": "fet_direct"}]
        >>> info = AgentErrorInfo(payment_request={"accepted_funds": funds, "recipient": "fetch1q"})
        >>> AgentPaymentRequiredError("pay first", info).payment_request["recipient"]
        'fetch1q'
    """

    @property
    def payment_request(self) -> Mapping[str, Any]:
        """What the agent wants to be paid, as sent and untrusted."""
        return self.info.payment_request or {}
