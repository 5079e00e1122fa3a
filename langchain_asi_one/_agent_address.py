"""Checksum of the addresses of agents on Agentverse."""

from __future__ import annotations

import re
from typing import Final

_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_ADDRESS: Final = re.compile(f"agent1([{_BECH32}]{{59}})")


def _compute_feedback(top: int) -> int:
    generators = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    total = 0
    for bit, generator in enumerate(generators):
        total ^= generator if top >> bit & 1 else 0
    return total


_FEEDBACK: Final = tuple(_compute_feedback(top) for top in range(32))
_PREFIX: Final = (*(ord(c) >> 5 for c in "agent"), 0, *(ord(c) & 31 for c in "agent"))
_KEY_LAST: Final = 52  # 33 bytes are 52.8 characters: the last bit of this one is padding


def is_agent_address(value: object) -> bool:
    """Return whether a value is an agent's address with a right checksum.

    An address is bech32 (BIP 173, checksum constant 1) with the prefix `agent` over a compressed
    public key of 33 bytes: 65 characters, in lower case as in Agentverse's published pattern. An
    agent need not exist there.

    Source:
        Agentverse's API reference has the pattern, Fetch.ai's uAgents library the encoding.

    Example:
        >>> address = "agent1qgqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7k8wmf3"
        >>> is_agent_address(address), is_agent_address(address[:-1] + "q")
        (True, False)
    """
    match = _ADDRESS.fullmatch(str.__str__(value)) if isinstance(value, str) else None
    if match is None:
        return False
    digits = [_BECH32.index(character) for character in match[1]]
    checksum = 1
    for digit in (*_PREFIX, *digits):
        checksum = (checksum & 0x1FFFFFF) << 5 ^ digit ^ _FEEDBACK[checksum >> 25]
    return checksum == 1 and not digits[_KEY_LAST] & 1
