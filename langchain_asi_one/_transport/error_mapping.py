"""From what went wrong on the wire to the error that is raised: pure, without I/O.

Error bodies of ASI:One are documented only in part and contradict each other (an `error` object,
a string, an empty one, FastAPI's `detail`), so every form is read and none is required.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time
from typing import Any

from langchain_asi_one import errors
from langchain_asi_one._json.safe import json_safe, loads, safe_text
from langchain_asi_one._transport.decoders import ErrorDetail, ProtocolError, read_error
from langchain_asi_one.errors import ASIOneError, ASIOneStatusError, ErrorInfo

_KEPT_HEADERS = re.compile(r"content-type|location|retry-after|x-request-id|.*ratelimit.*")
_CONTEXT_OVERFLOW = re.compile(
    r"context[ _](length|window)|maximum context|prompt is too long", re.IGNORECASE
)

# For a status that has no class.
_ADVICE = {402: "Check the balance of the account at https://asi1.ai."}


@dataclass(frozen=True)
class RequestContext:
    """What an error tells of the call it belongs to.

    Attributes:
        url: Where the request goes.
        model: Name of the model asked.
        session_id: The `x-session-id` of the call.
        secrets: Texts that must not appear in an error.
        agentic: Whether the request can make agents act.
    """

    url: str
    model: str | None
    session_id: str | None
    secrets: Collection[str] = ()
    agentic: bool = False


def status_error(
    status_code: int, headers: Mapping[str, str], content: bytes, context: RequestContext
) -> ASIOneError:
    """Make the error for an HTTP status that means failure.

    Args:
        status_code: 300 to 599.
        headers: The answer's headers.
        content: The answer's body.
        context: The call.

    Returns:
        The error, not raised.
    """
    # Before anything is shortened: half a key would not be recognised.
    body = _redact_json(_read_body(content), context.secrets)
    detail = read_error(body)
    kept = {
        name.lower(): _redact(value, context.secrets)
        for name, value in headers.items()
        if _KEPT_HEADERS.fullmatch(name.lower())
    }
    retry_after = _retry_after(kept.get("retry-after"))
    said = detail.message
    if _is_html(content):
        said = "an HTML page, not an answer of the API (is a proxy in between?)"
    advice = _status_advice(status_code, detail, kept, retry_after)
    if context.agentic and status_code >= 500:
        advice += _NOT_RESENT
    return _build(
        _status_class(status_code, detail),
        f"ASI:One answered {_status_name(status_code)}: {said or 'no explanation'}",
        advice,
        context,
        detail,
        status_code=status_code,
        headers=kept,
        body=body,
        retry_after=retry_after,
        may_have_acted=context.agentic and status_code >= 500,
    )


def transport_error(
    reason: Exception, context: RequestContext, *, timeout: object = None
) -> ASIOneError:
    """Make the error for a connection that failed or timed out.

    Args:
        reason: What the HTTP library raised.
        context: The call.
        timeout: The time limit in force, if it was exceeded.

    Returns:
        The error, not raised.
    """
    what = f"{type(reason).__name__}: {reason}" if str(reason) else type(reason).__name__
    if timeout is not None:
        error_class: type[ASIOneError] = errors.ASIOneTimeoutError
        message = f"ASI:One sent nothing within the timeout of {_seconds(timeout)} ({what})"
        advice = "Raise timeout=, or stream the answer so that it arrives in pieces."
    else:
        error_class = errors.ASIOneConnectionError
        message = f"The connection to {context.url} failed ({what})"
        advice = "Check the network and base_url."
    if context.agentic:
        advice += _NOT_RESENT
    return _build(error_class, message, advice, context, may_have_acted=context.agentic)


def wire_error(fault: ProtocolError, context: RequestContext) -> ASIOneError:
    """Make the error for an answer that is not what it should be.

    Args:
        fault: What was found.
        context: The call.

    Returns:
        The error, not raised.
    """
    body = _redact_json(json_safe(fault.body), context.secrets)
    detail = read_error(body)
    error_class, status_code = fault.error_class, fault.status_code
    advice = "Try again; if it stays, report it with the session id."
    if status_code is not None:
        error_class = _status_class(status_code, detail)
        advice = _status_advice(status_code, detail, {}, None)
    elif issubclass(error_class, ASIOneStatusError):
        error_class = ASIOneError
    if context.agentic:
        advice += _NOT_RESENT
    return _build(
        error_class,
        fault.message,
        advice,
        context,
        detail,
        status_code=status_code if status_code is not None else 200,
        body=body,
        may_have_acted=context.agentic,
    )


_NOT_RESENT = " The request could make agents act, so it was not sent again by itself."


def _build(
    error_class: type[ASIOneError],
    message: str,
    advice: str,
    context: RequestContext,
    detail: ErrorDetail | None = None,
    **known: Any,
) -> ASIOneError:
    detail = detail or ErrorDetail()
    failure = ErrorInfo(
        url=context.url,
        api_message=detail.message,
        code=detail.code,
        param=detail.param,
        type=detail.type,
        model=context.model,
        session_id=context.session_id,
        **known,
    )
    text = (
        f"{message.rstrip('.')}. {advice} (model {context.model!r}, session {context.session_id!r})"
    )
    return error_class(_redact(text, context.secrets), failure)


def _status_class(status_code: int, detail: ErrorDetail) -> type[ASIOneStatusError]:
    if status_code == 400 and _CONTEXT_OVERFLOW.search(f"{detail.message} {detail.code}"):
        return errors.ASIOneContextOverflowError
    return errors.status_class(status_code)


def _status_advice(
    status_code: int, detail: ErrorDetail, headers: Mapping[str, str], retry_after: float | None
) -> str:
    if status_code < 400:
        target = headers.get("location", "an unnamed place")
        return f"It redirects to {target!r}; redirects are not followed. Set base_url if it moved."
    if detail.param and detail.code == "unknown_parameter":
        return f"The API does not know the field {detail.param!r}: remove it."
    if detail.param:
        return f"The API refuses the value of {detail.param!r}: change it."
    if status_code == 429 and retry_after is not None:
        return f"Try again in {retry_after:g} s."
    return _ADVICE.get(status_code) or _status_class(status_code, detail).advice


def _read_body(content: bytes) -> object:
    try:
        return loads(content)
    except ValueError:
        return safe_text(content.decode("utf-8", "replace"))


def _is_html(content: bytes) -> bool:
    return content.lstrip()[:15].lower().startswith((b"<!doctype", b"<html"))


# Phrases of RFC 9110. Python has them since 3.13; the text of an error is the same on each Python.
_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def _status_name(status_code: int) -> str:
    try:
        phrase = _PHRASES.get(status_code) or HTTPStatus(status_code).phrase
    except ValueError:
        return str(status_code)
    return f"{status_code} {phrase}"


def _retry_after(value: str | None) -> float | None:
    """Seconds of a `Retry-After` header: a number, or an HTTP date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (TypeError, ValueError):
        return None


def _seconds(timeout: object) -> str:
    return f"{timeout:g} s" if isinstance(timeout, int | float) else str(timeout)


def _redact(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
            # An excerpt may end within it.
            for length in range(len(secret) - 1, 5, -1):
                text = text.replace(f"{secret[:length]}…", "***…")
    return text


def _redact_json(value: Any, secrets: Collection[str]) -> Any:
    if isinstance(value, str):
        return _redact(value, secrets)
    if isinstance(value, list):
        return [_redact_json(item, secrets) for item in value]
    if isinstance(value, dict):
        return {_redact(k, secrets): _redact_json(v, secrets) for k, v in value.items()}
    return value
