"""From the bytes of an answer to its JSON objects: no I/O.

ASI:One sends UTF-8 without naming the charset (docs/wire-format.md, 3.1), so the Content-Type
decides nothing here: bytes are UTF-8, and their beginning shows what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import loads, make_text_safe
from langchain_asi_one.errors import ASIOneError, IncompleteStreamError, InvalidResponseError

MOST_BYTES: Final = 64 * 2**20
"""Bytes of an answer that are read, decompressed; a longer one is refused."""
_EXCERPT: Final = 200  # characters of a value that an error message quotes
_MOST_DETAILS: Final = 20  # of the complaints in one error body


class ProtocolError(Exception):
    """An answer cannot be used.

    It becomes an `ASIOneError` once the request is known: one of `error_class`, or of the HTTP
    status that the offending value, `body`, names.
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


def read_body(content: bytes, content_type: str) -> dict[str, Any]:
    """Read the body of an answer that was not streamed.

    The Content-Type is for the error text only.

    Raises:
        ProtocolError: If `read_object` refuses it, or it holds no message.
    """
    answer = read_object(content, content_type)
    has_message, _, _ = _look_at_choices(answer)
    if not has_message:
        message = f"ASI:One's answer holds no message in 'choices': {excerpt(answer)}"
        raise ProtocolError(InvalidResponseError, message, body=answer)
    return answer


def read_object(content: bytes, content_type: str) -> dict[str, Any]:
    """Read a body that must be a JSON object without an error."""
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


# --- Errors that a body reports ---


@dataclass(frozen=True)
class ErrorDetail:
    """What the API says about an error."""

    message: str = ""
    code: str | None = None
    param: str | None = None
    type: str | None = None
    status: int | None = None


def read_error(body: object) -> ErrorDetail:
    """Read an error body in any form of ASI:One, gateway or proxy.

    The texts are printable; they are empty where the body says nothing.
    """
    if not isinstance(body, dict):
        return ErrorDetail(message=shorten(body) if isinstance(body, str) else "")
    error = body.get("error")
    if isinstance(error, dict):
        message = _get_text(error.get("message")) or _join_details(error.get("detail"))
        status = error.get("status", error.get("status_code"))
        return ErrorDetail(
            message=message or "",
            code=_get_text(error.get("code")),
            param=_get_text(error.get("param")),
            type=_get_text(error.get("type")),
            status=next((s for s in (status, error.get("code")) if _is_status(s)), None),
        )
    message = (
        _get_text(error) or _join_details(body.get("detail")) or _get_text(body.get("message"))
    )
    status = body.get("status", body.get("status_code"))
    return ErrorDetail(
        message=message or "",
        code=_get_text(body.get("code")),
        status=status if _is_status(status) else None,
    )


def shorten(text: str) -> str:
    """Return the beginning of a text in one printable line."""
    # A character becomes at most ten, and blanks become one.
    line = make_one_line(make_text_safe(text[: 20 * _EXCERPT]))
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT]}…"


def excerpt(value: object) -> str:
    """Quote the beginning of a value for an error message."""
    return repr(shorten(value if isinstance(value, str) else repr(value)))


def _get_text(value: object) -> str | None:
    return shorten(value) if isinstance(value, str) and value.strip() else None


def _join_details(value: object) -> str | None:
    """Read FastAPI's `detail`: a text, or a list of `{loc, msg}`."""
    if isinstance(value, list):
        return shorten("; ".join(map(_read_detail, value[:_MOST_DETAILS])))
    return _get_text(value)


def _read_detail(item: object) -> str:
    if not isinstance(item, dict):
        return str(item)
    place = item.get("loc")
    path = ".".join(map(str, place)) if isinstance(place, list) else str(place or "")
    return f"{path}: {item.get('msg')}"


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599


# --- Events: the format of the WHATWG HTML standard, 9.2.6 "Interpreting an event stream" ---

_BOM: Final = b"\xef\xbb\xbf"


class ServerSentEvent(NamedTuple):
    """One event of a stream.

    Attributes:
        event: The name of the event; empty if the stream gave none.
        data: The data lines, joined by line feeds; empty if there was none.
    """

    event: str = ""
    data: str = ""


