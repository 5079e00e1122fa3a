"""Server-sent events: bytes in, events out; pure.

The format is that of the WHATWG HTML standard, section 9.2.6 ("Interpreting an event stream").
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
        """End the stream.

        Many servers omit the blank line after the last event; some omit the end of its line.
        The event returned here may therefore be incomplete: the caller must check its content.

        Returns:
            The last event if it has no blank line, else nothing.

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
        """Return the events that these lines complete; raise an error only if there are none."""
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
