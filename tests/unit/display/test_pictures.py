"""Pictures in messages."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_asi_one.display import card


def png() -> bytes:
    """Make a picture of one red pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\0\0")
    start = b"\x89PNG\r\n\x1a\n"
    return start + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


DATA = b64encode(png()).decode()
SHOWN = f'<img class="asi1-picture" src="data:image/png;base64,{DATA}" alt="(image/png, 69 bytes)">'
BLOCK: dict[str, Any] = {"type": "image", "base64": DATA, "mime_type": "image/png"}


def tool_message(artifact: Any) -> ToolMessage:
    return ToolMessage("Generated.", name="draw", tool_call_id="1", artifact=artifact)


@pytest.mark.parametrize(
    "message",
    [
        tool_message(BLOCK),
        tool_message([BLOCK]),
        HumanMessage([{"type": "text", "text": "What is it?"}, BLOCK]),
        HumanMessage(
            [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}]
        ),
        AIMessage([{"type": "text", "text": "Look."}, BLOCK]),
        tool_message({**BLOCK, "mime_type": "image/svg+xml"}),  # the bytes count
    ],
)
def test_a_picture_is_shown_from_its_data(message: BaseMessage) -> None:
    assert SHOWN in card(message)._repr_html_()
    text = card(message).text()
    assert "\n  (image/png, 69 bytes)" in text
    assert DATA not in text


def test_further_pictures_are_shown_too() -> None:
    block = {**BLOCK, "extras": {"further_images": [BLOCK, BLOCK, "text"]}}
    assert card(tool_message(block))._repr_html_().count(SHOWN) == 3
    assert card(tool_message([BLOCK] * 99))._repr_html_().count(SHOWN) == 20


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            {"type": "image", "url": "https://example.com/a.png"},
            "(not fetched: https://example.com/a.png)",
        ),
        ({"type": "image", "url": "javascript:alert(1)"}, "(not fetched: javascript:alert(1))"),
        ({"type": "image", "base64": "PHN2Zz4="}, "(of an unknown type, 5 bytes)"),
        ({"type": "image", "base64": '"><script>'}, "(its data is not base64)"),
        ({"type": "image", "base64": DATA + '" onerror="x'}, "(its data is not base64)"),
        (
            {"type": "image", "base64": "A" * 16_000_004},
            "(too large to show: 16,000,004 characters of base64)",
        ),
        ({"type": "image"}, "(without data)"),
    ],
)
def test_what_is_no_safe_picture_is_only_named(block: dict[str, Any], text: str) -> None:
    assert f"Pictures\n  {text}" in card(tool_message(block)).text()
    assert "<img" not in card(tool_message(block))._repr_html_()
