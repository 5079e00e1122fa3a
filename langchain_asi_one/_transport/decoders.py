"""From the bytes of an answer to its JSON objects: pure, without I/O.

ASI:One sends UTF-8 without naming the charset (wire contract, 3.1), so the Content-Type decides
nothing here: bytes are UTF-8, and what they are is seen from their beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from langchain_asi_one._json.safe import loads, safe_text
from langchain_asi_one._transport.sse import ServerSentEvent, SSEDecoder
from langchain_asi_one.errors import ASIOneError, IncompleteStreamError, InvalidResponseError

_EXCERPT = 200  # characters of a value that an error message quotes


class ProtocolError(Exception):
    """What the wire held is not what it should; becomes an `ASIOneError` once the call is known.

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
    """The API's own account of an error."""

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
        What it says; empty where it says nothing.
    """
    if not isinstance(body, dict):
        return ErrorDetail(message=_excerpt(body) if isinstance(body, str) else "")
    error = body.get("error")
    if isinstance(error, dict):
        message = _string(error.get("message")) or _detail(error.get("detail"))
        status = error.get("status", error.get("status_code"))
        return ErrorDetail(
            message=_excerpt(message or ""),
            code=_string(error.get("code")),
            param=_string(error.get("param")),
            type=_string(error.get("type")),
            status=next((s for s in (status, error.get("code")) if _is_status(s)), None),
        )
    message = _string(error) or _detail(body.get("detail")) or _string(body.get("message"))
    status = body.get("status", body.get("status_code"))
    return ErrorDetail(
        message=_excerpt(message or ""),
        code=_string(body.get("code")),
        status=status if _is_status(status) else None,
    )


def excerpt(value: object) -> str:
    """Return a short, printable form of a value from the wire for an error message."""
    return repr(_excerpt(value if isinstance(value, str) else repr(value)))


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
    if not _has_message(answer):
        message = f"ASI:One's answer holds no message in 'choices': {excerpt(answer)}"
        raise ProtocolError(InvalidResponseError, message, body=answer)
    return answer


def read_object(content: bytes, content_type: str) -> dict[str, Any]:
    """Read a body that must be a JSON object without an error, as `read_body` does."""
    if not content or content.isspace():
        raise ProtocolError(
            InvalidResponseError, f"ASI:One answered with an empty body ({content_type})"
        )
    try:
        body = loads(content)
    except UnicodeDecodeError as error:
        message = f"ASI:One's answer is not UTF-8 (byte {error.start}, {content_type})"
        raise ProtocolError(InvalidResponseError, message) from None
    except ValueError as error:
        shown = excerpt(content[:2000].decode("utf-8", "replace"))
        message = f"ASI:One's answer is not JSON ({content_type}; {error}): {shown}"
        raise ProtocolError(InvalidResponseError, message) from None
    return _checked(body)


_EVENT = re.compile(rb"(data|event|id|retry)?:")
_KEPT = 500  # bytes of a body that are kept for an error text


class CompletionStreamDecoder:
    """Turns the bytes of a streamed answer into its chunks.

    A body that is one JSON object instead of events (a gateway that ignored `stream`) is passed on
    as a single chunk: it is the whole answer.

    Args:
        content_type: The answer's Content-Type, for error texts only.
    """

    def __init__(self, content_type: str) -> None:
        self._content_type = content_type
        self._events = SSEDecoder()
        self._whole: bytearray | None = None
        self._begun = b""
        self.seen = 0
        """How many chunks there were."""
        self._message_seen = False
        self._finish_seen = False
        self.done = False

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take bytes as they arrive.

        Args:
            data: Any piece of the body.

        Returns:
            The chunks completed by it, each parsed when it is asked for.

        Raises:
            ProtocolError: If an event is not a chunk, or reports an error.
        """
        if not self._begun:
            self._begin(data)
        if self._whole is not None:
            self._whole += data
            return iter(())
        try:
            return self._chunks(self._events.feed(data))
        except UnicodeDecodeError:
            raise self._not_utf8() from None

    def close(self) -> list[dict[str, Any]]:
        """Take the end of the body.

        Returns:
            The chunks completed by it.

        Raises:
            ProtocolError: If the answer is not complete.
        """
        if self._whole is not None:
            self.done = True
            return [read_body(bytes(self._whole), self._content_type)]
        try:
            chunks = [*self._chunks(self._events.close())]
        except UnicodeDecodeError:
            raise self._not_utf8() from None
        except ProtocolError as fault:
            # The last event has no end: what is malformed in it was cut off.
            if fault.error_class is InvalidResponseError:
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

    def _chunks(self, events: list[ServerSentEvent]) -> Iterator[dict[str, Any]]:
        for name, data in events:
            if self.done:
                break
            if data[:6] == "[DONE]":
                self._check_message()
                self.done = True
            elif name == "error":
                raise _reported(_json_or_text(data))
            elif data and not data.isspace():
                self.seen += 1
                yield self._chunk(data)
        if self._events.error is not None and not self.done:
            raise self._not_utf8()

    def _chunk(self, data: str) -> dict[str, Any]:
        try:
            value: Any = loads(data)
        except ValueError:
            message = f"A stream event of ASI:One is not JSON: {excerpt(data)}"
            raise ProtocolError(InvalidResponseError, message) from None
        chunk = _checked(value)
        self._message_seen = self._message_seen or _has_message(chunk)
        self._finish_seen = self._finish_seen or _has_finish_reason(chunk)
        return chunk

    def _check_message(self) -> None:
        """Refuse a stream that came to its end without a message, as `read_body` does a body."""
        if not self._message_seen:
            message = f"ASI:One's stream held no message in 'choices' ({self._content_type})"
            raise ProtocolError(InvalidResponseError, message)

    def _not_utf8(self) -> ProtocolError:
        return ProtocolError(
            InvalidResponseError, f"ASI:One's stream is not UTF-8 ({self._content_type})"
        )

    def _incomplete(self) -> ProtocolError:
        if not self._begun:
            message = f"ASI:One sent an empty stream ({self._content_type})"
            return ProtocolError(InvalidResponseError, message)
        if not (self.seen or _EVENT.match(self._begun)):
            shown = excerpt(self._begun.decode("utf-8", "replace"))
            message = f"ASI:One sent no stream of events ({self._content_type}): {shown}"
            return ProtocolError(InvalidResponseError, message)
        return ProtocolError(
            IncompleteStreamError,
            "ASI:One's stream ended with neither a finish_reason nor [DONE]: the answer is cut off",
        )