class SSEDecoder:
    r"""Decodes a stream of server-sent events that arrives in arbitrary pieces.

    Lines end in LF, CR or CRLF and in nothing else. One leading byte order mark is ignored.
    Comments, `id`, `retry` and unknown fields are ignored too, and are not decoded. An event is
    emitted at its blank line if it has a data line or a name. A browser drops an event without
    data; this decoder does not, because servers report errors as a bare `event: error`.

    Text is decoded line by line, strictly. If a piece holds complete events and then invalid UTF-8,
    these events are returned and the next call raises the error, so always end with `close`. After
    an error, every call raises it again.

    Example:
        >>> stream = SSEDecoder()
        >>> stream.feed(b"data: {}\n\nevent: error\r")
        [ServerSentEvent(event='', data='{}')]
        >>> stream.feed(b"\n\r\ndata: [DONE]")
        [ServerSentEvent(event='error', data='')]
        >>> stream.close()
        [ServerSentEvent(event='', data='[DONE]')]
    """

    def __init__(self) -> None:
        """Start before the first byte."""
        self._line: list[bytes] = []  # pieces of a line whose end has not come
        self._data: list[str] = []
        self._event = ""
        self._first_line = True
        self._after_cr = False
        self.error: UnicodeDecodeError | None = None
        """What the next call will raise."""
        self._closed = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take bytes, cut anywhere; return the events that are complete now.

        Raises:
            UnicodeDecodeError: A data or event line is not UTF-8. It is a ValueError.
            ValueError: The decoder is closed.
        """
        if self._closed:
            raise ValueError("feed() after close(): use a new SSEDecoder for each stream.")
        if self.error is not None:
            raise self.error
        if not data:
            return []
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        tail = data[end:]
        lines: list[bytes] = []
        if end:
            self._line.append(data[:end])
            lines = b"".join(self._line).splitlines()  # of bytes: at LF, CR and CRLF only
            self._line.clear()
        # A comment is not kept: it may be long, and it is ignored.
        if tail and not (self._line and self._line[0][:1] == b":"):
            self._line.append(tail)
        return self._read(lines)

    def close(self) -> list[ServerSentEvent]:
        """End the stream; return a last event without a blank line.

        Many servers omit the blank line after the last event; some omit the end of its line. The
        event may therefore be incomplete: the caller must check its content.

        Raises:
            UnicodeDecodeError: The last line is not UTF-8, or an earlier one was not and the error
                has not been raised yet.
        """
        if self.error is not None:
            raise self.error
        if self._closed:
            return []
        self._closed = True
        lines = [b"".join(self._line), b""] if self._line else [b""]
        events = self._read(lines)
        if self.error is not None:
            raise self.error
        return events

    def _read(self, lines: list[bytes]) -> list[ServerSentEvent]:
        """Return the events that these lines complete.

        Raise an error only if there are none.
        """
        if self._first_line and lines:
            self._first_line = False
            lines[0] = lines[0].removeprefix(_BOM)
        events: list[ServerSentEvent] = []
        try:
            for line in lines:
                if line:
                    field, _, value = line.partition(b":")
                    if field == b"data":
                        self._data.append(value.removeprefix(b" ").decode())
                    elif field == b"event":
                        self._event = value.removeprefix(b" ").decode()
                elif self._data or self._event:
                    events.append(ServerSentEvent(self._event, "\n".join(self._data)))
                    self._data.clear()
                    self._event = ""
        except UnicodeDecodeError as error:
            self.error = error
            if not events:
                raise
        return events


# --- Chunks ---

_EVENT = re.compile(rb"(data|event|id|retry)?:")
_KEPT = 500  # bytes of a body that are kept for an error text


class BodyDecoder:
    """Collects the body of an answer; `read` makes the result."""

    done = False  # only the end of the body ends it

    def __init__(self, read: Callable[[bytes, str], Any], content_type: str) -> None:
        self._read = read
        self._content_type = content_type
        self._content = bytearray()
        self.news = 0
        """How many pieces were not blank."""

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take bytes; nothing is complete yet."""
        self._content += data
        check_size(len(self._content))
        self.news += not data.isspace()
        return iter(())

    def close(self) -> list[Any]:
        """Take the end of the body; return its result, alone."""
        return [self._read(bytes(self._content), self._content_type)]


