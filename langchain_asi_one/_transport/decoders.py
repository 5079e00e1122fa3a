"""From the bytes of an answer to its JSON objects: pure, without I/O.

ASI:One sends UTF-8 without naming the charset (docs/wire-format.md, 3.1), so the Content-Type
decides nothing here: bytes are UTF-8, and their beginning shows what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import loads, safe_text
from langchain_asi_one._transport.sse import ServerSentEvent, SSEDecoder
from langchain_asi_one.errors import ASIOneError, IncompleteStreamError, InvalidResponseError

MOST_BYTES: Final = 64 * 2**20
"""Bytes of an answer that are read, decompressed; a longer one is refused."""

_EXCERPT = 200  # characters of a value that an error message quotes
_MOST_DETAILS = 20  # of the complaints in one error body


class ProtocolError(Exception):
    """An answer is not what it should be; becomes an `ASIOneError` once the request is known.

    Args:
        error_class: Class to raise.
        message: What happened.
        body: The offending value.
        status_code: HTTP status that the offending value names, if it does.
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


@dataclass(frozen=True)
class ErrorDetail:
    """What the API says about an error."""

    message: str = ""
    code: str | None = None
    param: str | None = None
    type: str | None = None
    status: int | None = None


def read_error(body: object) -> ErrorDetail:
    """Read an error body in any of the forms that ASI:One, its gateway or a proxy send.

    Args:
        body: Parsed JSON, or text.

    Returns:
        What it says, in printable text; empty where it says nothing.
    """
    if not isinstance(body, dict):
        return ErrorDetail(message=shorten(body) if isinstance(body, str) else "")
    error = body.get("error")
    if isinstance(error, dict):
        message = _text(error.get("message")) or _join_details(error.get("detail"))
        status = error.get("status", error.get("status_code"))
        return ErrorDetail(
            message=message or "",
            code=_text(error.get("code")),
            param=_text(error.get("param")),
            type=_text(error.get("type")),
            status=next((s for s in (status, error.get("code")) if _is_status(s)), None),
        )
    message = _text(error) or _join_details(body.get("detail")) or _text(body.get("message"))
    status = body.get("status", body.get("status_code"))
    return ErrorDetail(
        message=message or "",
        code=_text(body.get("code")),
        status=status if _is_status(status) else None,
    )


def shorten(text: str) -> str:
    """Return the beginning of a text in one printable line."""
    # A character becomes at most ten, and blanks become one.
    line = make_one_line(safe_text(text[: 20 * _EXCERPT]))
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def excerpt(value: object) -> str:
    """Return the beginning of a value in quotation marks for an error message."""
    return repr(shorten(value if isinstance(value, str) else repr(value)))


def _text(value: object) -> str | None:
    return shorten(value) if isinstance(value, str) and value.strip() else None


def _join_details(value: object) -> str | None:
    """Read FastAPI's `detail`: a text, or a list of `{loc, msg}`."""
    if isinstance(value, list):
        return shorten("; ".join(map(_read_detail, value[:_MOST_DETAILS])))
    return _text(value)


