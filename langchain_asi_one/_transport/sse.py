"""Server-sent events: bytes in, events out, no input or output of its own.

The format is that of the WHATWG HTML standard, section "Server-sent events" (9.2.6, interpreting
an event stream).
"""

from __future__ import annotations

from typing import Final, NamedTuple

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

    Lines end in LF, CR or CRLF and in nothing else, one leading byte order mark is ignored, and so
    are comments, `id`, `retry` and unknown fields; these are not even decoded. An event is emitted
    at its blank line if it has a data line or a name: unlike a browser, which drops an event
    without data, since servers report failures as a bare `event: error`.

    Text is decoded line by line, strictly. Invalid UTF-8 is an error, but not at the expense of
    what came before: events completed in the same piece are returned first, and the error is
    raised by the next call, so always end with `close`. After an error every call raises it again.

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
        """Take the next piece of the stream.

        Args:
            data: Bytes of any number, cut anywhere.

        Returns:
            The events that are complete now, in order.

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
        events: list[ServerSentEvent] = []
        if not (self._data or self._event) and b"\n\n" in data and b"\r" not in data:
            data = self._take_plain(data, events)
        lines = data.splitlines(keepends=True)  # of bytes: at LF, CR and CRLF only
        self._after_cr = data[-1:] == b"\r"
        tail = lines.pop() if lines and lines[-1][-1:] not in (b"\n", b"\r") else b""
        try:
            for line in lines:
                self._end_line(line.rstrip(b"\r\n"), events)
        except UnicodeDecodeError as error:
            self.error = error
            if not events:
                raise
            return events
        # A comment is not kept: it may be long, and it is ignored.
        if tail and not (self._line and self._line[0][:1] == b":"):
            self._line.append(tail)
        return events

    def close(self) -> list[ServerSentEvent]:
        """End the stream.

        Many servers omit the blank line after the last event, some even the end of its line.
        What is returned here may therefore be cut off: the caller must judge by its content.

        Returns:
            The event that was left without its blank line, if any.

        Raises:
            UnicodeDecodeError: The last line is not UTF-8, or an earlier one was not and the error
                has not been raised yet.
        """
        if self.error is not None:
            raise self.error
        if self._closed:
            return []
        self._closed = True
        events: list[ServerSentEvent] = []
        try:
            if self._line:
                self._end_line(b"", events)
        except UnicodeDecodeError as error:
            self.error = error
            raise
        self._dispatch(events)
        return events

    def _take_plain(self, data: bytes, events: list[ServerSentEvent]) -> bytes:
        """Take the events that lead the piece and are one data line each, as nearly all are.

        Args:
            data: A piece that ends a line begun before, if any; its lines end in LF.
            events: Where they are put.

        Returns:
            What is left for the way that takes line by line.
        """
        if self._line:
            data = b"".join([*self._line, data])
            self._line.clear()
        if self._first_line:
            self._first_line = False
            data = data.removeprefix(_BOM)
        end = data.rfind(b"\n\n")
        try:
            blocks = data[:end].decode().split("\n\n")
        except UnicodeDecodeError:
            return data
        for number, block in enumerate(blocks):
            if block[:5] != "data:" or "\n" in block:
                return "\n\n".join([*blocks[number:], ""]).encode() + data[end + 2 :]
            events.append(ServerSentEvent("", block[6 if block[5:6] == " " else 5 :]))
        return data[end + 2 :]

    def _end_line(self, rest: bytes, events: list[ServerSentEvent]) -> None:
        line = rest
        if self._line:
            self._line.append(rest)
            line = b"".join(self._line)
            self._line.clear()
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
            return
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode())
        elif field == b"event":
            self._event = value.removeprefix(b" ").decode()

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        if self._data or self._event:
            events.append(ServerSentEvent(self._event, "\n".join(self._data)))
        self._data.clear()
        self._event = ""
