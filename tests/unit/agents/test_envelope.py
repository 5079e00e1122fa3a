"""Envelopes: sealed as uagents-core reads them, opened only if they are replies to the question."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from uagents_core.contrib.protocols.chat import (
    ChatAcknowledgement,
    ChatMessage,
    EndSessionContent,
    TextContent,
    chat_protocol_spec,
)
from uagents_core.contrib.protocols.payment import RequestPayment
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity
from uagents_core.models import ErrorMessage, Model

import langchain_asi_one.testing
from langchain_asi_one.agents._envelope import (
    CHAT_PROTOCOL,
    DoesNotCountError,
    Kind,
    build_acknowledgement,
    build_question,
    make_session,
    make_uuid4,
    open_reply,
    read_envelope,
    read_session,
    seal,
)

ME, AGENT, STRANGER = (Identity.from_seed(f"a seed of the tests {n}", 0) for n in range(3))
SESSION = uuid4()
NOW = time.time()
SAMPLES = Path(str(langchain_asi_one.testing.__file__)).parent / "samples"


def write_reply(
    message: Any = None,
    *,
    signer: Identity | None = AGENT,
    sender: str = AGENT.address,
    target: str = ME.address,
    session: UUID = SESSION,
    expires: int | None = int(NOW) + 60,
) -> Envelope:
    message = message or ChatMessage([TextContent("It rains."), EndSessionContent()])
    envelope = Envelope(
        version=1,
        sender=sender,
        target=target,
        session=session,
        schema_digest=Model.build_schema_digest(type(message)),
        expires=expires,
    )
    envelope.encode_payload(message.json())
    if signer is not None:
        envelope.sign(signer)
    return envelope


def read_reply(value: object, *, now: float = NOW) -> Any:
    envelope = read_envelope(value)
    return open_reply(envelope, me=ME.address, agent=AGENT.address, session=SESSION, now=now)


def dump(envelope: Envelope) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(envelope.model_dump_json())
    return found


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        (Kind.CHAT, ChatMessage),
        (Kind.ACKNOWLEDGEMENT, ChatAcknowledgement),
        (Kind.ERROR, ErrorMessage),
        (Kind.PAYMENT, RequestPayment),
    ],
)
def test_a_kind_is_the_digest_of_its_schema(kind: Kind, model: Any) -> None:
    assert kind == Model.build_schema_digest(model)


def test_the_protocol_is_that_of_uagents_core_and_of_the_published_manifest() -> None:
    sample = SAMPLES / "agentverse-protocol-manifest-agentchat-0.3.0.json"
    manifest = json.loads(sample.read_text(encoding="utf-8"))
    assert chat_protocol_spec.digest == CHAT_PROTOCOL
    assert manifest["metadata"]["digest"] == CHAT_PROTOCOL
    assert {Kind.CHAT, Kind.ACKNOWLEDGEMENT} <= {one["digest"] for one in manifest["models"]}


def test_uagents_core_reads_what_is_sealed() -> None:
    content = [{"type": "text", "text": "Rain? \ud800 é"}]
    msg_id = make_uuid4("a question")
    letter = seal(
        ME,
        AGENT.address,
        Kind.CHAT,
        build_question(content, msg_id, NOW),
        session=SESSION,
        expires=NOW + 5,
    )
    envelope = Envelope.model_validate_json(letter)
    assert envelope.verify()
    assert (envelope.sender, envelope.target) == (ME.address, AGENT.address)
    assert (envelope.session, envelope.protocol_digest) == (SESSION, CHAT_PROTOCOL)
    assert envelope.expires == int(NOW + 5) + 1
    message = ChatMessage.parse_raw(envelope.decode_payload())
    assert message.msg_id == msg_id
    assert message.text() == "Rain? \ufffd é"
    assert message.timestamp.timestamp() == pytest.approx(NOW)


def test_uagents_core_reads_an_acknowledgement() -> None:
    body = build_acknowledgement(str(uuid4()), NOW)
    letter = seal(ME, AGENT.address, Kind.ACKNOWLEDGEMENT, body, session=SESSION, expires=NOW)
    payload = Envelope.model_validate_json(letter).decode_payload()
    acknowledgement = ChatAcknowledgement.parse_raw(payload)
    assert str(acknowledgement.acknowledged_msg_id) == body["acknowledged_msg_id"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (None, Kind.CHAT),
        (ChatAcknowledgement(uuid4()), Kind.ACKNOWLEDGEMENT),
        (ErrorMessage(error="out of credit"), Kind.ERROR),
    ],
)
def test_a_reply_of_uagents_core_is_read(message: Any, kind: Kind) -> None:
    reply = read_reply(dump(write_reply(message)))
    assert reply.kind is kind
    assert reply.size > 0


@pytest.mark.parametrize("seconds", [None, -30])
def test_an_envelope_without_end_or_from_a_slow_clock_counts(seconds: int | None) -> None:
    expires = None if seconds is None else int(NOW) + seconds
    assert read_reply(dump(write_reply(expires=expires))).kind is Kind.CHAT


USER = "user1" + "q" * 60
CHANGES: dict[str, tuple[Callable[[], dict[str, Any]], str]] = {
    "unsigned": (lambda: dump(write_reply(signer=None)), "signature"),
    "signed by another key": (lambda: dump(write_reply(signer=STRANGER)), "signature"),
    "of a stranger": (
        lambda: dump(write_reply(signer=STRANGER, sender=STRANGER.address)),
        "sender",
    ),
    "of ourselves": (lambda: dump(write_reply(signer=ME, sender=ME.address)), "sender"),
    "of a user, unsigned": (lambda: dump(write_reply(signer=None, sender=USER)), "sender"),
    "for a stranger": (lambda: dump(write_reply(target=STRANGER.address)), "another address"),
    "of another session": (lambda: dump(write_reply(session=uuid4())), "another session"),
    "expired": (lambda: dump(write_reply(expires=int(NOW) - 120)), "expired"),
    "signature of another": (
        lambda: {
            **dump(write_reply()),
            "signature": dump(write_reply(session=uuid4()))["signature"],
        },
        "signature",
    ),
    "signature is no bech32": (lambda: {**dump(write_reply()), "signature": "sig1"}, "signature"),
    "payload changed": (
        lambda: {**dump(write_reply()), "payload": base64.b64encode(b"{}").decode()},
        "signature",
    ),
    "end changed": (lambda: {**dump(write_reply()), "expires": int(NOW) + 9_999}, "signature"),
    "end without end": (lambda: {**dump(write_reply()), "expires": 2**70}, "signature"),
    "kind changed": (lambda: {**dump(write_reply()), "schema_digest": Kind.ERROR}, "signature"),
    "unknown kind": (lambda: {**dump(write_reply()), "schema_digest": "model:0"}, "kind"),
    "no version": (
        lambda: {k: v for k, v in dump(write_reply()).items() if k != "version"},
        "no env",
    ),
    "session of version 1": (
        lambda: {**dump(write_reply()), "session": "c9a646d3-9c61-11d1-92e1-00c04fd430c8"},
        "no envelope",
    ),
    "deep": (lambda: {**dump(write_reply()), "payload": [[]]}, "no envelope"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_no_reply_to_the_question_does_not_count(change: str) -> None:
    build, reason = CHANGES[change]
    with pytest.raises(DoesNotCountError, match=reason) as caught:
        read_reply(build())
    assert "rains" not in str(caught.value)


@pytest.mark.parametrize("value", [None, [], "envelope", 7, {}, {"sender": {}}])
def test_what_is_no_envelope_does_not_count(value: object) -> None:
    with pytest.raises(DoesNotCountError, match=r"^it is no envelope$"):
        read_reply(value)


@pytest.mark.parametrize("payload", ["", "%%%", "W10=", "/w==", "bnVsbA=="])
def test_a_signed_message_that_is_malformed_does_not_count(payload: str) -> None:
    envelope = write_reply()
    envelope.payload = payload
    envelope.sign(AGENT)
    with pytest.raises(DoesNotCountError, match="malformed"):
        read_reply(dump(envelope))


def test_a_message_is_safe_for_checkpoints() -> None:
    envelope = write_reply()
    envelope.encode_payload('{"error": "a\\u0000b\\ud800", "n": 1e999}')
    envelope.sign(AGENT)
    assert read_reply(dump(envelope)).body == {"error": "ab\ufffd", "n": None}


def test_a_session_is_a_uuid_of_version_4() -> None:
    random = str(uuid4())
    assert str(make_session(random)) == random
    for name in ("ada@example.org", "c9a646d3-9c61-11d1-92e1-00c04fd430c8", "\ud800"):
        assert make_session(name) == make_session(name)
        assert make_session(name).version == 4
    assert make_session("a") != make_session("b")
    assert make_uuid4("a", "b") != make_uuid4("ab")


@pytest.mark.parametrize(
    ("envelope", "session"),
    [
        ({"session": str(SESSION).upper()}, str(SESSION)),
        ({"session": str(SESSION)[:-1]}, None),
        ({"session": 7}, None),
        ({}, None),
        ("envelope", None),
    ],
    ids=["capitals", "too short", "a number", "none", "a text"],
)
def test_the_session_of_an_envelope_is_read_in_lower_case(
    envelope: object, session: str | None
) -> None:
    assert read_session(envelope) == session
