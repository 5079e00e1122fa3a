"""Envelopes: questions sealed, and replies opened if they count. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import ValidationError
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity

from langchain_asi_one._json.safe import JSON, dumps, loads

CHAT_PROTOCOL: Final = "proto:30a801ed3a83f9a0ff0a9f1e6fe958cb91da1fc2218b153df7b6cbf87bd33d62"
"""Digest of AgentChatProtocol 0.3.0; an agent that can be asked lists it in the Almanac."""

MAX_BYTES: Final = 4_000_000
"""Most bytes of an envelope, and of any other body that is read."""

_UUID_LENGTH: Final = 36
_CLOCKS: Final = 60  # seconds by which the clocks of two machines may differ


class Kind(StrEnum):
    """What a message is, by the digest of its schema."""

    CHAT = "model:2601825997203ee07dbb9ff6e7c71ae7bdaf6a7c8b817361f2f88f4b29c68d0c"
    ACKNOWLEDGEMENT = "model:741eb75692abbeb43c131e364ad939af23f14e8288ba0ec3df130843ef79bd7f"
    ERROR = "model:94cb082f79871c5e80a20637f935d233f0ce11a135d5a3a3c6071e81102a84d5"
    PAYMENT = "model:0589d17b29aa33aeab80e3d6c41a3df3b273a55bb4fad318dc9358d138fdedf1"


class Asked(NamedTuple):
    """A question that was sent.

    Attributes:
        agent: Address of the agent.
        session: Its session.
        msg_id: Its identifier.
        until: Seconds since 1970 until which an answer is waited for.
    """

    agent: str
    session: UUID
    msg_id: UUID
    until: float


class Message(NamedTuple):
    """A message of the agent that was asked.

    Attributes:
        kind: What it is.
        body: Its fields, as sent but safe for JSON and checkpoints.
        size: Bytes of it.
    """

    kind: Kind
    body: dict[str, Any]
    size: int


class DoesNotCountError(Exception):
    """An envelope is no reply to the question; the text says why."""


def make_uuid4(*values: str) -> UUID:
    """Make a UUID of version 4 from texts, always the same."""
    text = json.dumps(values)
    return UUID(bytes=uuid5(NAMESPACE_URL, f"langchain-asi-one-agents:{text}").bytes, version=4)


def make_session(session_id: str) -> UUID:
    """Make a session: a UUID of version 4, or a text's hash."""
    try:
        session = UUID(session_id)
    except ValueError:
        session = None
    is_sound = session is not None and session.version == 4
    return session if session is not None and is_sound else make_uuid4("session", session_id)


def build_question(content: list[dict[str, Any]], msg_id: UUID, now: float) -> dict[str, Any]:
    """Build the chat message of a question.

    Args:
        content: Its content in the chat protocol.
        msg_id: Its identifier.
        now: Seconds since 1970.
    """
    return {"timestamp": _write_time(now), "msg_id": str(msg_id), "content": content}


def build_acknowledgement(msg_id: str, now: float) -> dict[str, Any]:
    """Build the acknowledgement that the protocol owes for a chat message."""
    return {"timestamp": _write_time(now), "acknowledged_msg_id": msg_id, "metadata": None}


def seal(
    identity: Identity,
    agent: str,
    kind: Kind,
    body: Mapping[str, Any],
    *,
    session: UUID,
    expires: float,
) -> bytes:
    """Put a message into a signed envelope.

    Args:
        identity: Who sends it.
        agent: Address of the agent that it is for.
        kind: What the message is.
        body: Its fields.
        session: The session.
        expires: Seconds since 1970 after which it no longer counts.

    Returns:
        The envelope as JSON.
    """
    envelope = Envelope(
        version=1,
        sender=identity.address,
        target=agent,
        session=session,
        schema_digest=kind,
        protocol_digest=CHAT_PROTOCOL,
        expires=int(expires) + 1,
    )
    envelope.encode_payload(dumps(body))
    envelope.sign(identity)
    text: str = envelope.model_dump_json()
    return text.encode()


def read_envelope(value: object) -> Envelope:
    """Read the JSON of an envelope.

    Raises:
        DoesNotCountError: If it is none.
    """
    try:
        return Envelope.model_validate(value)
    except (ValidationError, RecursionError):
        msg = "it is no envelope"
    raise DoesNotCountError(msg)


def read_session(envelope: object) -> str | None:
    """Return the session of an envelope in lower case, if any."""
    session = envelope.get("session") if isinstance(envelope, dict) else None
    return session.lower() if isinstance(session, str) and len(session) == _UUID_LENGTH else None


def open_reply(envelope: Envelope, *, me: str, agent: str, session: UUID, now: float) -> Message:
    """Read the message of an envelope that replies to our question.

    It counts only if the agent that was asked has sent it, to us, in the session of the question,
    with a right signature, and it has not expired.

    Args:
        envelope: The envelope.
        me: Our address.
        agent: Address of the agent that was asked.
        session: Session of the question.
        now: Seconds since 1970.

    Returns:
        The message.

    Raises:
        DoesNotCountError: If it does not count.
    """
    if envelope.target != me:
        reason = "it is for another address"
    elif envelope.sender != agent:
        reason = "its sender was not asked"
    elif envelope.session != session:
        reason = "it is of another session"
    elif envelope.expires is not None and envelope.expires < now - _CLOCKS:
        reason = "it has expired"
    elif envelope.schema_digest not in {*Kind}:
        reason = "its kind is unknown"
    elif not _is_signed(envelope):
        reason = "its signature is missing or wrong"
    else:
        return _read_message(envelope)
    raise DoesNotCountError(reason)


def _is_signed(envelope: Envelope) -> bool:
    try:
        return envelope.signature is not None and bool(envelope.verify())
    except Exception:  # noqa: BLE001 - each part of it is a stranger's; so are the errors
        return False


def _read_message(envelope: Envelope) -> Message:
    try:
        payload = base64.b64decode(envelope.payload or "", validate=True)
        body: JSON = loads(payload)
    except ValueError:  # also what the reader of JSON and of UTF-8 raise
        body = None
    if isinstance(body, dict):
        return Message(Kind(envelope.schema_digest), body, len(payload))
    msg = "its message is malformed"
    raise DoesNotCountError(msg)


def _write_time(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat()
