"""Errors of this package.

Every class is LangChain's (`langchain_core.exceptions.ModelError`, with `is_retryable`) and the
SDK's at once, so `except` clauses and retry or fallback rules written for either keep working::

    langchain_asi_one.errors             openai                      langchain_core.exceptions

    ASIOneError                          APIError                    ModelError
    ├── ASIOneStatusError                APIStatusError              ModelError
    │   ├── ASIOneBadRequestError        BadRequestError             ModelInvalidRequestError
    │   │   └── ASIOneContextOverflowError                           ContextOverflowError
    │   ├── ASIOneAuthenticationError    AuthenticationError         ModelAuthenticationError
    │   ├── ASIOnePermissionDeniedError  PermissionDeniedError       ModelPermissionDeniedError
    │   ├── ASIOneNotFoundError          NotFoundError               ModelNotFoundError
    │   ├── ASIOneUnprocessableError     UnprocessableEntityError    ModelInvalidRequestError
    │   ├── ASIOneRateLimitError         RateLimitError              ModelRateLimitError
    │   └── ASIOneServerError            InternalServerError         ModelAPIError
    ├── ASIOneConnectionError            APIConnectionError          ModelConnectionError
    │   └── IncompleteStreamError                                    (the answer broke off)
    ├── ASIOneTimeoutError               APITimeoutError             ModelTimeoutError
    └── InvalidResponseError             APIResponseValidationError  ModelAPIError

An error holds plain data only (`Failure`). Its `request` and `response` are rebuilt from that data
without the request's headers and body, so neither the error nor its pickle can carry the API key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import openai
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from langchain_asi_one._httpx_compat import http

__all__ = [
    "ASIOneAuthenticationError",
    "ASIOneBadRequestError",
    "ASIOneConnectionError",
    "ASIOneContextOverflowError",
    "ASIOneError",
    "ASIOneNotFoundError",
    "ASIOnePermissionDeniedError",
    "ASIOneRateLimitError",
    "ASIOneServerError",
    "ASIOneStatusError",
    "ASIOneTimeoutError",
    "ASIOneUnprocessableError",
    "Failure",
    "IncompleteStreamError",
    "InvalidResponseError",
]


@dataclass(frozen=True)
class Failure:
    """What is known of a failed call, as plain data without secrets.

    Attributes:
        url: Where the request went.
        status_code: HTTP status, or `None` when no answer came.
        headers: The answer's headers that help (content type, retry and rate-limit, request id).
        body: The answer's body, as JSON or text.
        api_message: The API's own words.
        code: The API's error code, such as `unknown_parameter`.
        param: The request field that the API complained of.
        type: The API's error type, such as `invalid_request_error`.
        retry_after: Seconds after which the API asks to be called again.
        model: Name of the model asked.
        session_id: The `x-session-id` of the call.
        may_have_acted: The request could make agents act and may have reached the server, so it
            must not be sent again unasked; such an error is never `is_retryable`.
        partial_text: Answer text that had arrived before a stream failed.
        partial_thought: Reasoning text that had arrived before a stream failed.

    Source:
        The members of an `error` body are those that a public client reports. The names of
        rate-limit headers are not published; those that clients look for are kept.

    Example:
        >>> Failure(status_code=429, retry_after=2.0).may_have_acted
        False
    """

    url: str = ""
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    api_message: str = ""
    code: str | None = None
    param: str | None = None
    type: str | None = None
    retry_after: float | None = None
    model: str | None = None
    session_id: str | None = None
    may_have_acted: bool = False
    partial_text: str = ""
    partial_thought: str = ""


class ASIOneError(openai.APIError, ModelError):
    """A call of ASI:One failed.

    Args:
        message: What happened, with which value, and what to do next.
        failure: The facts, as plain data.

    Example:
        >>> error = ASIOneError("the call failed", Failure(model="asi1"))
        >>> error.failure.model
        'asi1'
    """

    failure: Failure

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        failure = failure or Failure()
        request = http.Request("POST", failure.url or "http://unknown.invalid/")
        openai.APIError.__init__(self, message, request, body=failure.body)
        self.failure = failure
        self.code = failure.code
        self.param = failure.param
        self.type = failure.type
        if failure.may_have_acted:
            self.is_retryable = False
        if failure.status_code is not None:
            # Not all of the SDK's classes declare these, and those that do declare them apart.
            self.__dict__.update(
                response=http.Response(
                    failure.status_code, headers=dict(failure.headers), request=request
                ),
                status_code=failure.status_code,
                request_id=failure.headers.get("x-request-id"),
            )

    @property
    def model(self) -> str | None:
        """Name of the model asked."""
        return self.failure.model

    @property
    def session_id(self) -> str | None:
        """The `x-session-id` of the call."""
        return self.failure.session_id

    @property
    def api_message(self) -> str:
        """The API's own words, `""` if it gave none."""
        return self.failure.api_message

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the API asks to be called again."""
        return self.failure.retry_after

    @property
    def partial_text(self) -> str:
        """Answer text that had arrived before a stream failed."""
        return self.failure.partial_text

    @property
    def partial_thought(self) -> str:
        """Reasoning text that had arrived before a stream failed."""
        return self.failure.partial_thought

    def with_partial(self, *, text: str, thought: str) -> Self:
        """Return the same error with what had arrived of the answer.

        Args:
            text: Answer text that had arrived.
            thought: Reasoning text that had arrived.

        Returns:
            A new error; this one stays as it is.
        """
        failure = replace(self.failure, partial_text=text, partial_thought=thought)
        return type(self)(self.message, failure)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.failure)


class ASIOneStatusError(ASIOneError, openai.APIStatusError):
    """The API answered with an HTTP status that means failure (also a redirect: none is followed).

    An error event inside a stream that began with status 200 is raised as the class of the status
    that the event names.

    Source:
        400, 401, 422, 429 and 500 are in ASI:One's API reference of 2025; 403 was seen by
        Fetch.ai's own framework.

    Example:
        >>> error = ASIOneStatusError("a redirect", Failure(status_code=302))
        >>> error.status_code, error.is_retryable
        (302, False)
    """


class ASIOneBadRequestError(ASIOneStatusError, openai.BadRequestError, ModelInvalidRequestError):
    """400: the API refused the request; `param` names the field if the API did.

    Source:
        The code `unknown_parameter` is that of a public client's test server; an empty body was
        seen by another.

    Example:
        >>> failure = Failure(status_code=400, code="unknown_parameter", param="seed")
        >>> error = ASIOneBadRequestError("refused", failure)
        >>> error.param, error.is_retryable
        ('seed', False)
    """


class ASIOneContextOverflowError(ASIOneBadRequestError, ContextOverflowError):
    """400: the messages do not fit into the model's context.

    Example:
        >>> from langchain_core.exceptions import ContextOverflowError
        >>> issubclass(ASIOneContextOverflowError, ContextOverflowError)
        True
    """


class ASIOneAuthenticationError(
    ASIOneStatusError, openai.AuthenticationError, ModelAuthenticationError
):
    """401: the API key is missing or not accepted.

    Example:
        >>> ASIOneAuthenticationError("no such key", Failure(status_code=401)).is_retryable
        False
    """


class ASIOnePermissionDeniedError(
    ASIOneStatusError, openai.PermissionDeniedError, ModelPermissionDeniedError
):
    """403: the API key may not do this.

    Example:
        >>> ASIOnePermissionDeniedError("not yours", Failure(status_code=403)).is_retryable
        False
    """


class ASIOneNotFoundError(ASIOneStatusError, openai.NotFoundError, ModelNotFoundError):
    """404: no such model or endpoint.

    Example:
        >>> ASIOneNotFoundError("no such model", Failure(model="asi2", status_code=404)).model
        'asi2'
    """


class ASIOneUnprocessableError(
    ASIOneStatusError, openai.UnprocessableEntityError, ModelInvalidRequestError
):
    """422: the gateway could not validate the request.

    Source:
        In ASI:One's API reference of 2025; a public client got it in 2026 for a request without
        `x-session-id`, which every request of this package has.

    Example:
        >>> ASIOneUnprocessableError("no messages", Failure(status_code=422)).is_retryable
        False
    """


class ASIOneRateLimitError(ASIOneStatusError, openai.RateLimitError, ModelRateLimitError):
    """429: rate limit or quota exhausted; see `retry_after`.

    Source:
        ASI:One's documentation: limits count tokens and requests, the numbers are in the wallet
        page of an account, and clients are to wait longer each time.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any", max_retries=0)
        ...     try:
        ...         model.invoke("Hello [fault: http_429 retry_after=2]")
        ...     except ASIOneRateLimitError as error:
        ...         print("again in", error.retry_after, "s")
        again in 2.0 s
    """


class ASIOneServerError(ASIOneStatusError, openai.InternalServerError, ModelAPIError):
    """5xx: the fault is on the server's side.

    Example:
        >>> ASIOneServerError("try again", Failure(status_code=503)).is_retryable
        True
        >>> failure = Failure(status_code=503, may_have_acted=True)  # agents may have been asked
        >>> ASIOneServerError("see the session", failure).is_retryable
        False
    """


class ASIOneConnectionError(ASIOneError, openai.APIConnectionError, ModelConnectionError):
    """The API could not be reached, or the connection broke.

    Example:
        >>> ASIOneConnectionError("nobody answers").is_retryable
        True
    """


class IncompleteStreamError(ASIOneConnectionError):
    """A stream ended with neither a finish reason nor `[DONE]`; `partial_text` holds what came.

    Source:
        The recorded stream of 2025 ends with both; Fetch.ai's own client takes a cut stream for a
        whole answer.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any", max_retries=0)
        ...     try:
        ...         list(model.stream("Hello [fault: truncated_stream]"))
        ...     except IncompleteStreamError as error:
        ...         print(error.partial_thought != "")
        True
    """


class ASIOneTimeoutError(ASIOneError, openai.APITimeoutError, ModelTimeoutError):
    """No answer, or no further data of a stream, came within `timeout`.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     model = ChatASIOne(base_url=server.base_url, api_key="any", max_retries=0)
        ...     try:
        ...         model.invoke("[fault: stall seconds=5]", timeout=0.1)
        ...     except ASIOneTimeoutError as error:
        ...         print(error.is_retryable)
        True
    """


class InvalidResponseError(ASIOneError, openai.APIResponseValidationError, ModelAPIError):
    """The API answered with something that is not a chat completion.

    Example:
        >>> error = InvalidResponseError("a web page", Failure(status_code=200, body="<html>"))
        >>> error.failure.body
        '<html>'
    """