def _checked(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        message = f"ASI:One's answer is not a JSON object: {excerpt(value)}"
        raise ProtocolError(InvalidResponseError, message, body=value)
    if value.get("error") or ("choices" not in value and _reports_error(value)):
        raise _reported(value)
    return value


def _json_or_text(data: str) -> Any:
    try:
        return loads(data)
    except ValueError:
        return data


def _has_message(answer: dict[str, Any]) -> bool:
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return isinstance(first, dict) and any(
        isinstance(first.get(name), dict) for name in ("message", "delta")
    )


def _reports_error(value: dict[str, Any]) -> bool:
    return "error" in value or "detail" in value


def _reported(value: object) -> ProtocolError:
    """An error told in the body although the status was 200."""
    detail = read_error(value)
    said = detail.message or "no explanation"
    return ProtocolError(
        ASIOneError,
        f"ASI:One reported an error in its answer: {said}",
        body=value,
        status_code=detail.status,
    )


def _has_finish_reason(chunk: dict[str, Any]) -> bool:
    choices = chunk.get("choices")
    if isinstance(choices, list):
        for choice in choices:
            if isinstance(choice, dict) and choice.get("finish_reason"):
                return True
    return False


def _detail(value: object) -> str | None:
    """Read FastAPI's `detail`: a text, or a list of `{loc, msg}`."""
    if isinstance(value, list):
        return "; ".join(
            f"{'.'.join(map(str, item.get('loc') or ()))}: {item.get('msg')}"
            if isinstance(item, dict)
            else str(item)
            for item in value
        )
    return _string(value)


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599


def _excerpt(text: str) -> str:
    text = " ".join(safe_text(text).split())
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
