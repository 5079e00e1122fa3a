"""Checksum of the addresses of agents on Agentverse."""

from __future__ import annotations

import re
from functools import cache, reduce
from operator import getitem, xor
from typing import Final

_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_ADDRESS: Final = re.compile(f"agent1([{_BECH32}]{{59}})")


_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PREFIX: Final = (*(ord(c) >> 5 for c in "agent"), 0, *(ord(c) & 31 for c in "agent"))
_LENGTH: Final = 59
_KEY_LAST: Final = 52  # 33 bytes are 52.8 characters: the last bit of this one is padding


def _shift(checksum: int) -> int:
    """Return a checksum with a zero after what it is of."""
    total = (checksum & 0x1FFFFFF) << 5
    for bit, generator in enumerate(_GENERATORS):
        total ^= generator if checksum >> 25 + bit & 1 else 0
    return total


@cache
def _make_shares() -> tuple[int, tuple[dict[str, int], ...]]:
    """Return what the prefix and each character add to the checksum.

    The checksum is linear: it is the sum (`xor`) of all shares.
    """
    start = 1
    for digit in _PREFIX:
        start = _shift(start) ^ digit
    shares = [dict(zip(_BECH32, range(32), strict=True))]
    for _ in range(_LENGTH - 1):
        shares.append({character: _shift(share) for character, share in shares[-1].items()})
    for _ in range(_LENGTH):
        start = _shift(start)
    return start, tuple(reversed(shares))


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
    characters = match[1]
    start, shares = _make_shares()
    checksum = reduce(xor, map(getitem, shares, characters), start)
    return checksum == 1 and not _BECH32.index(characters[_KEY_LAST]) & 1
