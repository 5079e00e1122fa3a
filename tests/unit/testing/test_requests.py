"""What the stand-in keeps of a request."""

from __future__ import annotations

import pytest

from langchain_asi_one.testing._requests import fingerprint, mask_secrets, read_bearer_key


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Bearer sk_1", "sk_1"),
        ("bearer  sk_1 ", "sk_1"),
        ("Basic sk_1", ""),
        ("sk_1", ""),
        ("Bearer", ""),
        ("", ""),
    ],
)
def test_only_a_bearer_key_is_read(header: str, key: str) -> None:
    assert read_bearer_key(header) == key


def test_a_fingerprint_does_not_show_the_key() -> None:
    assert fingerprint("") == ""
    assert fingerprint("abc") == "ba7816bf8f01"  # published test vector of SHA-256


def test_credentials_are_masked_and_other_headers_kept() -> None:
    headers = {"authorization": "Bearer sk_1", "proxy-authorization": "Basic x", "x-a": "Bearer b"}
    assert mask_secrets(headers) == {
        "authorization": "Bearer ***",
        "proxy-authorization": "***",
        "x-a": "Bearer b",
    }
