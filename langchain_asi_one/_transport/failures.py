"""From what went wrong to the error that is raised: no I/O.

Error bodies of ASI:One are documented only in part and contradict each other (an `error` object,
a string, an empty one, FastAPI's `detail`), so every form is read and none is required.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from time import time
from typing import Any

from langchain_asi_one import errors
from langchain_asi_one._httpx_compat import (
    list_connect_errors,
    list_timeout_errors,
    list_transport_errors,
)
from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import loads, make_json_safe, make_text_safe
from langchain_asi_one._response.reader import AnswerReader
from langchain_asi_one._transport.connections import SetupError
from langchain_asi_one._transport.decoders import ErrorDetail, ProtocolError, read_error, shorten
from langchain_asi_one.errors import ASIOneError, ASIOneStatusError, ErrorInfo

# LiteLLM's proxy puts `llm_provider-` before the names of headers that it passes on.
_KEPT_HEADERS = re.compile(
    r"content-type|location|(llm_provider-)?retry-after|x-request-id|.*ratelimit.*"
)
_CONTEXT_OVERFLOW = re.compile(
    r"context[ _](length|window)|maximum context|prompt is too long", re.IGNORECASE
)
_KEPT_BODY = 8192  # characters of a body that an error keeps
_KEPT_HEADER = 500  # characters of a header's value


class StatusError(Exception):
    """A response's status is 300 or above; `content` begins its body."""

    def __init__(self, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        super().__init__(status_code)
        self.status_code = status_code
        self.headers = headers
        self.content = content


class DeadlineError(Exception):
    """The deadline of a request has passed."""


class IdleError(Exception):
    """Nothing that says anything came for some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(frozen=True)
class RequestContext:
    """What an error says about its request.

    Attributes:
        url: Where the request goes.
        base_url: The part of it that the user sets.
        model: Name of the model asked.
        session_id: The `x-session-id` header.
        secrets: Texts that must not appear in an error, by `spell_secrets`.
        agentic: Whether the request can make agents act.
        proxy: The proxy on the way, without credentials; `""` for none.
        timeouts: Seconds for `connect`, `read`, `write` and `pool`.
        deadline: The deadline in seconds, if it has passed.
        begun: Whether chunks of the answer have arrived.
    """

    url: str
    base_url: str
    model: object
    session_id: str | None
    secrets: Collection[str] = field(default=(), repr=False)
    agentic: bool = False
    proxy: str = ""
    timeouts: Mapping[str, float | None] = field(default_factory=dict)
    deadline: float | None = None
    begun: bool = False


def was_sent(reason: BaseException) -> bool:
    """Return whether the request may have reached the server."""
    return not isinstance(reason, (SetupError, *list_connect_errors()))


def map_error(reason: Exception, context: RequestContext) -> ASIOneError:
    """Make the error for whatever went wrong; do not raise it.

    It holds nothing of `reason` but text without secrets.
    """
    try:
        return _map_error(reason, context)
    except Exception as failed:  # noqa: BLE001 - whatever an answer holds, the user gets our error
        message = (
            f"The request failed ({type(reason).__name__}), and so did the description of its "
            f"error ({type(failed).__name__}). Please report this."
        )
        acted = context.agentic and was_sent(reason)
        return ASIOneError(message, ErrorInfo(url=context.url, may_have_acted=acted))


def _map_error(reason: Exception, context: RequestContext) -> ASIOneError:
    if isinstance(reason, ASIOneError):
        return reason
    if isinstance(reason, StatusError):
        return map_status(reason.status_code, reason.headers, reason.content, context)
    if isinstance(reason, ProtocolError):
        return map_protocol_error(reason, context)
    return _map_transport_error(reason, context)


def map_status(
    status_code: int, headers: Mapping[str, str], content: bytes, context: RequestContext
) -> ASIOneError:
    """Make the error for an HTTP status of 300 or above."""
    # Before anything is shortened: half a key would not be recognised.
    body = _redact_json(_read_body(content), context.secrets)
    detail = read_error(body)
    kept = {
        name.lower(): make_one_line(_redact(value, context.secrets))[:_KEPT_HEADER]
        for name, value in headers.items()
        if _KEPT_HEADERS.fullmatch(name.lower())
    }
    waits = kept.get("retry-after") or kept.get("llm_provider-retry-after")
    retry_after = _read_retry_after(waits)
    said = detail.message
    if _is_html(content):
        said = "an HTML page, not an answer of the API (is a proxy in between?)"
    advice = _advise_on_status(status_code, detail, kept, retry_after)
    if status_code == 404 and not context.base_url.endswith("/v1"):
        advice += " The base_url does not end in '/v1'; that of ASI:One does."
    return _build(
        _find_class(status_code, detail),
        f"ASI:One answered {_name_status(status_code)}: {said or 'no explanation'}",
        advice,
        context,
        detail,
        status_code=status_code,
        headers=kept,
        body=_cut_body(body),
        retry_after=retry_after,
        may_have_acted=context.agentic and status_code >= 500,
    )


def map_protocol_error(reason: ProtocolError, context: RequestContext) -> ASIOneError:
    """Make the error for an answer that cannot be used."""
    body = _redact_json(make_json_safe(reason.body), context.secrets)
    detail = read_error(body)
    answer = AnswerReader(streamed=False)
    if isinstance(body, dict):
        answer.feed(body)
    error_class, status_code = reason.error_class, reason.status_code
    advice = "Try again; if it stays, report it with the session id."
    if status_code is not None:
        error_class = _find_class(status_code, detail)
        advice = _advise_on_status(status_code, detail, {}, None)
    elif issubclass(error_class, ASIOneStatusError):
        error_class = ASIOneError
    return _build(
        error_class,
        reason.message,
        advice,
        context,
        detail,
        status_code=status_code if status_code is not None else 200,
        body=_cut_body(body),
        may_have_acted=context.agentic,
        partial_text=answer.text,
        partial_thought=answer.thought,
    )


def _map_transport_error(reason: Exception, context: RequestContext) -> ASIOneError:
    kind = type(reason).__name__
    what = f"{kind}: {shorten(str(reason))}" if str(reason) else kind
    error_class: type[ASIOneError] = errors.ASIOneConnectionError
    advice = "Check the network, a firewall, the proxy settings and base_url."
    sent = was_sent(reason)
    timed_out = isinstance(reason, list_timeout_errors())
    if context.deadline is not None and (timed_out or isinstance(reason, DeadlineError)):
        error_class = errors.ASIOneTimeoutError
        message = f"The answer was not complete within the deadline of {context.deadline:g} s"
        advice = "Raise deadline=, or ask for less."
    elif isinstance(reason, SetupError):
        message, advice = f"No connection to {context.url} was made: {reason}", "Mend the variable."
    elif isinstance(reason, IdleError):
        error_class = errors.ASIOneTimeoutError
        message = f"ASI:One said nothing new for {reason.seconds:g} s"
        advice = "Raise timeout=, or ask for less."
    elif timed_out:
        error_class = errors.ASIOneTimeoutError
        limit = _read_limit(kind, context)
        if sent:
            message = f"ASI:One sent nothing within the timeout of {limit} ({what})"
            advice = "Raise timeout=, or stream the answer so that it arrives in pieces."
        else:
            message = f"Could not connect to {context.url} within {limit} ({what})"
    elif not sent:
        message = f"Could not connect to {context.url} ({what})"
    elif context.begun:
        error_class = errors.IncompleteStreamError
        message = f"ASI:One's answer broke off: the connection to {context.url} failed ({what})"
        advice = "Try again; if it stays, check the network and any proxy."
    elif isinstance(reason, list_transport_errors()):
        message = f"The connection to {context.url} failed ({what})"
        advice = "Check the network and base_url."
    else:
        error_class = ASIOneError
        message = f"The request failed in an unexpected way ({what})"
        advice = "If you gave an HTTP client of your own, check it; else please report this."
    return _build(error_class, message, advice, context, may_have_acted=context.agentic and sent)


def _read_limit(kind: str, context: RequestContext) -> str:
    name = next((n for n in context.timeouts if kind.lower().startswith(n)), "read")
    limit = context.timeouts.get(name)
    return "the time limit" if limit is None else f"{limit:g} s"


def _build(
    error_class: type[ASIOneError],
    message: str,
    advice: str,
    context: RequestContext,
    detail: ErrorDetail | None = None,
    **known: Any,
) -> ASIOneError:
    detail = detail or ErrorDetail()
    model = context.model if isinstance(context.model, str) else None
    info = ErrorInfo(
        url=context.url,
        api_message=_redact_excerpt(detail.message, context.secrets),
        code=detail.code,
        param=detail.param,
        type=detail.type,
        model=model,
        session_id=context.session_id,
        **known,
    )
    if info.may_have_acted:
        advice += " The request could make agents act, so it was not sent again by itself."
    way = f", through the proxy {context.proxy}" if context.proxy else ""
    about = f"model {model!r}, session {context.session_id!r}{way}"
    text = f"{message.rstrip('.')}. {advice} ({about})"
    return error_class(_redact_excerpt(text, context.secrets), info)


def _find_class(status_code: int, detail: ErrorDetail) -> type[ASIOneError]:
    if status_code == 408:
        return errors.ASIOneTimeoutError
    return _find_status_class(status_code, detail)


def _find_status_class(status_code: int, detail: ErrorDetail) -> type[ASIOneStatusError]:
    if status_code == 400 and _CONTEXT_OVERFLOW.search(f"{detail.message} {detail.code}"):
        return errors.ASIOneContextOverflowError
    return errors.find_status_class(status_code)


def _advise_on_status(
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
    return errors.find_advice(_find_status_class(status_code, detail), status_code)


def _read_body(content: bytes) -> object:
    try:
        return loads(content)
    except ValueError:
        return make_text_safe(content.decode("utf-8", "replace"))


def _cut_body(body: Any) -> Any:
    """Return a body, or the beginning of its text if long."""
    text = body if isinstance(body, str) else json.dumps(body)
    return body if len(text) <= _KEPT_BODY else f"{text[:_KEPT_BODY]}…"


def _is_html(content: bytes) -> bool:
    return content.lstrip()[:15].lower().startswith((b"<!doctype", b"<html"))


# Phrases of RFC 9110. Python has them since 3.13; the text of an error is the same on each Python.
_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def _name_status(status_code: int) -> str:
    try:
        phrase = _PHRASES.get(status_code) or HTTPStatus(status_code).phrase
    except ValueError:
        return str(status_code)
    return f"{status_code} {phrase}"


def _read_retry_after(value: str | None) -> float | None:
    """Read the seconds of a `Retry-After` header: a number, or a date."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time()
        except (TypeError, ValueError, OverflowError, IndexError):
            return None
    return max(0.0, seconds) if isfinite(seconds) else None


def spell_secrets(secrets: Iterable[str]) -> tuple[str, ...]:
    """Return secrets and how texts may spell them, the longest first."""
    spellings = set(secrets)
    for _ in range(2):  # a value within a quoted value
        spellings |= {make_one_line(text) for text in spellings}
        spellings |= {repr(text)[1:-1] for text in spellings}
        spellings |= {json.dumps(text)[1:-1] for text in spellings}
    return tuple(sorted(spellings, key=len, reverse=True))


def _redact(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _redact_excerpt(text: str, secrets: Collection[str]) -> str:
    """Redact a text whose excerpts may end within a secret."""
    text = _redact(text, secrets)
    for secret in secrets:
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
