"""LangChain's messages, and the content of agents' chat messages. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, Final, cast
from urllib.parse import urlsplit
from uuid import uuid4

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, get_buffer_string
from langchain_core.messages.utils import convert_to_messages
from langchain_core.prompt_values import PromptValue

from langchain_asi_one.agents._envelope import MAX_BYTES

_MEDIA: Final = ("image", "audio", "video", "file")
_NOT_SENT: Final = frozenset({"text", "reasoning", "tool_call", "invalid_tool_call"})
_SCHEMES: Final = frozenset({"https", "http", "agent-storage"})
_DATA_URI: Final = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*(;base64)?,", re.IGNORECASE
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def read_messages(message: LanguageModelInput | BaseMessage) -> list[BaseMessage]:
    """Return the messages that a caller gives in any form.

    Raises:
        TypeError: If it is none of these.
    """
    if isinstance(message, str):
        return [HumanMessage(message)]
    if isinstance(message, BaseMessage):
        return [message]
    if isinstance(message, PromptValue):
        return message.to_messages()
    given: object = message
    if isinstance(given, Sequence) and not isinstance(given, bytes):
        return convert_to_messages(message)
    msg = f"message must be a text, a message or a list of messages, not {type(message).__name__}"
    raise TypeError(msg)


def write_content(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    """Write messages as the content of one chat message.

    Human and system messages are put below each other. With others among them, each text begins
    with its role. Images and files follow, with their data as a `data:` address. Thoughts are left
    out: they are not for third parties.

    Raises:
        ValueError: If there is nothing to send, it is too large, or a block cannot be sent.
    """
    text = _write_text(messages)
    content: list[dict[str, Any]] = [{"type": "text", "text": text}] if text.strip() else []
    for message in messages:
        for block in cast("list[dict[str, Any]]", message.content_blocks):
            if block["type"] in _MEDIA or block["type"] == "text-plain":
                content.append(_write_resource(block))
            elif block["type"] not in _NOT_SENT:
                msg = (
                    f"an agent takes text, images and files, not a block of type "
                    f"{block['type']!r}: leave it out"
                )
                raise ValueError(msg)
    if not content:
        msg = "the message for the agent is empty: give it a text, an image or a file"
        raise ValueError(msg)
    size = sum(len(str(item)) for item in content) * 4 // 3
    if size > MAX_BYTES:
        msg = (
            f"the message for the agent has about {size:,} bytes, more than {MAX_BYTES:,}: send "
            "addresses instead of data, or less"
        )
        raise ValueError(msg)
    return content


def _write_text(messages: Sequence[BaseMessage]) -> str:
    if all(isinstance(message, HumanMessage | SystemMessage) for message in messages):
        return "\n\n".join(text for message in messages if (text := str(message.text)))
    return get_buffer_string(messages)


def _write_resource(block: dict[str, Any]) -> dict[str, Any]:
    mime_type = block.get("mime_type")
    if "base64" in block:
        kind = mime_type or "application/octet-stream"
        uri = f"data:{kind};base64,{block['base64']}"
    elif "url" in block:
        uri = block["url"]
    elif "text" in block:
        data = base64.b64encode(block["text"].encode()).decode()
        uri = f"data:{mime_type or 'text/plain'};base64,{data}"
    else:
        msg = (
            f"the {block['type']} block has neither base64 nor url: an agent cannot read what is "
            "kept elsewhere"
        )
        raise ValueError(msg)
    metadata = {"mime_type": mime_type} if mime_type else {}
    extras = block.get("extras")
    name = extras.get("filename") or extras.get("name") if isinstance(extras, dict) else None
    name = name or block.get("title")
    if isinstance(name, str):
        metadata["name"] = name
    resource = {"uri": uri, "metadata": metadata}
    return {"type": "resource", "resource_id": str(uuid4()), "resource": resource}


def read_block(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Read one part of a chat message as standard content blocks.

    Args:
        item: A part that holds content: `text`, `resource`, or one of a later protocol.

    Returns:
        Text and media blocks; what is of another kind, or has an address of another scheme than
        http, https and agent-storage, as `non_standard`. No address is fetched.
    """
    if item.get("type") == "text" and isinstance(item.get("text"), str):
        return [{"type": "text", "text": item["text"]}]
    if item.get("type") == "resource":
        found = item.get("resource")
        resources = found if isinstance(found, list) else [found]
        return [_read_resource(one, item.get("resource_id")) for one in resources]
    return [{"type": "non_standard", "value": item}]


def _read_resource(resource: Any, resource_id: Any) -> dict[str, Any]:
    uri = resource.get("uri") if isinstance(resource, dict) else None
    if not isinstance(uri, str):
        return {"type": "non_standard", "value": resource}
    held = resource.get("metadata")
    metadata = dict(held) if isinstance(held, dict) else {}
    found: Any = metadata.pop("mime_type", None)
    source = _read_uri(uri)
    if source is None:
        return {"type": "non_standard", "value": resource}
    mime_type = found if isinstance(found, str) else source.get("mime_type")
    kind = (mime_type or "").partition("/")[0]
    block = {"type": kind if kind in _MEDIA[:3] else "file", **source}
    if mime_type:
        block["mime_type"] = mime_type
    elif "base64" in block:
        block["mime_type"] = "application/octet-stream"
    extras = {**metadata, "resource_id": resource_id} if resource_id else metadata
    if extras:
        block["extras"] = extras
    return block


def _read_uri(uri: str) -> dict[str, Any] | None:
    """Return data or address of a resource; `None` for other schemes."""
    if head := _DATA_URI.match(uri):
        data = "".join(uri[head.end() :].split())
        if head[2] and _BASE64.fullmatch(data):
            return {"base64": data, **({"mime_type": head[1].lower()} if head[1] else {})}
        return None
    try:
        scheme = urlsplit(uri).scheme
    except ValueError:
        return None
    return {"url": uri} if scheme in _SCHEMES and uri.isprintable() else None
