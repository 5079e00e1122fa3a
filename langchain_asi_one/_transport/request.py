"""A request that is ready to be sent, and where to: plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class ClientSettings:
    """What a client is built from.

    Attributes:
        api_key: Sent as bearer token.
        base_url: Where requests go, without `/chat/completions`.
        timeout: Seconds, or a timeout object of the HTTP library.
        max_retries: Further tries of a request that may be sent again.
        headers: Further headers of each request.
        http_client: The user's own HTTP client for sync calls.
        http_async_client: The user's own HTTP client for async calls.
    """

    api_key: str = field(repr=False)
    base_url: str
    timeout: Any
    max_retries: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    http_client: Any = None
    http_async_client: Any = None


@dataclass(frozen=True)
class ChatRequest:
    """A request that is ready to be sent.

    Attributes:
        settings: What its client is built from.
        body: The JSON body.
        session_id: The `x-session-id` header.
        timeout: Seconds for this call, or `None` for the settings' timeout.
    """

    settings: ClientSettings
    body: dict[str, Any]
    session_id: str
    timeout: Any = None

    path: ClassVar[str] = "/chat/completions"
    """Where it goes, below the base URL."""

    @property
    def sent_once(self) -> bool:
        """Whether it must not be sent again after a failure."""
        return self.agentic

    @property
    def agentic(self) -> bool:
        """Whether the request can make agents act."""
        return bool(self.body.get("planner_mode") or self.body.get("agents"))

    @property
    def time_limit(self) -> Any:
        """The timeout in force."""
        return self.settings.timeout if self.timeout is None else self.timeout


@dataclass(frozen=True)
class ImageRequest(ChatRequest):
    """A request for a picture. It is sent once, as each picture costs."""

    path: ClassVar[str] = "/image/generate"

    @property
    def sent_once(self) -> bool:
        """Whether it must not be sent again after a failure."""
        return True
