"""A request that is ready to be sent, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from langchain_asi_one._request.fields import may_act

if TYPE_CHECKING:
    from langchain_asi_one._transport.proxies import Proxy

DEFAULT_TIMEOUT: Final = 150.0
"""Seconds; ASI:One documents answers that take up to 120 (docs/wire-format.md, 6)."""

AGENTIC_TIMEOUT: Final = 300.0
"""The same for requests that make agents act; an agent may take up to 240."""

CONNECT_TIMEOUT: Final = 10.0
"""Most seconds for a connection to be made, whatever the timeout is."""


@dataclass(frozen=True)
class ClientSettings:
    """What the requests of a model have in common.

    Attributes:
        api_key: Sent as bearer token.
        base_url: Where requests go, without `/chat/completions`.
        timeout: Seconds, a timeout object of the HTTP library, or `None` for no limit.
        max_retries: Further tries of a request that may be sent again.
        headers: Further headers of each request.
        agentic_timeout: The same for requests that make agents act.
        deadline: Seconds for a request with all its tries, or `None` for no limit.
        proxy: The proxy to `base_url`, if there is one.
        http_client: The user's own HTTP client for sync requests.
        http_async_client: The user's own HTTP client for async requests.
    """

    api_key: str = field(repr=False)
    base_url: str
    timeout: Any
    max_retries: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    agentic_timeout: Any = AGENTIC_TIMEOUT
    deadline: float | None = None
    proxy: Proxy | None = None
    http_client: Any = None
    http_async_client: Any = None


@dataclass(frozen=True)
class ChatRequest:
    """A request that is ready to be sent.

    Attributes:
        settings: What it has in common with other requests of its model.
        body: The JSON body.
        session_id: The `x-session-id` header.
        timeout: Seconds for this request, or `None` for the settings' timeout.
        deadline: Seconds for this request and its tries, or `None` for the settings' deadline.
        on_retry: Called before each further try, with a `RetryCallState` as LangChain's callbacks
            take it. For async requests it returns an awaitable.
        response_headers: Filled with the headers of the response.
        tool_names: The caller's names of tools by the names in the body, where they differ.
    """

    settings: ClientSettings
    body: dict[str, Any]
    session_id: str
    timeout: Any = None
    deadline: float | None = None
    on_retry: Callable[[Any], Any] | None = None
    response_headers: dict[str, str] = field(default_factory=dict)
    tool_names: Mapping[str, str] = field(default_factory=dict)

    path: ClassVar[str] = "/chat/completions"
    """Where it goes, below the base URL."""

    @property
    def url(self) -> str:
        """Where the request goes."""
        return self.settings.base_url.rstrip("/") + self.path

    @property
    def agentic(self) -> bool:
        """Whether the request can make agents act."""
        return may_act(self.body)

    @property
    def sent_once(self) -> bool:
        """Whether it must not be sent again once it may have arrived."""
        return self.agentic

    @property
    def time_limit(self) -> Any:
        """The timeout in force."""
        if self.timeout is not None:
            return self.timeout
        return self.settings.agentic_timeout if self.agentic else self.settings.timeout

    @property
    def timeouts(self) -> dict[str, float | None]:
        """The timeouts in force, by the HTTP library's names."""
        limit = self.time_limit
        names = ("connect", "read", "write", "pool")
        limits = {name: getattr(limit, name, limit) for name in names}
        connect = limits["connect"]
        limits["connect"] = CONNECT_TIMEOUT if connect is None else min(connect, CONNECT_TIMEOUT)
        return limits

    @property
    def total_limit(self) -> float | None:
        """The deadline in force."""
        return self.settings.deadline if self.deadline is None else self.deadline


@dataclass(frozen=True)
class ImageRequest(ChatRequest):
    """A request for a picture, sent once, as each picture costs."""

    path: ClassVar[str] = "/image/generate"

    @property
    def sent_once(self) -> bool:
        """Whether it must not be sent again once it may have arrived."""
        return True
