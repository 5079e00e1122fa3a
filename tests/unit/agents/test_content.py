"""Content blocks to the chat protocol and back."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompt_values import StringPromptValue
from langchain_core.prompts import ChatPromptTemplate
from uagents_core.contrib.protocols.chat import ChatMessage

from langchain_asi_one.agents._content import read_block, read_messages, write_content
from langchain_asi_one.agents._envelope import MAX_BYTES

DATA = base64.b64encode(b"\x89PNG").decode()
PICTURE = {"type": "image", "base64": DATA, "mime_type": "image/png"}


def write(message: Any) -> list[dict[str, Any]]:
    return write_content(read_messages(message))


def resource(uri: Any, metadata: Any = None, **others: Any) -> dict[str, Any]:
    held = {"uri": uri, "metadata": metadata or {}}
    return {"type": "resource", "resource_id": "r-1", "resource": held, **others}


@pytest.mark.parametrize(
    "message",
    [
        "Rain?",
        HumanMessage("Rain?"),
        [HumanMessage("Rain?")],
        [("user", "Rain?")],
        [{"role": "user", "content": "Rain?"}],
        ["Rain?"],
        StringPromptValue(text="Rain?"),
        ChatPromptTemplate.from_messages([("user", "Rain?")]).invoke({}),
        HumanMessage([{"type": "text", "text": "Rain?"}]),
    ],
)
def test_each_form_of_a_message_is_sent(message: Any) -> None:
    assert write(message) == [{"type": "text", "text": "Rain?"}]


def test_instructions_and_questions_stand_below_each_other() -> None:
    given = [SystemMessage("Be short."), HumanMessage("Rain?"), HumanMessage("Snow?")]
    assert write(given) == [{"type": "text", "text": "Be short.\n\nRain?\n\nSnow?"}]


def test_a_conversation_shows_who_said_what() -> None:
    call = {"name": "look", "args": {"at": "sky"}, "id": "1", "type": "tool_call"}
    given = [
        HumanMessage("Rain?"),
        AIMessage([{"type": "reasoning", "reasoning": "secret"}], tool_calls=[call]),
        ToolMessage("clouds", tool_call_id="1"),
        AIMessage("Perhaps."),
        HumanMessage("And snow?"),
    ]
    [item] = write(given)
    lines = item["text"].splitlines()
    assert lines[0] == "Human: Rain?"
    assert "look" in lines[1]
    assert lines[-2:] == ["AI: Perhaps.", "Human: And snow?"]
    assert "secret" not in item["text"]


@pytest.mark.parametrize(
    ("block", "uri", "metadata"),
    [
        (PICTURE, f"data:image/png;base64,{DATA}", {"mime_type": "image/png"}),
        ({"type": "image", "url": "https://a.example/b"}, "https://a.example/b", {}),
        (
            {"type": "audio", "url": "https://a.example/b", "mime_type": "audio/ogg"},
            "https://a.example/b",
            {"mime_type": "audio/ogg"},
        ),
        (
            {**PICTURE, "type": "file", "mime_type": "a/b", "extras": {"filename": "x.y"}},
            f"data:a/b;base64,{DATA}",
            {"mime_type": "a/b", "name": "x.y"},
        ),
        (
            {"type": "text-plain", "text": "é", "mime_type": "text/plain", "title": "t"},
            "data:text/plain;base64,w6k=",
            {"mime_type": "text/plain", "name": "t"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
            "https://a.example/b",
            {},
        ),
        ({"type": "file", "base64": DATA}, f"data:application/octet-stream;base64,{DATA}", {}),
    ],
)
def test_media_are_sent_as_resources(block: Any, uri: str, metadata: dict[str, str]) -> None:
    content = write(HumanMessage([{"type": "text", "text": "See"}, block]))
    assert content[0] == {"type": "text", "text": "See"}
    assert content[1]["resource"] == {"uri": uri, "metadata": metadata}
    parsed: Any = ChatMessage.parse_obj(
        {
            "timestamp": "2026-11-26T00:00:00Z",
            "msg_id": content[1]["resource_id"],
            "content": content,
        }
    )
    assert parsed.content[1].resource.uri == uri


def test_a_picture_alone_is_a_message() -> None:
    assert [item["type"] for item in write(HumanMessage([PICTURE]))] == ["resource"]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ([], "empty"),
        (HumanMessage([{"type": "image", "file_id": "f"}]), "neither base64 nor url"),
        (HumanMessage([{"type": "odd", "odd": 1}]), "'non_standard'"),
        ("x" * MAX_BYTES, "bytes, more than 4,000,000"),
    ],
)
def test_what_cannot_be_sent_is_refused(message: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        write(message)


@pytest.mark.parametrize("message", [None, 7, b"Rain?", {"role": "user"}])
def test_what_is_no_message_is_refused(message: Any) -> None:
    with pytest.raises(TypeError, match="message must be a text"):
        write(message)


EXTRAS = {"resource_id": "r-1"}


@pytest.mark.parametrize(
    ("item", "block"),
    [
        ({"type": "text", "text": "a"}, {"type": "text", "text": "a"}),
        (
            resource(f"data:image/png;base64,{DATA}"),
            {**PICTURE, "extras": EXTRAS},
        ),
        (
            resource("https://a.example/b", {"mime_type": "video/mp4", "role": "clip"}),
            {
                "type": "video",
                "url": "https://a.example/b",
                "mime_type": "video/mp4",
                "extras": {"role": "clip", **EXTRAS},
            },
        ),
        (
            resource("agent-storage://x/y", {"mime_type": "application/pdf"}),
            {
                "type": "file",
                "url": "agent-storage://x/y",
                "mime_type": "application/pdf",
                "extras": EXTRAS,
            },
        ),
        (
            resource(f"data:;base64,{DATA}"),
            {
                "type": "file",
                "base64": DATA,
                "mime_type": "application/octet-stream",
                "extras": EXTRAS,
            },
        ),
    ],
)
def test_content_becomes_standard_blocks(item: dict[str, Any], block: dict[str, Any]) -> None:
    assert read_block(item) == [block]
    assert AIMessage([block]).content_blocks == [block]


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,<script>",
        "data:image/png;base64,%%%",
        "https://[",
        "https://a.example/\x1b[31m",
        "no address",
        7,
        None,
    ],
)
def test_an_address_of_another_kind_is_data_only(uri: Any) -> None:
    item = resource(uri)
    assert read_block(item) == [{"type": "non_standard", "value": item["resource"]}]


def test_further_resources_of_one_are_blocks_too() -> None:
    both = [{"uri": f"https://a.example/{n}", "metadata": None} for n in (1, 2)]
    blocks = read_block({"type": "resource", "resource": both})
    assert [block["url"] for block in blocks] == ["https://a.example/1", "https://a.example/2"]


def test_content_of_a_later_protocol_is_kept() -> None:
    item = {"type": "hologram", "depth": 3}
    assert read_block(item) == [{"type": "non_standard", "value": item}]
