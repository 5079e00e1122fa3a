"""The HTTP library of the installed SDK.

It is `httpx2` since openai 3, and `httpx` before.
"""

from __future__ import annotations

import importlib
import ssl
import sys
from typing import Any

import anyio
import openai

_SDK_MAJOR = int(openai.__version__.split(".", 1)[0])
_NAMES = ("httpx2", "httpx")

http: Any = importlib.import_module(_NAMES[0] if _SDK_MAJOR >= 3 else _NAMES[1])
HTTPCORE = "httpcore2" if _SDK_MAJOR >= 3 else "httpcore"
"""The library below it, which only clients need."""


def list_timeout_errors() -> tuple[type[Exception], ...]:
    """Return the errors of a read or connection that is late.

    A user may give a client of either library; one that nobody imported raises nothing.
    """
    return tuple({sys.modules[name].TimeoutException for name in _NAMES if name in sys.modules})


def list_connect_errors() -> tuple[type[Exception], ...]:
    """Return the errors of a connection that was never made.

    No request was sent then.
    """
    libraries = [sys.modules[name] for name in _NAMES if name in sys.modules]
    names = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")
    return tuple(getattr(library, name) for library in libraries for name in names)


def list_transport_errors() -> tuple[type[Exception], ...]:
    """Return all other errors of a connection that fails."""
    libraries = [sys.modules[name] for name in _NAMES if name in sys.modules]
    return (
        *{error for library in libraries for error in (library.HTTPError, library.StreamError)},
        # Raised bare by the TLS layer.
        ssl.SSLError,
        anyio.EndOfStream,
    )
