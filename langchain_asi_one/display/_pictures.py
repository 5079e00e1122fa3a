"""Pictures of a message: shown from their data, never fetched."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from langchain_core.messages import BaseMessage, ToolMessage

from langchain_asi_one.display._sections import Row, shorten

_MAX_PICTURES: Final = 20
_MAX_CHARACTERS: Final = 16_000_000
"""Characters of base64 that are shown, about 12 MB; a notebook keeps them in its file."""
# By the first bytes, whatever the block says; no SVG, which can hold scripts.
_TYPES: Final = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
_DATA: Final = re.compile(r"data:[^,;]*;base64,")


def list_picture_rows(message: BaseMessage) -> Iterator[Row]:
    """Yield a row for each picture of a message.

    It may be in the content or in the artifact.
    """
    blocks = message.content if isinstance(message.content, list) else []
    artifact = message.artifact if isinstance(message, ToolMessage) else None
    found = (*blocks, *(artifact if isinstance(artifact, list) else [artifact]))
    pictures = (one for block in found if isinstance(block, Mapping) for one in _flatten(block))
    yield from islice(map(_make_row, pictures), _MAX_PICTURES)


def _flatten(block: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield a picture's block, and the pictures in its extras."""
    if block.get("type") not in ("image", "image_url"):
        return
    yield block
    extras = block.get("extras")
    further = extras.get("further_images") if isinstance(extras, Mapping) else None
    for one in further if isinstance(further, list) else []:
        if isinstance(one, Mapping) and one.get("type") == "image":
            yield one


def _make_row(block: Mapping[str, object]) -> Row:
    url = block.get("url")
    if isinstance(held := block.get("image_url"), Mapping):
        url = held.get("url")
    elif isinstance(held, str):
        url = held
    data = block.get("base64")
    if isinstance(url, str) and (match := _DATA.match(url)):
        data = url[match.end() :]
    if not isinstance(data, str):
        return Row(((None, f"(not fetched: {shorten(url)})" if url else "(without data)"),))
    if len(data) > _MAX_CHARACTERS:
        return Row(((None, f"(too large to show: {len(data):,} characters of base64)"),))
    try:
        content = b64decode(data, validate=True)
    except ValueError:
        return Row(((None, "(its data is not base64)"),))
    kind = next((name for name, start in _TYPES.items() if start.match(content)), None)
    if kind is None:
        return Row(((None, f"(of an unknown type, {len(content):,} bytes)"),))
    return Row(((None, f"({kind}, {len(content):,} bytes)"),), picture=f"data:{kind};base64,{data}")
