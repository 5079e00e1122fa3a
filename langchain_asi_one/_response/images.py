"""Read the picture in an answer of `POST /image/generate`; pure, without I/O.

The form of such an answer is not stable: docs/wire-format.md, 5.2 lists those that were
documented, recorded or read by clients. All of them are read here.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any
from urllib.parse import urlsplit

from langchain_core.messages.content import ImageContentBlock, create_image_block

_LISTS = ("data", "images")
_SOURCES = ("b64_json", "url", "image_url", "image")
_DATA_URL = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)
_LONGEST_ADDRESS = 8192
_FIRST_BYTES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"....ftypavif", re.DOTALL), "image/avif"),
    (re.compile(rb"BM....\x00\x00\x00\x00", re.DOTALL), "image/bmp"),
)


def read_images(body: dict[str, Any]) -> list[ImageContentBlock]:
    """Return the pictures of an answer as content blocks.

    A block has the picture as `base64`, or its address as `url`. Its `extras` hold all other fields
    of the answer, such as `revised_prompt`.

    Raises:
        ValueError: There is no picture, or one is neither picture data nor an http address.
    """
    shared = {name: value for name, value in body.items() if name not in _LISTS}
    for name in _LISTS:
        items = body.get(name)
        if isinstance(items, list) and items:
            return [_read_image(item, shared) for item in items]
    return [_read_image(shared, {})]


def _read_image(item: Any, shared: dict[str, Any]) -> ImageContentBlock:
    fields = item if isinstance(item, dict) else {"url": item}
    for name in _SOURCES:
        source = fields.get(name)
        if isinstance(source, dict):  # {"image_url": {"url": "…"}}
            source = source.get("url")
        if isinstance(source, str) and source.strip():
            block = create_image_block(**_read_source(source.strip()))
            others = {key: value for key, value in fields.items() if key not in _SOURCES}
            if extras := {**shared, **others}:
                block["extras"] = extras
            return block
    msg = "it holds no picture"
    raise ValueError(msg)


def _read_source(source: str) -> dict[str, str]:
    if source[:5].lower() != "data:" and "://" in source[:20]:
        return {"url": _check_address(source)}
    data = "".join(_DATA_URL.sub("", source, count=1).split())
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        msg = "its picture is neither base64 nor an http address"
        raise ValueError(msg) from None
    for first_bytes, mime_type in _FIRST_BYTES:
        if first_bytes.match(content):
            return {"base64": data, "mime_type": mime_type}
    msg = f"its data is no picture: it begins with {content[:8]!r}"
    raise ValueError(msg)


def _check_address(address: str) -> str:
    if not _is_http(address):
        msg = "the address of its picture is no http address"
        raise ValueError(msg)
    if len(address) > _LONGEST_ADDRESS:
        msg = f"the address of its picture has more than {_LONGEST_ADDRESS} characters"
        raise ValueError(msg)
    return address


def _is_http(address: str) -> bool:
    if not (address.isascii() and address.isprintable()) or " " in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
