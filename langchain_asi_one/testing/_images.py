"""The stand-in's answers of ``POST /v1/image/generate``: real pictures of one colour."""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from typing import Any

from langchain_asi_one.testing._default_answers import CREATED, MARK
from langchain_asi_one.testing._validation import MODELS, RequestRefusedError

# The guide's and the API reference's.
_SIZES = ("1024x1024", "1792x1024", "1024x1792", "1536x1024", "1024x1536", "512x512", "256x256")
_LEVEL_9 = 9


def check_image_request(payload: dict[str, Any]) -> None:
    """Refuse what the documentation does not allow.

    Raises:
        RequestRefusedError: The first thing that is wrong, with the parameter named.
    """
    for name in payload:
        if name not in ("prompt", "size", "model"):
            msg = f"Unknown parameter: '{name}'."
            raise RequestRefusedError(msg, param=name, code="unknown_parameter")
    prompt, size = payload.get("prompt"), payload.get("size", "auto")
    if not isinstance(prompt, str) or not prompt.strip():
        msg = "'prompt' must be a text that is not empty."
        raise RequestRefusedError(msg, param="prompt", code="invalid_value")
    if size not in (*_SIZES, "auto"):
        msg = f"Invalid value for 'size': {size!r}; expected auto or one of {', '.join(_SIZES)}."
        raise RequestRefusedError(msg, param="size", code="invalid_value")
    if payload.get("model", MODELS[0]) not in MODELS:
        msg = f"Unsupported model: {payload['model']!r}. Supported: {', '.join(MODELS)}."
        raise RequestRefusedError(msg, param="model", code="unsupported_model")


def make_image_body(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a picture in the form of the answer recorded in 2026.

    The recorded picture is a JPEG. This one is a PNG, whose colour follows from the prompt.
    """
    size = payload.get("size", "auto")
    width, height = map(int, (_SIZES[0] if size == "auto" else size).split("x"))
    colour = hashlib.sha256(payload["prompt"].encode(errors="replace")).digest()[:3]
    picture = {
        "b64_json": base64.b64encode(_draw_png(width, height, colour)).decode(),
        "revised_prompt": f"{MARK}{payload['prompt']}",
    }
    return {"created": CREATED, "data": [picture]}


def _draw_png(width: int, height: int, colour: bytes) -> bytes:
    """Return a PNG of one colour."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits each of RGB
    rows = zlib.compress((b"\0" + colour * width) * height, _LEVEL_9)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
