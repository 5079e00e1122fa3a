"""Bech32 from the text of BIP 173, to compare the package's own with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CHARSET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def field_product(a: int, b: int) -> int:
    """Return the product in GF(32), modulo a^5 + a^3 + 1, as BIP 173 defines the field."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0b101001 if a & 0b10000 else 0)
        b >>= 1
    return product


def bech32_checksum(prefix: str, digits: Iterable[int]) -> list[int]:
    """Return a checksum by long division of polynomials, not by the bit trick of the package."""
    generator = [29, 22, 20, 21, 29, 18]  # of x^6 + 29x^5 + 22x^4 + 20x^3 + 21x^2 + 29x + 18
    head = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    remainder = [0, 0, 0, 0, 0, 1]
    for digit in [*head, *digits, 0, 0, 0, 0, 0, 0]:
        lead, remainder = remainder[0], [*remainder[1:], digit]
        remainder = [r ^ field_product(lead, g) for r, g in zip(remainder, generator, strict=True)]
    remainder[-1] ^= 1
    return remainder


def encode_bech32(payload: bytes, *, prefix: str = "agent", padding: int = 0) -> str:
    """Return bytes in bech32, with some padding bits."""
    bits = "".join(f"{byte:08b}" for byte in payload)
    bits += f"{padding:0{-len(bits) % 5}b}" if len(bits) % 5 else ""
    digits = [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    return f"{prefix}1" + "".join(CHARSET[d] for d in digits + bech32_checksum(prefix, digits))


def has_right_checksum(text: str) -> bool:
    """Return whether the last six characters of a bech32 text are its checksum."""
    prefix, _, data = text.rpartition("1")
    digits = [CHARSET.index(character) for character in data]
    return bech32_checksum(prefix, digits[:-6]) == digits[-6:]
