"""Checks of where requests go and with what: pure.

No error holds a secret.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Mapping
from ipaddress import ip_address
from math import inf
from typing import Any, Final, Protocol, get_args
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

_TYPES = frozenset(get_args(ErrorType))
_MOST_SECONDS = 10**9  # 31 years; a socket takes no more than ten times that
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"([!-~]([ -~]*[!-~])?)?")
_TAKEN_HEADERS = {
    "authorization": "api_key=",
    "x-session-id": "session_id=",
    "content-type": "nothing: the body is JSON",
    "content-length": "nothing: it is counted",
    "transfer-encoding": "nothing: the body is sent whole",
}
# What stands between the user's code and ours.
_INSIDE: Final = frozenset(
    (
        *("langchain_asi_one", "langchain_core", "langchain_openai", "langchain", "langgraph"),
        *("pydantic", "contextlib"),
    )
)


class Timeout(Protocol):
    """A timeout object of the HTTP library: `httpx2.Timeout` or `httpx.Timeout`."""

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None


def drop_inputs(error: ValidationError) -> ValidationError:
    """Make the same error without the refused values.

    These may hold a key or a header.
    """
    lines = [_drop_input(line) for line in error.errors(include_url=False, include_input=False)]
    return ValidationError.from_exception_data(error.title, lines, hide_input=True)


def _drop_input(line: ErrorDetails) -> InitErrorDetails:
    """Make a line without its input.

    Before 2.14, pydantic can unpickle its own types only.
    """
    kind, context = line["type"], line.get("ctx", {})
    if kind not in _TYPES:
        # The message is complete; as a template it would be filled in again.
        custom = PydanticCustomError(kind, "{text}", {"text": line["msg"]})
        return InitErrorDetails(type=custom, loc=line["loc"], input=None)
    # An exception is made anew: with its frames it would keep the values in them.
    texts = {
        name: ValueError(str(value)) if isinstance(value, Exception) else value
        for name, value in context.items()
    }
    return InitErrorDetails(type=kind, loc=line["loc"], input=None, ctx=texts)


def check_api_key(key: SecretStr | None, *, name: str = "api_key") -> SecretStr | None:
    """Check that a key can be sent; drop blanks around it.

    A blank one becomes `None`. `name` says where the key comes from.

    Raises:
        ValueError: If a character in it cannot be sent in a header.
    """
    text = key.get_secret_value().strip() if key is not None else ""
    if not text:
        return None
    for position, character in enumerate(text):
        if not "!" <= character <= "~":
            msg = (
                f"The API key in {name} cannot be sent: its character {position + 1} is "
                f"{'a blank' if character.isspace() else 'no printable ASCII'}. Copy the key alone "
                "from https://asi1.ai, without 'Bearer'."
            )
            raise ValueError(msg)
    return SecretStr(text)


def check_base_url(url: str, *, name: str = "base_url") -> str:
    """Check an http or https address; drop a slash at its end.

    `name` says where the address comes from.

    Raises:
        ValueError: If it is no such address, or ends in `/chat/completions`.
    """
    parts = urlsplit(url.strip())
    try:
        port_is_sound = parts.port is None or parts.port > 0
    except ValueError:
        port_is_sound = False
    if "@" in url or parts.query or parts.fragment:
        # First, as the others quote the address.
        msg = f"{name} must not hold credentials, a query or a fragment."
        raise ValueError(msg)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_sound:
        msg = f"{name} must be like 'https://api.asi1.ai/v1'; got {url!r}."
        raise ValueError(msg)
    path = parts.path.rstrip("/")
    if path.endswith("/chat/completions"):
        msg = f"{name} ends before '/chat/completions', which is added to it; got {url!r}."
        raise ValueError(msg)
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        msg = f"The API key will be sent unencrypted to {parts.hostname!r}; use https."
        warn_caller(msg, UserWarning)
    return parts._replace(path=path).geturl()


def check_headers(headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Refuse default headers that have a field of their own.

    Raises:
        ValueError: Naming the header and the field to use.
    """
    lower = [name.lower() for name in headers or {}]
    if twice := next((name for name in lower if lower.count(name) > 1), None):
        msg = f"The header {twice!r} is in default_headers twice, in two spellings: give one."
        raise ValueError(msg)
    for name, value in (headers or {}).items():
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            msg = (
                f"The header {name!r} in default_headers cannot be sent: a name is letters, digits "
                f"and hyphens, a value printable ASCII without blanks or line ends around it."
            )
            raise ValueError(msg)
        if instead := _TAKEN_HEADERS.get(name.lower()):
            msg = f"The header {name!r} is not for default_headers; use {instead}."
            raise ValueError(msg)
    return headers


def check_timeout(timeout: Any) -> Any:
    """Check a time limit: seconds, an object with four, or `None`.

    Raises:
        ValueError: If it is not above 0, or above 1,000,000,000.
    """
    if timeout is not None and not hasattr(timeout, "read"):
        _check_seconds("timeout", timeout)
    return timeout


def check_deadline(deadline: Any) -> float | None:
    """Check the seconds of a whole request.

    Raises:
        ValueError: If they are not above 0, or above 1,000,000,000.
    """
    if deadline is None:
        return None
    _check_seconds("deadline", deadline)
    return float(deadline)


def _check_seconds(name: str, value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and _MOST_SECONDS < abs(value) < inf:
        # The number itself may be too long to be shown.
        msg = f"{name} must be above 0 and at most {_MOST_SECONDS:,} seconds."
        raise ValueError(msg)
    if not (is_number and 0 < value < inf):
        msg = f"{name} must be a number of seconds above 0; got {value!r}."
        raise ValueError(msg)


def is_loopback(host: str) -> bool:
    """Return whether a host name is that of this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def warn_caller(text: str, category: type[Warning]) -> None:
    """Warn at the line that called this package, through LangChain or not.

    Args:
        text: What to say.
        category: The class of the warning.
    """
    level, frame = 1, sys._getframe()  # noqa: SLF001 - public since Python 2.1
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)
