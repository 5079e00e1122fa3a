"""The pictures of the stand-in."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest

from langchain_asi_one.testing._images import make_image_body


def read_png(body: dict[str, list[dict[str, str]]]) -> tuple[int, int, bytes]:
    """Return width, height and first pixel, after a check of all checksums."""
    data = base64.b64decode(body["data"][0]["b64_json"], validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (
            zlib.crc32(kind + content),
        )
        chunks[kind], at = content, at + 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = zlib.decompress(chunks[b"IDAT"])
    assert len(rows) == height * (1 + 3 * width)
    return width, height, rows[1:4]


@pytest.mark.parametrize(
    ("size", "expected"),
    [("1792x1024", (1792, 1024)), ("256x256", (256, 256)), ("auto", (1024, 1024))],
)
def test_a_picture_has_the_size_asked_for(size: str, expected: tuple[int, int]) -> None:
    assert read_png(make_image_body({"prompt": "a fox", "size": size}))[:2] == expected


def test_the_colour_follows_from_the_prompt() -> None:
    first, same, other = (
        read_png(make_image_body({"prompt": prompt, "size": "256x256"}))
        for prompt in ("a fox", "a fox", "an owl \ud800")
    )
    assert first == same
    assert first[2] != other[2]
