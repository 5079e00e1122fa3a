"""The HTTP library that the installed SDK is built on: `httpx2` since openai 3, `httpx` before."""

from __future__ import annotations

import ssl
from typing import Any

import anyio
import httpx
import openai

_SDK_MAJOR = int(openai.__version__.split(".", 1)[0])

http: Any = httpx
if _SDK_MAJOR >= 3:
    import httpx2

    http = httpx2

# A user may hand in a client of either library.
TIMEOUT_ERRORS: tuple[type[Exception], ...] = tuple({httpx.TimeoutException, http.TimeoutException})
TRANSPORT_ERRORS: tuple[type[Exception], ...] = (
    *{httpx.HTTPError, http.HTTPError, httpx.StreamError, http.StreamError},
    # Raised bare by the TLS layer; the SDK treats them as transport errors too.
    ssl.SSLError,
    anyio.EndOfStream,
)
