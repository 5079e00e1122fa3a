"""Proofs of keys: envelopes, registrations, tokens, challenges. Pure functions."""

from __future__ import annotations

import base64
import hashlib
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

import bech32
from uagents_core.identity import Identity

if TYPE_CHECKING:
    from uagents_core.envelope import Envelope

CLOCK_TOLERANCE = 60
"""Seconds by which a token may begin in the future."""
_TOKEN_BYTES = 81
_KEY_BYTES = 33


class RefusedError(Exception):
    """A request that is refused.

    Args:
        status: HTTP status of the response.
        detail: What is wrong, for the response.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Signed(Protocol):
    """A registration or a change of status, which its sender has signed."""

    def verify(self) -> bool:
        """Return whether the signature is right, or raise."""


class Token(NamedTuple):
    """What a token says: its owner, and its validity in Unix seconds."""

    address: str
    start: int
    end: int


def check_signature(signed: Signed) -> None:
    """Check what somebody signed.

    Raises:
        RefusedError: The signature is missing or wrong.
    """
    try:
        is_right = signed.verify()
    except Exception:  # noqa: BLE001 - ecdsa's own error is no more than that, and others come too
        is_right = False
    if not is_right:
        raise RefusedError(400, "Invalid signature")


def check_envelope(envelope: Envelope) -> None:
    """Check the signature of an envelope; a user's needs none.

    Raises:
        RefusedError: The signature is missing or wrong.
    """
    if not envelope.sender.startswith("user"):
        check_signature(envelope)


def check_challenge(address: str, challenge: str, response: str) -> None:
    """Check that an address signed a challenge.

    Raises:
        RefusedError: It did not.
    """
    if not _is_signed(address, challenge.encode(), response):
        raise RefusedError(400, "The challenge was not signed by this address")


def read_token(authorization: str, now: float) -> str | None:
    """Return the address that ``Agent attr:…`` proves at a time, or ``None``."""
    scheme, _, written = authorization.partition(" ")
    token = _parse_token(written) if scheme.lower() == "agent" else None
    if token is None or not token.start - CLOCK_TOLERANCE <= now <= token.end:
        return None
    return token.address


@lru_cache(maxsize=1000)
def _parse_token(written: str) -> Token | None:
    """Return a token whose signature is right, or ``None``."""
    try:
        tag, encoded, signature = written.split(":")
        payload = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    five_bits = bech32.convertbits(payload[:_KEY_BYTES], 8, 5)
    if tag != "attr" or len(payload) != _TOKEN_BYTES or five_bits is None:
        return None
    address = bech32.bech32_encode("agent", five_bits)
    start, end = struct.unpack(">QQ", payload[_KEY_BYTES : _KEY_BYTES + 16])
    return Token(address, start, end) if _is_signed(address, payload, signature) else None


def _is_signed(address: str, data: bytes, signature: str) -> bool:
    try:
        return bool(Identity.verify_digest(address, hashlib.sha256(data).digest(), signature))
    except Exception:  # noqa: BLE001 - ecdsa's own error is no more than that, and others come too
        return False
