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

An error holds plain data only (`ErrorInfo`). Its `request` and `response` are rebuilt from that
data without the request's headers and body: neither the error nor its pickle can hold the API key.

A class with a namesake in the SDK or the HTTP libraries has the prefix `ASIOne`. A class that only
this package has (`IncompleteStreamError`, `InvalidResponseError`) has none.

Errors of structured answers are LangChain's own; `_structured_output/failures.py` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

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
from typing_extensions import override

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
    "IncompleteStreamError",
    "InvalidResponseError",
]


@dataclass(frozen=True)
class ErrorInfo:
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
        >>> ErrorInfo(status_code=429, retry_after=2.0).may_have_acted
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
        info: The facts, as plain data.

    Example:
        >>> error = ASIOneError("the call failed", ErrorInfo(model="asi1"))
        >>> error.info.model
        'asi1'
    """

    info: ErrorInfo

    def __init__(self, message: str, info: ErrorInfo | None = None) -> None:
        info = info or ErrorInfo()
        request = http.Request("POST", info.url or "http://unknown.invalid/")
        openai.APIError.__init__(self, message, request, body=info.body)
        self.info = info
        self.code = info.code
        self.param = info.param
        self.type = info.type
        if info.may_have_acted:
            self.is_retryable = False
        if info.status_code is not None:
            # As bytes: a text that is not ASCII would be refused.
            headers = [
                (name.encode(), value.encode(errors="replace"))
                for name, value in info.headers.items()
            ]
            # Not all of the SDK's classes declare these, and those that do declare them apart.
            self.__dict__.update(
                response=http.Response(info.status_code, headers=headers, request=request),
                status_code=info.status_code,
                request_id=info.headers.get("x-request-id"),
            )

    @property
    def model(self) -> str | None:
        """Name of the model asked."""
        return self.info.model

    @property
    def session_id(self) -> str | None:
        """The `x-session-id` of the call."""
        return self.info.session_id

    @property
    def api_message(self) -> str:
        """The API's own words, `""` if it gave none."""
        return self.info.api_message

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the API asks to be called again."""
        return self.info.retry_after

    @property
    def partial_text(self) -> str:
        """Answer text that had arrived before a stream failed."""
        return self.info.partial_text

    @property
    def partial_thought(self) -> str:
        """Reasoning text that had arrived before a stream failed."""
        return self.info.partial_thought

    def with_partial(self, *, text: str, thought: str) -> Self:
        """Return the same error with what had arrived of the answer.

        Args:
            text: Answer text that had arrived.
            thought: Reasoning text that had arrived.

        Returns:
            A new error; this one stays as it is.
        """
        info = replace(self.info, partial_text=text, partial_thought=thought)
        return type(self)(self.message, info)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.info)


_STATUS_CLASSES: dict[int, type[ASIOneStatusError]] = {}


def find_status_class(status: int) -> type[ASIOneStatusError]:
    """Return the class of errors with a status; 500 includes all above."""
    return _STATUS_CLASSES.get(min(status, 500), ASIOneStatusError)


# Of a status that has no class.
_FURTHER_ADVICE = {
    402: "Check the balance of the account at https://asi1.ai.",
    407: "Check the credentials in the address of the proxy.",
    408: "Try again later: a proxy or the API has waited too long.",
}


def find_advice(error_class: type[ASIOneStatusError], status: int) -> str:
    """Return what a user can do about a status of a class."""
    further = _FURTHER_ADVICE if error_class is ASIOneStatusError else {}
    return further.get(status, error_class.advice)


class ASIOneStatusError(ASIOneError, openai.APIStatusError):
    """The API answered with an HTTP status of 300 or above.

    Redirects are not followed.

    An error event of a stream is raised as the class of the status that the event names.

    Source:
        400, 401, 422, 429 and 500 are in ASI:One's API reference of 2025; 403 was seen by
        Fetch.ai's own framework.

    Example:
        >>> error = ASIOneStatusError("a redirect", ErrorInfo(status_code=302))
        >>> error.status_code, error.is_retryable
        (302, False)
    """

    # A further status below 500 needs one subclass here, with its `status` and `advice`.
    advice: ClassVar[str] = "Check the arguments of the request."
    """What a user can do about it."""

    def __init_subclass__(cls, *, status: int | None = None, advice: str = "") -> None:
        super().__init_subclass__()
        if status is not None:
            _STATUS_CLASSES[status] = cls
        if advice:
            cls.advice = advice


class ASIOneBadRequestError(
    ASIOneStatusError,
    openai.BadRequestError,
    ModelInvalidRequestError,
    status=400,
    advice="Check the arguments of the request.",
):
    """400: the API refused the request; `param` may name the field.

    Source:
        The code `unknown_parameter` is that of a public client's test server; an empty body was
        seen by another.

    Example:
        >>> info = ErrorInfo(status_code=400, code="unknown_parameter", param="seed")
        >>> error = ASIOneBadRequestError("refused", info)
        >>> error.param, error.is_retryable
        ('seed', False)
    """


class ASIOneContextOverflowError(
    ASIOneBadRequestError,
    ContextOverflowError,
    status=413,
    advice="Shorten the messages, or ask a model with a larger context.",
):
    """413: the messages do not fit into the model's context.

    It is also raised for a 400 whose text says so.

    Example:
        >>> from langchain_core.exceptions import ContextOverflowError
        >>> issubclass(ASIOneContextOverflowError, ContextOverflowError)
        True
    """


class ASIOneAuthenticationError(
    ASIOneStatusError,
    openai.AuthenticationError,
    ModelAuthenticationError,
    status=401,
    advice="Check the key in ASI_ONE_API_KEY or api_key=; keys are made at https://asi1.ai.",
):
    """401: the API key is missing or not accepted.

    Example:
        >>> ASIOneAuthenticationError("no such key", ErrorInfo(status_code=401)).is_retryable
        False
    """


class ASIOnePermissionDeniedError(
    ASIOneStatusError,
    openai.PermissionDeniedError,
    ModelPermissionDeniedError,
    status=403,
    advice="Check what the account and its key may use at https://asi1.ai.",
):
    """403: the API key may not do this.

    Example:
        >>> ASIOnePermissionDeniedError("not yours", ErrorInfo(status_code=403)).is_retryable
        False
    """


class ASIOneNotFoundError(
    ASIOneStatusError,
    openai.NotFoundError,
    ModelNotFoundError,
    status=404,
    advice="Check base_url and the model name.",
):
    """404: no such model or endpoint.

    Example:
        >>> ASIOneNotFoundError("no such model", ErrorInfo(model="asi2", status_code=404)).model
        'asi2'
    """


class ASIOneUnprocessableError(
    ASIOneStatusError,
    openai.UnprocessableEntityError,
    ModelInvalidRequestError,
    status=422,
    advice="Check the arguments of the request; a missing field or header is named above.",
):
    """422: the gateway could not validate the request.

    Source:
        In ASI:One's API reference of 2025; a public client got it in 2026 for a request without
        `x-session-id`, which every request of this package has.

    Example:
        >>> ASIOneUnprocessableError("no messages", ErrorInfo(status_code=422)).is_retryable
        False
    """


class ASIOneRateLimitError(
    ASIOneStatusError,
    openai.RateLimitError,
    ModelRateLimitError,
    status=429,
    advice="Wait and try again. max_retries= does so for requests that may be sent again.",
):
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


class ASIOneServerError(
    ASIOneStatusError,
    openai.InternalServerError,
    ModelAPIError,
    status=500,
    advice="The fault is on the server's side: try again later.",
):
    """5xx: the fault is on the server's side.

    Example:
        >>> ASIOneServerError("try again", ErrorInfo(status_code=503)).is_retryable
        True
        >>> info = ErrorInfo(status_code=503, may_have_acted=True)  # agents may have been asked
        >>> ASIOneServerError("see the session", info).is_retryable
        False
    """


class ASIOneConnectionError(ASIOneError, openai.APIConnectionError, ModelConnectionError):
    """The API could not be reached, or the connection broke.

    Example:
        >>> ASIOneConnectionError("nobody answers").is_retryable
        True
    """


class IncompleteStreamError(ASIOneConnectionError):
    """A streamed answer broke off; `partial_text` and `partial_thought` hold what came.

    The connection failed, or the stream ended with neither a finish reason nor `[DONE]`.

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

    @override
    def with_partial(self, *, text: str, thought: str) -> Self:
        """Return the same error with what had arrived; say how much."""
        length = len(text) + len(thought)
        known = f"broke off after {length:,} characters"
        twin = super().with_partial(text=text, thought=thought)
        return type(self)(self.message.replace("broke off", known, 1), twin.info)


class ASIOneTimeoutError(ASIOneError, openai.APITimeoutError, ModelTimeoutError):
    """No answer, or no further data of a stream, came within `timeout`.

    Also a 408: a proxy or the API has waited too long.

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
        >>> error = InvalidResponseError("a web page", ErrorInfo(status_code=200, body="<html>"))
        >>> error.info.body
        '<html>'
    """
