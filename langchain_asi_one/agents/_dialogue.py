"""What has come of one question. Pure; the time is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from langchain_core.messages import AIMessage

from langchain_asi_one.agents._content import read_block
from langchain_asi_one.agents._envelope import MAX_BYTES, Kind, Message

Ended: TypeAlias = Literal["end-session", "quiet", "timeout", "flood"]
"""How an answer ended.

The agent closed the session or said no more; the time was over; or too much came that is no reply.
"""

_MAX_MESSAGES: Final = 1_000
_BETWEEN: Final = "\n\n"  # between the texts of two messages that are not of one stream


class _Part(NamedTuple):
    """A chat message of the agent."""

    time: datetime | None
    items: list[dict[str, Any]]


@dataclass
class Dialogue:
    """What an agent has said to one question.

    Attributes:
        msg_id: Identifier of the question.
        quiet: Seconds of silence after content that end an answer without `end-session`.
        acknowledged: Whether the agent said that it has the question.
        refusal: The agent's own words, if it answered with an error.
        payment_request: What it wants to be paid, if it asked for a payment.
        is_too_long: Whether it said more than is read.
    """

    msg_id: str
    quiet: float
    acknowledged: bool = False
    refusal: str | None = None
    payment_request: dict[str, Any] | None = None
    is_too_long: bool = False
    _parts: dict[str, _Part] = field(default_factory=dict)
    _open_streams: set[str] = field(default_factory=set)
    _closed_streams: set[str] = field(default_factory=set)
    _ended: bool = False
    _has_content: bool = False
    _last: float | None = None
    _size: int = 0

    def take(self, message: Message, now: float) -> str | None:
        """Take a message of the agent.

        Args:
            message: The message; a repetition changes nothing.
            now: Seconds of any steady clock.

        Returns:
            The identifier that is to be acknowledged, if any.
        """
        body = message.body
        if message.kind is Kind.ACKNOWLEDGEMENT:
            self.acknowledged |= str(body.get("acknowledged_msg_id")).lower() == self.msg_id
            return None
        if message.kind is Kind.CHAT:
            return self._take_chat(message, now)
        self._last = now
        if message.kind is Kind.ERROR:
            self.refusal = str(body.get("error") or "no reason given")
        else:
            self.payment_request = body
        return None

    def _take_chat(self, message: Message, now: float) -> str | None:
        msg_id, items = message.body.get("msg_id"), message.body.get("content")
        if not isinstance(msg_id, str) or not _is_uuid(msg_id) or msg_id in self._parts:
            return None
        if not isinstance(items, list):
            return None
        self._size += message.size
        self._last = now
        if self._size > MAX_BYTES or len(self._parts) >= _MAX_MESSAGES:
            self.is_too_long = True
            return None
        read = [item for item in items if isinstance(item, dict)]
        self._parts[msg_id] = _Part(_read_time(message.body.get("timestamp")), read)
        for item in read:
            self._take_item(item)
        return msg_id

    def _take_item(self, item: dict[str, Any]) -> None:
        stream = str(item.get("stream_id"))
        match item.get("type"):
            case "end-session":
                self._ended = True
            case "start-stream":
                self._open_streams.add(stream)
            case "end-stream":
                self._closed_streams.add(stream)
            case "metadata":
                self._has_content |= _is_card(item)
            case "start-session":
                pass
            case _:
                self._has_content = True

    def complete_at(self) -> float | None:
        """Return when the answer is complete, `None` if more must come.

        An answer is complete as soon as the session ends. Without that, silence ends it, but not
        while a stream is open.
        """
        if self._last is None or self.is_failed or (self._ended and self._has_content):
            return self._last
        if self._ended or (self._has_content and not self._open_streams - self._closed_streams):
            return self._last + self.quiet
        return None

    @property
    def is_failed(self) -> bool:
        """Whether the agent answered with something else than an answer."""
        return bool(self.is_too_long or self.refusal or self.payment_request is not None)

    @property
    def has_content(self) -> bool:
        """Whether anything has come that is an answer."""
        return self._has_content

    @property
    def ended(self) -> bool:
        """Whether the agent has closed the session."""
        return self._ended

    def build_answer(self, *, agent: str, session_id: str, ended: Ended) -> AIMessage:
        """Build LangChain's message of what has come.

        Args:
            agent: Address of the agent.
            session_id: Session of the question.
            ended: How the answer ended.
        """
        blocks, metadata = self._read_parts()
        only_text = all(block["type"] == "text" for block in blocks)
        content: Any = "".join(block["text"] for block in blocks) if only_text else blocks
        about: dict[str, Any] = {
            "agent": agent,
            "session_id": session_id,
            "acknowledged": self.acknowledged,
            "ended": ended,
        }
        if metadata:
            about["metadata"] = metadata
        return AIMessage(content, response_metadata=about)

    def read_text(self) -> str:
        """Return the text that has come."""
        return "".join(block.get("text", "") for block in self._read_parts()[0])

    def _read_parts(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return content blocks and metadata in their order."""
        parts = [*self._parts.values()]
        times = [part.time for part in parts if part.time is not None]
        if len(times) == len(parts):
            # A sort is stable: of equal times the first to come stays the first.
            parts = [part for _, part in sorted(zip(times, parts, strict=True), key=_get_time)]
        blocks: list[dict[str, Any]] = []
        metadata: list[dict[str, Any]] = []
        streams: set[str] = set()
        is_first = True  # of its message or stream
        for part in parts:
            is_first = is_first or not streams
            for item in part.items:
                match item.get("type"):
                    case "start-stream":
                        streams.add(str(item.get("stream_id")))
                        is_first = True
                    case "end-stream":
                        streams.discard(str(item.get("stream_id")))
                    case "metadata":
                        metadata.append(_read_metadata(item))
                    case "start-session" | "end-session":
                        pass
                    case _:
                        for block in read_block(item):
                            _append(blocks, block, _BETWEEN if is_first else "")
                            is_first = False
        return blocks, metadata


def _append(blocks: list[dict[str, Any]], block: dict[str, Any], between: str) -> None:
    """Add a block, or join a text to the one before it."""
    if block["type"] == "text" and blocks and blocks[-1]["type"] == "text":
        held, text = blocks[-1]["text"], block["text"]
        is_apart = not held or held.endswith("\n") or text.startswith("\n")
        blocks[-1] = {"type": "text", "text": f"{held}{'' if is_apart else between}{text}"}
    else:
        blocks.append(block)


def _get_time(pair: tuple[datetime, _Part]) -> datetime:
    return pair[0]


def _read_metadata(item: dict[str, Any]) -> dict[str, Any]:
    metadata = item.get("metadata")
    return metadata if isinstance(metadata, dict) else {"metadata": metadata}


def _is_card(item: dict[str, Any]) -> bool:
    """Return whether metadata are a card, which asks the user something."""
    return "card_kind" in _read_metadata(item)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _read_time(value: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
