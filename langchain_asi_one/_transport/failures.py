"""What goes wrong before there is an `ASIOneError`; what error bodies say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import make_text_safe
from langchain_asi_one.errors import ASIOneError

_EXCERPT = 200  # characters of a value that an error message quotes
_MOST_DETAILS = 20  # of the complaints in one error body


class ProtocolError(Exception):
    """An answer cannot be used.

    It becomes an `ASIOneError` once the request is known: one of `error_class`, or of the HTTP
    status that the offending value, `body`, names.
    """

    def __init__(
        self,
        error_class: type[ASIOneError],
        message: str,
        *,
        body: object = None,
        status_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.error_class = error_class
        self.message = message
        self.body = body
        self.status_code = status_code


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


class SetupError(Exception):
    """No client can be built here; the message says what to mend."""


@dataclass(frozen=True)
class ErrorDetail:
    """What the API says about an error."""

    message: str = ""
    code: str | None = None
    param: str | None = None
    type: str | None = None
    status: int | None = None


def read_error(body: object) -> ErrorDetail:
    """Read an error body in any form of ASI:One, gateway or proxy.

    The texts are printable; they are empty where the body says nothing.
    """
    if not isinstance(body, dict):
        return ErrorDetail(message=shorten(body) if isinstance(body, str) else "")
    error = body.get("error")
    if isinstance(error, dict):
        message = _get_text(error.get("message")) or _join_details(error.get("detail"))
        status = error.get("status", error.get("status_code"))
        return ErrorDetail(
            message=message or "",
            code=_get_text(error.get("code")),
            param=_get_text(error.get("param")),
            type=_get_text(error.get("type")),
            status=next((s for s in (status, error.get("code")) if _is_status(s)), None),
        )
    message = (
        _get_text(error) or _join_details(body.get("detail")) or _get_text(body.get("message"))
    )
    status = body.get("status", body.get("status_code"))
    return ErrorDetail(
        message=message or "",
        code=_get_text(body.get("code")),
        status=status if _is_status(status) else None,
    )


def shorten(text: str) -> str:
    """Return the beginning of a text in one printable line."""
    # A character becomes at most ten, and blanks become one.
    line = make_one_line(make_text_safe(text[: 20 * _EXCERPT]))
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def excerpt(value: object) -> str:
    """Quote the beginning of a value for an error message."""
    return repr(shorten(value if isinstance(value, str) else repr(value)))


def _get_text(value: object) -> str | None:
    return shorten(value) if isinstance(value, str) and value.strip() else None


def _join_details(value: object) -> str | None:
    """Read FastAPI's `detail`: a text, or a list of `{loc, msg}`."""
    if isinstance(value, list):
        return shorten("; ".join(map(_read_detail, value[:_MOST_DETAILS])))
    return _get_text(value)


def _read_detail(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = item.get("loc")
    path = ".".join(map(str, place)) if isinstance(place, list) else str(place or "")
    return f"{path}: {item.get('msg')}"


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599