class CompletionStreamDecoder:
    """Turns the bytes of a streamed answer into its chunks.

    A gateway that ignores `stream` answers with one JSON object instead of events. This object is
    the whole answer, and the only chunk. The Content-Type is for error texts only.
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
        """Take bytes; return the chunks, each parsed when it is asked for.

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
            raise self._make_utf8_error() from None

    def close(self) -> list[dict[str, Any]]:
        """Take the end of the body; return the chunks that it completes.

        Raises:
            ProtocolError: If the answer is not complete.
        """
        if self._whole is not None:
            self.done = True
            return [read_body(bytes(self._whole), self._content_type)]
        try:
            chunks = [*self._read_events(self._events.close())]
        except UnicodeDecodeError:
            raise self._make_utf8_error() from None
        except ProtocolError as error:
            # The last event has no end: what is malformed in it was cut off.
            if error.error_class is InvalidResponseError:
                raise self._make_incomplete_error() from None
            raise
        if not (self.done or self._finish_seen):
            raise self._make_incomplete_error()
        self._check_message()
        return chunks

    def _begin(self, data: bytes) -> None:
        start = data.removeprefix(_BOM).lstrip()
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
            raise self._make_utf8_error()

    def _read_chunk(self, data: str) -> dict[str, Any]:
        self._chunk_seen = True
        try:
            value: Any = loads(data)
        except ValueError:
            message = f"A stream event of ASI:One is not JSON: {excerpt(data)}"
            raise ProtocolError(InvalidResponseError, message) from None
        chunk = _check_object(value)
        has_message, finish, news = _look_at_choices(chunk)
        self._message_seen = self._message_seen or has_message
        self._finish_seen = self._finish_seen or finish
        self.news += news
        return chunk

    def _check_message(self) -> None:
        """Refuse a stream without a message, as `read_body` refuses a body."""
        if not self._message_seen:
            message = f"ASI:One's stream held no message in 'choices' ({self._content_type})"
            raise ProtocolError(InvalidResponseError, message)

    def _make_utf8_error(self) -> ProtocolError:
        message = f"ASI:One's stream is not UTF-8 ({self._content_type})"
        return ProtocolError(InvalidResponseError, message)

    def _make_incomplete_error(self) -> ProtocolError:
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


# Fields that say nothing: of a chunk, those that are the same in each; of a message, its author.
_ENVELOPE = frozenset(("id", "object", "created", "model", "choices", "system_fingerprint"))
_ROLE = frozenset(("role",))


def _look_at_choices(answer: dict[str, Any]) -> tuple[bool, bool, bool]:
    """Return whether an answer has a message, an end, anything at all.

    The message, or delta, is that of the first choice. Any choice may have the finish reason.

    Raises:
        ProtocolError: A choice ended with an error, as gateways send it.
    """
    message = finish = news = False
    choices = answer.get("choices")
    for position, choice in enumerate(choices if isinstance(choices, list) else ()):
        if not isinstance(choice, dict):
            continue
        get = choice.get
        for fields in (get("delta"), get("message")):
            if isinstance(fields, dict):
                message = message or not position
                news = news or _says_anything(fields, _ROLE)
        if reason := get("finish_reason"):
            finish = True
        if reason == "error" or get("error"):
            raise _make_reported_error(choice, answer)
    return message, finish, news or finish or _says_anything(answer, _ENVELOPE)


def _says_anything(fields: dict[str, Any], silent: frozenset[str]) -> bool:
    for name, value in fields.items():  # noqa: SIM110 - `any` takes twice as long
        if value and name not in silent:
            return True
    return False


def _check_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"ASI:One's answer is not a JSON object: {excerpt(value)}"
        raise ProtocolError(InvalidResponseError, message, body=value)
    if value.get("error") or ("choices" not in value and ("error" in value or "detail" in value)):
        raise _make_reported_error(value, value)
    return value


def _make_reported_error(value: object, body: object) -> ProtocolError:
    """Make the error that an answer of status 200 reports."""
    detail = read_error(value)
    message = f"ASI:One reported an error in its answer: {detail.message or 'no explanation'}"
    return ProtocolError(ASIOneError, message, body=body, status_code=detail.status)


def _parse_leniently(data: str) -> Any:
    try:
        return loads(data)
    except ValueError:
        return data
