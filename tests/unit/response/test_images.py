"""Every published form of an image answer gives the same content block."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from langchain_asi_one._response.images import read_images

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n and more").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0 and more").decode()
URL = "https://cdn.example.org/a/fox.png?sig=1"


def only(body: dict[str, Any]) -> dict[str, Any]:
    (block,) = read_images(body)
    assert str(block.pop("id")).startswith("lc_")
    return dict(block)


@pytest.mark.parametrize(
    ("body", "block"),
    [
        # The guide of 2025.
        (
            {
                "status": 1,
                "message": "Success",
                "created": 1753792957496,
                "images": [{"url": f"data:image/png;base64,{PNG}"}],
            },
            {
                "base64": PNG,
                "mime_type": "image/png",
                "extras": {"status": 1, "message": "Success", "created": 1753792957496},
            },
        ),
        # Recorded in September 2026.
        (
            {"id": "img_1", "data": [{"b64_json": JPEG, "revised_prompt": "A red fox."}]},
            {
                "base64": JPEG,
                "mime_type": "image/jpeg",
                "extras": {"id": "img_1", "revised_prompt": "A red fox."},
            },
        ),
        # Read by public clients.
        ({"image_url": URL}, {"url": URL}),
        ({"url": URL}, {"url": URL}),
        ({"data": [{"url": URL}]}, {"url": URL}),
        ({"images": [{"url": URL}]}, {"url": URL}),
        ({"images": [{"image": PNG}]}, {"base64": PNG, "mime_type": "image/png"}),
        ({"data": [{"image": URL}]}, {"url": URL}),
        ({"images": [URL]}, {"url": URL}),
        ({"data": [], "images": [{"url": URL}]}, {"extras": {}, "url": URL}),
        ({"image_url": {"url": URL}}, {"url": URL}),
    ],
)
def test_each_published_form(body: dict[str, Any], block: dict[str, Any]) -> None:
    block = {key: value for key, value in block.items() if value != {}}
    assert only(body) == {"type": "image", **block}


@pytest.mark.parametrize(
    ("first_bytes", "mime_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\n\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"BM\x0a\x01\x00\x00\x00\x00\x00\x00", "image/bmp"),
    ],
)
def test_the_type_is_that_of_the_first_bytes(first_bytes: bytes, mime_type: str) -> None:
    data = base64.b64encode(first_bytes).decode()
    for sent in (data, f"data:image/tiff;base64,{data}", f" {data[:4]}\n{data[4:]}\r\n"):
        assert only({"data": [{"b64_json": sent}]}) == {
            "type": "image",
            "base64": data,
            "mime_type": mime_type,
        }


def test_an_address_may_be_long() -> None:
    address = "https://a.example/".ljust(8192, "a")
    assert only({"url": address}) == {"type": "image", "url": address}


def test_all_pictures_are_returned() -> None:
    blocks = read_images({"created": 7, "data": [{"b64_json": PNG}, {"url": URL, "seed": 1}]})
    assert [block.get("mime_type") for block in blocks] == ["image/png", None]
    assert [block["extras"] for block in blocks] == [{"created": 7}, {"created": 7, "seed": 1}]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "holds no picture"),
        ({"status": 0, "message": "No credits"}, "holds no picture"),
        ({"data": [None]}, "holds no picture"),
        ({"data": [{"b64_json": ""}]}, "holds no picture"),
        ({"data": {"url": URL}, "images": None}, "holds no picture"),
        ({"data": [{"b64_json": "not base64!"}]}, "neither base64 nor an http address"),
        ({"data": [{"b64_json": PNG[:-1]}]}, "neither base64 nor an http address"),
        ({"url": "data:image/svg+xml,<svg/>"}, "neither base64 nor an http address"),
        ({"url": "javascript:alert(1)"}, "neither base64 nor an http address"),
        ({"data": [{"b64_json": base64.b64encode(b"<html>").decode()}]}, "is no picture"),
        ({"url": "file:///etc/passwd"}, "is no http address"),
        ({"url": "https://"}, "is no http address"),
        ({"url": "https://a.example/\u202egnp.exe"}, "is no http address"),
        ({"url": "https://a.example/a b"}, "is no http address"),
        ({"url": "https://a.example/\x07"}, "is no http address"),
        ({"url": "https://[a"}, "is no http address"),
        ({"url": f"https://a.example/{'a' * 10_000}"}, "more than 8192 characters"),
    ],
)
def test_anything_else_is_refused(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_images(body)


def test_an_address_may_be_unencrypted() -> None:
    assert only({"images": [{"url": "http://localhost/fox.png"}]})["url"].startswith("http://")
