"""Replies that a test can queue, or choose by a marker."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_asi_one._json.numbers import is_number
from langchain_asi_one.testing._fault_registry import bind_fault
from langchain_asi_one.testing._render import render_chunks
from langchain_asi_one.testing._responses import (
    DONE,
    JSON_TYPE,
    SSE_TYPE,
    Script,
    encode_event,
    make_response,
    make_stream,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from langchain_asi_one.testing._requests import Exchange

SAMPLES = Path(__file__).with_name("samples")
"""Folder with the published samples; ``INDEX.md`` names the source of each."""

_MARKER = re.compile(r"\[(fault|sample): *([\w.-]+)((?: +\w+=[^\s\]]*)*) *\]")


@dataclass(frozen=True)
class Reply:
    """A reply of the stand-in, made by the functions of this module.

    Args:
        name: Name for error messages.
        play: Makes the response to a request.
    """

    name: str
    play: Callable[[Exchange], Script] = field(repr=False)


def sample(name: str) -> Reply:
    """Replay a published sample byte for byte.

    It does not matter whether a stream was asked for.

    ``.sse`` files are sent as ``text/event-stream`` without a charset, all others as JSON.

    Raises:
        ValueError: There is no such sample. The message lists those that there are.
    """
    names = sorted(p.name for p in SAMPLES.iterdir() if p.suffix in (".json", ".sse", ".truncated"))
    if name not in names:
        msg = f"unknown sample {name!r}; choose one of: {', '.join(names)}"
        raise ValueError(msg)
    kind = SSE_TYPE if name.endswith(".sse") else JSON_TYPE
    script = make_response((SAMPLES / name).read_bytes(), content_type=kind)
    return Reply(f"sample {name}", lambda _: script)


def answer(body: Mapping[str, Any]) -> Reply:
    """Answer with a completion body, as a stream if asked for.

    Args:
        body: The completion as the API returns it without ``stream``. As a stream it is sent in
            the form of its wire generation: that recorded in 2025 if it has a ``thought`` or an
            ``id`` that starts with ``id_``, else OpenAI's.

    Returns:
        The reply.

    Example:
        >>> body = {"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}
        >>> answer(body).name
        'answer'
    """
    fixed = copy.deepcopy(dict(body))
    return Reply("answer", lambda exchange: render(fixed, exchange))


def render(
    body: dict[str, Any], exchange: Exchange, plan_states: Iterable[dict[str, Any]] = ()
) -> Script:
    """Return a completion in the form that the request asks for."""
    if not exchange.streaming:
        return make_response(body)
    options = exchange.payload.get("stream_options") or {}
    usage = isinstance(options, dict) and options.get("include_usage") is True
    chunks = render_chunks(body, include_usage=usage, plan_states=tuple(plan_states))
    return make_stream([*map(encode_event, chunks), DONE], delay=exchange.chunk_delay)


def stream(
    chunks: Iterable[Mapping[str, Any] | bytes | str],
    *,
    piece_size: int | None = None,
    delay: float = 0,
    done: bool = True,
) -> Reply:
    r"""Answer with a stream of your own.

    Args:
        chunks: Mappings are sent as one ``data`` event each; ``bytes`` and ``str`` as they are.
        piece_size: Send the bytes in pieces of this size (at least 1), whatever they hold.
        delay: Seconds to wait after each piece (0 or more).
        done: Whether ``data: [DONE]`` follows.

    Returns:
        The reply, the same for streaming and other requests.

    Raises:
        ValueError: ``piece_size`` is below 1, or ``delay`` below 0.

    Example:
        >>> stream([": a comment\n\n", {"choices": []}], piece_size=1).name
        'stream'
    """
    if piece_size is not None and piece_size < 1:
        msg = f"piece_size must be at least 1, not {piece_size}"
        raise ValueError(msg)
    if not 0 <= delay < math.inf:
        msg = f"delay must be 0 or more seconds, not {delay}"
        raise ValueError(msg)
    parts = [_to_event(chunk) for chunk in chunks] + ([DONE] if done else [])
    if piece_size is not None:
        data = b"".join(parts)
        parts = [data[start : start + piece_size] for start in range(0, len(data), piece_size)]
    script = make_stream(parts, delay=delay)
    return Reply("stream", lambda _: script)


def raw(
    body: bytes,
    *,
    status: int = 200,
    content_type: str = JSON_TYPE,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Answer with exactly these bytes.

    Args:
        body: The body.
        status: HTTP status code, 200 to 599.
        content_type: The ``Content-Type`` header.
        headers: Further headers.

    Returns:
        The reply, the same for streaming and other requests.

    Raises:
        ValueError: ``status`` is out of range.

    Example:
        >>> raw(b"{}", status=418).name
        'raw'
    """
    if not is_number(status, 200, 599, whole=True):
        msg = f"status must be from 200 to 599, not {status!r:.40}"
        raise ValueError(msg)
    extra = {name.lower(): value for name, value in (headers or {}).items()}
    script = make_response(body, status=status, content_type=content_type, headers=extra)
    return Reply("raw", lambda _: script)


def fault(name: str, **options: Any) -> Reply:
    """Answer with a fault.

    Args:
        name: One of those that ``python -m langchain_asi_one.testing --list`` shows.
        **options: Options of the fault. Its description names them between backticks. Numbers
            may be given where a text is sent, as in ``retry_after=1``.

    Returns:
        The reply.

    Raises:
        ValueError: There is no such fault or option. The message lists those that there are.

    Example:
        >>> fault("http_429", retry_after="2").name
        'fault http_429'
    """
    return Reply(f"fault {name}", bind_fault(name, options))


def find_marked_reply(text: str) -> tuple[Reply, float] | None:
    """Return the reply for a ``[fault: …]`` or ``[sample: …]`` marker.

    A fault's options follow its name, as in ``[fault: stall seconds=2]``. With ``times=N`` only the
    first N of equal requests meet the fault, so that a client's retry succeeds.

    Returns:
        The reply, and how many of equal requests get it; ``None`` without a marker.

    Raises:
        ValueError: The name, an option or a value is unknown.
    """
    found = _MARKER.search(text)
    if found is None:
        return None
    kind, name, written = found.groups()
    if kind == "sample":
        return sample(name), math.inf
    options = dict(pair.split("=", 1) for pair in written.split())
    times = options.pop("times", None)
    reply = fault(name, **options)
    if times is not None and not times.isdecimal():
        msg = f"times must be a whole number, not {times!r}"
        raise ValueError(msg)
    return reply, math.inf if times is None else int(times[:9])


def _to_event(chunk: Mapping[str, Any] | bytes | str) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    return chunk.encode() if isinstance(chunk, str) else encode_event(dict(chunk))
