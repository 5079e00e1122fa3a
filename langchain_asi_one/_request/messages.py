"""From LangChain messages to the `messages` of a request: pure, without I/O.

The documented form (docs/wire-format.md, 1.4 and 4.1): roles system, user, assistant and tool;
content as a string; tool results as a string with the exact id of their call. `thought` and
the other fields that only responses have are never sent back. A prompt may hold text that no
request can carry, such as half of a surrogate pair, so all text is made safe.

A tool result is only text: an image in it follows in a user message after the results of the turn,
and other media become a note. Names are made such as the API takes for tools.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_openai_data_block,
    is_data_content_block,
)

from langchain_asi_one._json.safe import dumps, make_json_safe, make_text_safe
from langchain_asi_one._request.fields import clean_name

# Base64 of more than a few lines, perhaps in a data URL, or bytes as Python shows them.
_DATA = re.compile(
    r"(data:[^,\s]{0,200},)?(?=[A-Za-z0-9+/_-]{60})[A-Za-z0-9+/_\r\n-]{1000,}+={0,2}\s*\Z"
    r"|b['\"].{1000}"
)
_MEDIA = {"image", "image_url", "audio", "input_audio", "video", "file", "media"}

_ROLES = {"ai": "assistant", "human": "user", "developer": "system"}


def convert_messages(messages: Iterable[BaseMessage]) -> list[dict[str, Any]]:
    """Return a conversation in the form that the API documents.

    Messages of other providers will do. There is one dict for each, and one for the images of the
    tool results before it.

    Raises:
        ValueError: If a message cannot be sent; it names the content that cannot.

    Example:
        >>> convert_messages([HumanMessage("Hi")])
        [{'role': 'user', 'content': 'Hi'}]
    """
    messages = list(messages)
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    wires: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for message in messages:
        if images and not isinstance(message, ToolMessage):
            wires.append({"role": "user", "content": images})
            images = []
        wires.append(_convert_message(message, answered))
        if isinstance(message, ToolMessage):
            images += _find_images(message)
    return [*wires, {"role": "user", "content": images}] if images else wires


def _convert_message(message: BaseMessage, answered: set[str]) -> dict[str, Any]:
    if isinstance(message, AIMessage):
        return _convert_assistant(message, answered)
    if isinstance(message, ToolMessage):
        return {
            "role": "tool",
            "tool_call_id": make_text_safe(message.tool_call_id),
            "content": make_text_safe(_join_tool_content(message.content)),
        }
    wire: dict[str, Any]
    if isinstance(message, HumanMessage):
        wire = {"role": "user"}
    elif isinstance(message, SystemMessage):
        wire = {"role": "system"}
    elif isinstance(message, ChatMessage):
        wire = {"role": _ROLES.get(message.role, make_text_safe(message.role))}
    else:
        msg = (
            f"ASI:One takes system, human, AI and tool messages; got {type(message).__name__}. "
            f"Send the result of a function as ToolMessage."
        )
        raise ValueError(msg)  # noqa: TRY004 - the list of messages is at fault
    if name := clean_name(message.name):
        wire["name"] = name
    wire["content"] = _convert_content(message)
    return wire


def _convert_assistant(message: AIMessage, answered: set[str]) -> dict[str, Any]:
    calls = [
        _format_tool_call(call["id"], call["name"], dumps(call["args"]))
        for call in message.tool_calls
    ]
    # The API refuses a call without a result, and the caller cannot run an invalid call.
    calls += [
        _format_tool_call(call["id"], call["name"], _make_parseable(call["args"]))
        for call in message.invalid_tool_calls
        if call["id"] in answered
    ]
    text = message.content if isinstance(message.content, str) else str(message.text)
    wire: dict[str, Any] = {
        "role": "assistant",
        "content": make_text_safe(text or _read_refusal(message)),
    }
    if name := clean_name(message.name):
        wire["name"] = name
    if calls:
        wire["content"] = wire["content"] or None
        wire["tool_calls"] = calls
    return wire


def _format_tool_call(call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    return {
        "id": call_id and make_text_safe(call_id),
        "type": "function",
        "function": {"name": clean_name(name) or "unknown", "arguments": arguments},
    }


def _read_refusal(message: AIMessage) -> str:
    """Return the text of a refused turn, which content lacks."""
    blocks = message.content if isinstance(message.content, list) else []
    texts = [block.get("refusal") for block in blocks if isinstance(block, dict)]
    return "".join(map(str, filter(None, texts or [message.additional_kwargs.get("refusal")])))


def _make_parseable(args: str | None) -> str:
    """Return an invalid call's arguments as JSON.

    Servers parse the arguments of a history.
    """
    try:
        if isinstance(json.loads(args or "{}"), dict):
            return make_text_safe(args or "{}")
    except ValueError:
        pass
    return dumps({"invalid_arguments": args})


def _convert_content(message: BaseMessage) -> str | list[dict[str, Any]]:
    """Return text as a string, anything else as parts."""
    if isinstance(message.content, str):
        return make_text_safe(message.content)
    parts = [_convert_block(block, type(message).__name__) for block in message.content]
    if all(part["type"] == "text" for part in parts):
        return make_text_safe("".join(part["text"] for part in parts))
    return cast("list[dict[str, Any]]", make_json_safe(parts))


def _convert_block(block: str | dict[str, Any], of: str) -> dict[str, Any]:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    if _is_text(block):
        return {"type": "text", "text": block["text"]}
    if image := _convert_image(block):
        _check_address(image["image_url"])
        return image
    msg = (
        f"ASI:One takes text and images, by address or as base64 with their media type; {of} holds "
        f"a content block of type {kind!r} with {', '.join(sorted(map(str, block)))}. Remove the "
        f"block or put its content into text."
    )
    raise ValueError(msg)


def _convert_image(block: dict[str, Any]) -> dict[str, Any] | None:
    """Return an image by address or data.

    The API cannot fetch any other source.
    """
    if block.get("type") == "image_url" and block.get("image_url"):
        return {"type": "image_url", "image_url": block["image_url"]}
    if block.get("type") != "image":
        return None
    source = block.get("source")
    if isinstance(source, dict):
        url = source.get("url")
        if source.get("data") and source.get("media_type"):
            url = f"data:{source['media_type']};base64,{source['data']}"
        return {"type": "image_url", "image_url": {"url": url}} if url else None
    try:
        return convert_to_openai_data_block(block) if is_data_content_block(block) else None
    except (KeyError, ValueError):
        return None


def _check_address(image: Any) -> None:
    """Refuse an image that the API cannot fetch, as a local file."""
    url = image.get("url") if isinstance(image, Mapping) else image
    if isinstance(url, str) and not url.lower().startswith(("https://", "http://", "data:")):
        msg = (
            f"The address of an image begins with https://, http:// or data:, not {url[:100]!r}. "
            f'Send a file as {{"type": "image", "base64": …, "mime_type": …}}.'
        )
        raise ValueError(msg)


def _is_text(block: dict[str, Any]) -> bool:
    return block.get("type") in ("text", "text-plain") and isinstance(block.get("text"), str)


def _join_tool_content(content: str | list[Any]) -> str:
    """Return a tool result as the string that the API asks for."""
    if isinstance(content, str):
        return content
    blocks = [block for block in content if isinstance(block, dict)]
    if not all(_is_text(block) or _is_media(block) for block in blocks):
        return dumps(_drop_data(make_json_safe(content)))
    return "\n".join(
        block
        if isinstance(block, str)
        else block["text"]
        if _is_text(block)
        else _describe_media(block)
        for block in content
    )


def _drop_data(value: Any) -> Any:
    """Replace media, and other data that is no text, by notes."""
    if isinstance(value, list):
        return [_drop_data(item) for item in value]
    if isinstance(value, dict):
        if _is_media(value):
            return _describe_media(value)
        return {name: _drop_data(item) for name, item in value.items()}
    if isinstance(value, str) and _DATA.match(value):
        return f"[{len(value):,} characters of data: not sent]"
    return value


def _list_media(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and _is_media(value):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _list_media(item)


def _is_media(block: dict[str, Any]) -> bool:
    """Return whether a block holds an image, a sound or a file.

    It may be written in any convention.
    """
    source = block.get("source")
    is_data = isinstance(source, dict) and source.get("type") == "base64"
    return block.get("type") in _MEDIA or is_data or is_data_content_block(block)


def _describe_media(block: dict[str, Any]) -> str:
    """Say in a tool result what stands there and is no text."""
    if _convert_image(block):
        return "[image: see the user message after the tool results]"
    kinds = (block.get("mime_type"), block.get("media_type"), block.get("type"))
    kind = next(str(kind) for kind in kinds if kind)
    return f"[{kind}: not sent, as ASI:One takes text and images only]"


def _find_images(message: ToolMessage) -> list[dict[str, Any]]:
    """Return a tool result's images as parts of a user message."""
    blocks = message.content if isinstance(message.content, list) else []
    images = [_convert_image(block) for block in _list_media(make_json_safe(blocks))]
    parts = [image for image in images if image]
    if not parts:
        return []
    text = f"From the result of tool call {message.tool_call_id}:"
    return cast("list[dict[str, Any]]", make_json_safe([{"type": "text", "text": text}, *parts]))
