"""Approvals by a human: each counts once.

An approval is for one call of one agent in one thread.

Whoever may start runs of a graph may also write its state or send a task to a worker. So an
approval is signed with a secret of the process, and the worker checks it. After a crash another
process does not know the secret: there the worker asks the human again.
"""

import asyncio
import copy
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias, TypeVar, cast

from langgraph.config import get_config

from langchain_asi_one._agent_identity import make_call_key
from langchain_asi_one.executable_data import ExecutableEntry

_SECRET: Final = secrets.token_bytes(32)
_MOST_USED: Final = 1_000
_T = TypeVar("_T")
_Key: TypeAlias = tuple[int, str]
# By process too: a forked child must not wait for a thread that it does not have.
_used: Final[dict[_Key, "Future[Any]"]] = {}


def approve(entry: ExecutableEntry) -> ExecutableEntry:
    """Return an entry with the approval that answers the current interrupt."""
    # The same for each answer to one interrupt, so that two answers at once ask an agent once.
    pause = hashlib.sha256(_read_configurable()["checkpoint_ns"].encode()).hexdigest()[:32]
    return {**entry, "approval": f"{pause}-{_sign(entry, pause)}"}


def is_approved(entry: ExecutableEntry) -> bool:
    """Return whether a human approved this call in this thread and process."""
    approval = entry.get("approval")
    if not isinstance(approval, str) or not approval.isascii():
        return False
    pause, _, signature = approval.partition("-")
    return hmac.compare_digest(signature, _sign(entry, pause))


def ask_once(approval: str | None, ask: Callable[[], _T]) -> _T:
    """Ask an agent, or return what the same approval has brought.

    The last 1,000 approvals are remembered. One that ended in an error may be used again.
    """
    if approval is None:
        return ask()
    key, future, is_first = _claim(approval)
    if is_first:
        with _release_on_error(key, future):
            future.set_result(ask())
    return cast("_T", copy.deepcopy(future.result()))


async def ask_once_async(approval: str | None, ask: Callable[[], Awaitable[_T]]) -> _T:
    """Async version of `ask_once`."""
    if approval is None:
        return await ask()
    key, future, is_first = _claim(approval)
    if is_first:
        with _release_on_error(key, future):
            future.set_result(await ask())
    return cast("_T", copy.deepcopy(await asyncio.wrap_future(future)))


def _sign(entry: ExecutableEntry, pause: str) -> str:
    signed = json.dumps([str(_read_configurable().get("thread_id")), pause, make_call_key(entry)])
    return hmac.new(_SECRET, signed.encode(), hashlib.sha256).hexdigest()


def _read_configurable() -> dict[str, Any]:
    return get_config()["configurable"]


def _claim(approval: str) -> tuple[_Key, "Future[Any]", bool]:
    own: Future[Any] = Future()
    own.set_running_or_notify_cancel()  # a run that waits for it and is cancelled leaves it alone
    key = (os.getpid(), approval)
    future = _used.setdefault(key, own)
    with suppress(RuntimeError):  # another thread may add one meanwhile
        while len(_used) > _MOST_USED:
            _used.pop(next(iter(_used)), None)
    return key, future, future is own


@contextmanager
def _release_on_error(key: _Key, future: "Future[Any]") -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        _used.pop(key, None)
        future.set_exception(error)
        raise
