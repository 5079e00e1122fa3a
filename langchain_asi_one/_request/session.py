"""The `x-session-id` of a request: pure, but for reading LangChain's ambient config.

ASI:One keeps an agentic session by this header. It takes any string; its documentation uses a UUID
per conversation (docs/wire-format.md, 1.2 and 6.1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from langchain_core.runnables.config import RunnableConfig, ensure_config, var_child_runnable_config

_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?")


def check_session_id(value: object) -> str:
    """Return a session id that the user chose, as text.

    Args:
        value: 1 to 256 printable ASCII characters without blanks at the ends, or a `UUID`.

    Returns:
        The id as text.

    Raises:
        ValueError: If it cannot be sent as a header.

    Example:
        >>> check_session_id("chat-42")
        'chat-42'
    """
    text = str(value) if isinstance(value, UUID) else value
    if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
        shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:80]}…"
        msg = (
            f"session_id is sent as an HTTP header and must be 1 to 256 printable ASCII "
            f"characters, without blanks at its ends; got {shown}. Use a UUID, "
            f"for example str(uuid.uuid4())."
        )
        raise ValueError(msg)
    return text


def new_session_id() -> str:
    """Return a fresh session id, a random UUID."""
    return str(uuid4())


def session_of_thread(thread_id: object) -> str:
    """Return the session id of a LangGraph or LangChain thread.

    Args:
        thread_id: The thread's id. A UUID is used as it is; anything else (a user name, an e-mail
            address) goes through UUID 5, so that it does not leave the machine in plain text.

    Returns:
        A UUID; always the same for one thread.

    Example:
        >>> session_of_thread("ada@example.org") == session_of_thread("ada@example.org")
        True
    """
    text = str(thread_id)
    try:
        UUID(text)
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"langchain-asi-one-thread:{text}"))
    return text if _HEADER_VALUE.fullmatch(text) else str(UUID(text))


def find_session(
    config: RunnableConfig | None,
    *,
    given: object = None,
    field: str | None = None,
    from_thread: bool = True,
    metadata: Mapping[str, Any] | None = None,
) -> str | None:
    """Find the session that a call belongs to.

    First of: the one given to the call, `config["configurable"]["session_id"]`, the model's field,
    the thread in reach of the call.

    Args:
        config: The config given to the call.
        given: `session_id=` of the call.
        field: `session_id` of the model.
        from_thread: Whether a thread id counts.
        metadata: Metadata of the run, where `generate` was called without a config.

    Returns:
        The session id, or `None` if the call belongs to none.

    Raises:
        ValueError: If a chosen id cannot be sent.
    """
    if given is not None:
        return check_session_id(given)
    config = ensure_config(config)
    configurable = config.get("configurable") or {}
    # A config given to the call replaces the surrounding graph's, which stays in reach here.
    ambient = (var_child_runnable_config.get() or {}).get("configurable") or {}
    for place in (configurable, ambient):
        if place.get("session_id") is not None:
            return check_session_id(place["session_id"])
    if field is not None:
        return field
    if not from_thread:
        return None
    # Tracers name the thread in the metadata, and LangGraph names it there as well.
    places = (configurable, ambient, config.get("metadata") or {}, metadata or {})
    threads = (place.get("thread_id") for place in places)
    thread = next((thread for thread in threads if thread not in (None, "")), None)
    return None if thread is None else session_of_thread(thread)
