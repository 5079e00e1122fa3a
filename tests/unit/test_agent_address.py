"""The checksum of an agent's address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one._agent_address import _make_shares, is_agent_address
from tests.support.bech32 import CHARSET, bech32_checksum, encode_bech32
from tests.support.examples import examples

A = encode_bech32(bytes([2, *range(32)]))
B = encode_bech32(bytes([3, *range(100, 132)]))


def test_the_encoder_of_this_test_agrees_with_bip_173() -> None:
    assert encode_bech32(b"", prefix="a") == "a12uel5l"
    version = [0]
    program = [int(f"{int('751e76e8199196d454941c45d1b3a323f1433bd6', 16):0160b}"[i : i + 5], 2)
               for i in range(0, 160, 5)]  # fmt: skip
    digits = version + program + bech32_checksum("bc", version + program)
    assert "".join(CHARSET[d] for d in digits) == "qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


@pytest.fixture(autouse=True)
def _make_new_shares() -> None:
    """Let each test compute what the checksum is made of."""
    _make_shares.cache_clear()


@pytest.mark.parametrize(
    "address",
    [
        # Fetch.ai's agents that wrap the OpenAI and Claude models, named in many public programs.
        "agent1q0h70caed8ax769shpemapzkyk65uscw4xwk6dc4t3emvp5jdcvqs9xs32y",
        "agent1qvk7q2av3e2y5gf5s90nfzkc8a48q3wdqeevwrtgqfdl0k78rspd6f2l4dx",
        A,
        B,
    ],
)
def test_a_good_address(address: str) -> None:
    assert len(address) == 65
    assert is_agent_address(address)


@given(st.binary(min_size=33, max_size=33))
@examples(100)
def test_every_encoded_key_is_an_address(payload: bytes) -> None:
    assert is_agent_address(encode_bech32(payload))


def test_every_single_character_substitution_is_noticed() -> None:
    others = CHARSET + CHARSET.upper() + "bio1 -!\0\n@éа"
    wrong = [
        A[:position] + character + A[position + 1 :]
        for position in range(65)
        for character in others
        if character != A[position]
    ]
    assert len(wrong) > 65 * 70
    assert [address for address in wrong if is_agent_address(address)] == []


def test_every_swap_of_neighbours_is_noticed() -> None:
    swapped = {A[:i] + A[i + 1] + A[i] + A[i + 2 :] for i in range(64)} - {A}
    assert len(swapped) > 40
    assert not any(map(is_agent_address, swapped))


@pytest.mark.parametrize(
    "value",
    [
        encode_bech32(bytes(33), padding=1),  # the padding bit must be zero
        encode_bech32(bytes(32)),
        encode_bech32(bytes(34)),
        encode_bech32(bytes([2, *range(32)]), prefix="user"),
        encode_bech32(bytes([2, *range(32)]), prefix="agenu"),
        A.upper(),
        A + "\n",
        " " + A,
        A + "q",
        A[:-1],
        "agent" + "!" * 60,
        "",
        None,
        65,
        A.encode(),
        [A],
    ],
)
def test_what_is_not_an_address(value: object) -> None:
    assert not is_agent_address(value)


def test_bech32m_is_not_bech32() -> None:
    digits = [CHARSET.index(character) for character in A[6:59]]
    checksum = bech32_checksum("agent", digits)
    total = sum(digit << 5 * (5 - i) for i, digit in enumerate(checksum)) ^ 1 ^ 0x2BC830A3
    tail = "".join(CHARSET[total >> 5 * (5 - i) & 31] for i in range(6))
    assert not is_agent_address(A[:59] + tail)