def _read_detail(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = item.get("loc")
    path = ".".join(map(str, place)) if isinstance(place, list) else str(place or "")
    return f"{path}: {item.get('msg')}"


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599


def read_body(content: bytes, content_type: str) -> dict[str, Any]:
    """Read the body of an answer that was not streamed.

    Args:
        content: The whole body.
        content_type: Its Content-Type, for the error text only.

    Returns:
        The JSON object, checkpoint-safe.

    Raises:
        ProtocolError: If `read_object` refuses it, or it holds no message.
    """
    answer = read_object(content, content_type)
    summary = _Summary(answer)
    summary.raise_for_error(answer)
    if not summary.message:
        message = f"ASI:One's answer holds no message in 'choices': {excerpt(answer)}"
        raise ProtocolError(InvalidResponseError, message, body=answer)
    return answer


def read_object(content: bytes, content_type: str) -> dict[str, Any]:
    """Read a body that must be a JSON object without an error, as `read_body` does."""
    if not content or content.isspace():
        message = f"ASI:One answered with an empty body ({content_type})"
        raise ProtocolError(InvalidResponseError, message)
    try:
        body = loads(content)
    except UnicodeDecodeError as error:
        message = f"ASI:One's answer is not UTF-8 (byte {error.start}, {content_type})"
        raise ProtocolError(InvalidResponseError, message) from None
    except ValueError as error:
        shown = excerpt(content[:2000].decode("utf-8", "replace"))
        message = f"ASI:One's answer is not JSON ({content_type}; {error}): {shown}"
        raise ProtocolError(InvalidResponseError, message) from None
    return _check_object(body)


def check_size(size: int) -> None:
    """Raise a `ProtocolError` for more bytes than are read of an answer."""
    if size > MOST_BYTES:
        message = f"ASI:One's answer is longer than {MOST_BYTES // 2**20} MiB, and was not read on"
        raise ProtocolError(InvalidResponseError, message)


_EVENT = re.compile(rb"(data|event|id|retry)?:")
_KEPT = 500  # bytes of a body that are kept for an error text


class CompletionStreamDecoder:
    """Turns the bytes of a streamed answer into its chunks.

    A gateway that ignores `stream` answers with one JSON object instead of events. This object is
    the whole answer, and the only chunk.

    Args:
        content_type: The answer's Content-Type, for error texts only.
    """

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type
        self._events = SSEDecoder()
        self._whole: bytearray | None = None
        self._begun = b""
        self._size = 0
        self._chunk_seen = False
        self._message_seen = False
        self._finish_seen = False
        self.news = 0
        """How many chunks said something."""
        self.done = False
        """Whether the answer is complete, and nothing more is read."""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take bytes as they arrive.

        Args:
            data: Any piece of the body.

        Returns:
            The chunks that it completes; each is parsed when it is asked for.

        Raises:
            ProtocolError: If an event is no chunk or reports an error, or there are too many bytes.
        """
        self._size += len(data)
        check_size(self._size)
        if not self._begun:
            self._begin(data)
        if self._whole is not None:
            self._whole += data
            return iter(())
        try:
            return self._read_events(self._events.feed(data))
        except UnicodeDecodeError:
            raise self._not_utf8() from None

    def close(self) -> list[dict[str, Any]]:
        """Take the end of the body.

        Returns:
            The chunks that it completes.

        Raises:
            ProtocolError: If the answer is not complete.
        """
        if self._whole is not None:
            self.done = True
            return [read_body(bytes(self._whole), self._content_type)]
        try:
            chunks = [*self._read_events(self._events.close())]
        except UnicodeDecodeError:
            raise self._not_utf8() from None
        except ProtocolError as error:
            # The last event has no end: what is malformed in it was cut off.
            if error.error_class is InvalidResponseError:
                raise self._incomplete() from None
            raise
        if not (self.done or self._finish_seen):
            raise self._incomplete()
        self._check_message()
        return chunks

    def _begin(self, data: bytes) -> None:
        start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
        self._begun = start[:_KEPT]
        if start.startswith((b"{", b"<")):
            self._whole = bytearray()

    def _read_events(self, events: list[ServerSentEvent]) -> Iterator[dict[str, Any]]:
        for name, data in events:
            if self.done:
                break
            if data[:6] == "[DONE]":
                self._check_message()
                self.done = True
            elif name == "error":
                value = _parse_leniently(data)
                raise _make_reported_error(value, value)
            elif data and not data.isspace():
                yield self._read_chunk(data)
        if self._events.error is not None and not self.done:
            raise self._not_utf8()

    def _read_chunk(self, data: str) -> dict[str, Any]:
        self._chunk_seen = True
        try:
            value: Any = loads(data)
        except ValueError:
            message = f"A stream event of ASI:One is not JSON: {excerpt(data)}"
            raise ProtocolError(InvalidResponseError, message) from None
        chunk = _check_object(value)
        summary = _Summary(chunk)
        summary.raise_for_error(chunk)
        self._message_seen = self._message_seen or summary.message
        self._finish_seen = self._finish_seen or summary.finish
        self.news += summary.news
        return chunk

    def _check_message(self) -> None:
        """Refuse a stream that ends without a message, as `read_body` refuses a body."""
        if not self._message_seen:
            message = f"ASI:One's stream held no message in 'choices' ({self._content_type})"
            raise ProtocolError(InvalidResponseError, message)

    def _not_utf8(self) -> ProtocolError:
        message = f"ASI:One's stream is not UTF-8 ({self._content_type})"
        return ProtocolError(InvalidResponseError, message)

    def _incomplete(self) -> ProtocolError:
        if not self._begun:
            message = f"ASI:One sent an empty stream ({self._content_type})"
            return ProtocolError(InvalidResponseError, message)
        if not (self._chunk_seen or _EVENT.match(self._begun)):
            shown = excerpt(self._begun.decode("utf-8", "replace"))
            message = f"ASI:One sent no stream of events ({self._content_type}): {shown}"
            return ProtocolError(InvalidResponseError, message)
        return ProtocolError(
            IncompleteStreamError,
            "ASI:One's answer broke off: its stream ended with neither a finish_reason nor [DONE]",
        )


# Fields of a chunk that are the same in each.
_ENVELOPE = frozenset(("id", "object", "created", "model", "choices", "system_fingerprint"))


class _Summary:
    """What one look at a chunk or an answer shows.

    Attributes:
        message: The first choice has a message or a delta.
        finish: A choice has a finish reason.
        news: It says anything at all.
        error: A choice that ended with an error, as gateways send it.
    """

    __slots__ = ("error", "finish", "message", "news")

    def __init__(self, chunk: dict[str, Any]) -> None:
        self.message = self.finish = self.news = False
        self.error: dict[str, Any] | None = None
        choices = chunk.get("choices")
        for position, choice in enumerate(choices if isinstance(choices, list) else ()):
            if not isinstance(choice, dict):
                continue
            for name in ("delta", "message"):
                message = choice.get(name)
                if isinstance(message, dict):
                    self.message = self.message or not position
                    self.news = self.news or any(
                        value and field != "role" for field, value in message.items()
                    )
            reason = choice.get("finish_reason")
            self.finish = self.finish or bool(reason)
            if reason == "error" or choice.get("error"):
                self.error = choice
        self.news = (
            self.news
            or self.finish
            or any(value and field not in _ENVELOPE for field, value in chunk.items())
        )

    def raise_for_error(self, chunk: dict[str, Any]) -> None:
        """Raise a `ProtocolError` if a choice ended with an error."""
        if self.error is not None:
            raise _make_reported_error(self.error, chunk)


def _check_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"ASI:One's answer is not a JSON object: {excerpt(value)}"
        raise ProtocolError(InvalidResponseError, message, body=value)
    if value.get("error") or ("choices" not in value and ("error" in value or "detail" in value)):
        raise _make_reported_error(value, value)
    return value


def _make_reported_error(value: object, body: object) -> ProtocolError:
    """Make the error that a body or an event of status 200, or a choice in it, reports."""
    detail = read_error(value)
    message = f"ASI:One reported an error in its answer: {detail.message or 'no explanation'}"
    return ProtocolError(ASIOneError, message, body=body, status_code=detail.status)


def _parse_leniently(data: str) -> Any:
    try:
        return loads(data)
    except ValueError:
        return data
