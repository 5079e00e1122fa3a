"""The `x-session-id` of a request: pure, but for reading LangChain's ambient config.

ASI:One keeps an agentic session by this header. It takes any string; its documentation uses a UUID
per conversation (docs/wire-format.md, 1.2 and 6.1). The guide "Sessions" has the rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from langchain_core.runnables.config import RunnableConfig, ensure_config, var_child_runnable_config
from langchain_core.runnables.utils import ConfigurableFieldSpec
from typing_extensions import override

from langchain_asi_one._request.graph_position import find_position, list_running_tasks

SENT_SESSION = "__asi_one_session_id"
"""Key of `configurable` for the session of an earlier request, to be sent as it was."""

UNCACHED = "__asi_one_uncached"
"""Key of `configurable` for a request that no cache may answer."""


class _SessionSpec(ConfigurableFieldSpec):
    """A spec that equals any other one of its key.

    LangChain refuses two that differ.
    """

    __slots__ = ()
    __hash__ = tuple.__hash__

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigurableFieldSpec) and other.id == self.id


SESSION_SPEC = _SessionSpec(
    id="session_id",
    annotation=Any,
    name="Session",
    description="Any value; one session of ASI:One for each. What is no UUID is sent as a hash.",
    is_shared=True,
)
"""What servers such as LangServe must know of `configurable["session_id"]` to pass it on."""

_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)


def check_session_id(value: object) -> str:
    """Return a session id that the user chose, as text.

    It is a `UUID`, or 1 to 256 printable ASCII characters without blanks at the ends.

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
            f"for example str(uuid.uuid4()), or put any other value into "
            f"config={{'configurable': {{'session_id': …}}}}, which is sent as a hash."
        )
        raise ValueError(msg)
    return text


def make_session_id() -> str:
    """Return a fresh session id, a random UUID."""
    return str(uuid4())


def make_thread_session(thread_id: object) -> str:
    """Return the session id of a LangGraph or LangChain thread, a UUID.

    A UUID is used as it is. Anything else (a user name, an e-mail address) is hashed as UUID 5, so
    that it does not leave the machine in plain text. The hash has no secret: who guesses the id can
    compute it.

    Example:
        >>> make_thread_session("ada@example.org") == make_thread_session("ada@example.org")
        True
    """
    return _hash_unless_uuid("thread", thread_id)


def make_value_session(value: object) -> str:
    """Return the session id of `config["configurable"]["session_id"]`, a UUID.

    A UUID is used as it is; anything else is hashed, as thread ids are.
    """
    return _hash_unless_uuid("session", value)


def find_session(
    config: RunnableConfig | None,
    *,
    given: object = None,
    field: str | None = None,
    from_thread: bool = True,
    metadata: Mapping[str, Any] | None = None,
) -> str | None:
    """Return the session that was chosen, or that of the thread.

    The first one counts: `session_id=` of the call (`given`),
    `config["configurable"]["session_id"]`, the model's `field`, the thread around the call with the
    position in its graph. It is `None` if nothing was chosen and there is no thread. `metadata` are
    those of a run whose config is not known, as in `generate`.

    Raises:
        ValueError: If a chosen id cannot be sent.
    """
    if given is not None:
        return check_session_id(given)
    own = ensure_config(config)
    # A config given to the call replaces the one of the graph around it, which counts as well.
    configs = (own, var_child_runnable_config.get() or {})
    for configurable in (one.get("configurable") or {} for one in configs):
        if configurable.get(SENT_SESSION) is not None:
            return check_session_id(configurable[SENT_SESSION])
        if (value := configurable.get("session_id")) is not None:
            # The same by `configurable_fields`, which sets the model's field.
            return field if value == field else make_value_session(value)
    if field is not None:
        return field
    if not from_thread:
        return None
    for one in configs:
        configurable = one.get("configurable") or {}
        if (thread := configurable.get("thread_id")) not in (None, ""):
            position = find_position(configurable, one.get("metadata") or {})
            return _derive_session(make_thread_session(thread), position)
    # Tracers name the thread in the metadata.
    threads = (place.get("thread_id") for place in (own.get("metadata") or {}, metadata or {}))
    thread = next((thread for thread in threads if thread not in (None, "")), None)
    return None if thread is None else make_thread_session(thread)


def is_uncached(config: RunnableConfig | None) -> bool:
    """Return whether no cache may answer a request with this config."""
    configs = (config or {}, var_child_runnable_config.get() or {})
    return any((one.get("configurable") or {}).get(UNCACHED) for one in configs)


def make_agent_session(
    configurable: Mapping[str, Any], *, field: str | None, from_thread: bool, call: str
) -> str:
    """Make the session of one call of an agent.

    The conversation's name is looked up as above. `call` is the agent and what it is asked: two
    calls in one turn share no session.
    """
    sources = (configurable.get("session_id"), field)
    base = next((source for source in sources if source is not None), None)
    if base is None and from_thread:
        base = configurable.get("thread_id")
    return make_session_id() if base in (None, "") else make_thread_session(f"{base} {call}")


def find_run_session(config: RunnableConfig | None, run_id: object = None) -> str | None:
    """Return the session of a run that belongs to no thread.

    All requests of the run share it. It is made from the outermost LangGraph run around the request
    and the position in its graph, else from the run that calls the model, `run_id`. It is `None` if
    no run calls the model.
    """
    configs = (ensure_config(config), var_child_runnable_config.get() or {})
    position: list[str] = []
    for one in configs:
        configurable = one.get("configurable") or {}
        if tasks := [*list_running_tasks(configurable)]:
            run_id = getattr(tasks[-1].config.get("callbacks"), "parent_run_id", None)
            position = find_position(configurable, one.get("metadata") or {})
            break
    for one in configs:
        run_id = run_id or getattr(one.get("callbacks"), "parent_run_id", None)
    return None if run_id is None else _derive_session(_hash("run", str(run_id)), position)


def _hash_unless_uuid(kind: str, value: object) -> str:
    text = str(value)
    return text if _UUID.fullmatch(text) else _hash(kind, text)


def _derive_session(session_id: str, position: list[str]) -> str:
    return _hash("branch", json.dumps([session_id, *position])) if position else session_id


def _hash(kind: str, text: str) -> str:
    # Half a character of a damaged text has no UTF-8.
    text = text.encode("utf-8", "backslashreplace").decode()
    return str(uuid5(NAMESPACE_URL, f"langchain-asi-one-{kind}:{text}"))
