"""From LangChain messages to the `messages` of a request: pure, without I/O.

The documented form (docs/wire-format.md, 1.4 and 4.1): roles system, user, assistant and tool;
content as a string; tool results as a string with the exact id of their call. `thought` and other
extras of a response are never sent back. A prompt may hold text that no request can carry, such as
half of a surrogate pair, so all text is made safe.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
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

from langchain_asi_one._json.safe import dumps, json_safe, safe_text

_ROLES = {"ai": "assistant", "human": "user", "developer": "system"}


def convert_messages(messages: Iterable[BaseMessage]) -> list[dict[str, Any]]:
    """Return a conversation in the form that the API documents.

    Args:
        messages: Any LangChain messages, also those of other providers.

    Returns:
        One dict per message.

    Raises:
        ValueError: If a message cannot be sent; it names the content that cannot.

    Example:
        >>> convert_messages([HumanMessage("Hi")])
        [{'role': 'user', 'content': 'Hi'}]
    """
    messages = list(messages)
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    return [_convert_message(message, answered) for message in messages]


def _convert_message(message: BaseMessage, answered: set[str]) -> dict[str, Any]:
    if isinstance(message, AIMessage):
        return _convert_assistant(message, answered)
    if isinstance(message, ToolMessage):
        return {
            "role": "tool",
            "tool_call_id": safe_text(message.tool_call_id),
            "content": safe_text(_join_tool_content(message.content)),
        }
    wire: dict[str, Any]
    if isinstance(message, HumanMessage):
        wire = {"role": "user"}
    elif isinstance(message, SystemMessage):
        wire = {"role": "system"}
    elif isinstance(message, ChatMessage):
        wire = {"role": _ROLES.get(message.role, safe_text(message.role))}
    else:
        msg = (
            f"ASI:One takes system, human, AI and tool messages; got {type(message).__name__}. "
            f"Send the result of a function as ToolMessage."
        )
        raise ValueError(msg)  # noqa: TRY004 - the list of messages is at fault
    if message.name is not None:
        wire["name"] = safe_text(message.name)
    wire["content"] = _convert_content(message)
    return wire


def _convert_assistant(message: AIMessage, answered: set[str]) -> dict[str, Any]:
    calls = [
        _format_tool_call(call["id"], call["name"], dumps(call["args"]))
        for call in message.tool_calls
    ]
    # The API refuses a call without a result, and the caller cannot run an invalid call.
    calls += [
        _format_tool_call(call["id"], call["name"] or "unknown", _parseable_arguments(call["args"]))
        for call in message.invalid_tool_calls
        if call["id"] in answered
    ]
    text = message.content if isinstance(message.content, str) else str(message.text)
    wire: dict[str, Any] = {"role": "assistant", "content": safe_text(text)}
    if message.name is not None:
        wire["name"] = safe_text(message.name)
    if calls:
        wire["content"] = wire["content"] or None
        wire["tool_calls"] = calls
    return wire


def _format_tool_call(call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    return {
        "id": call_id and safe_text(call_id),
        "type": "function",
        "function": {"name": name and safe_text(name), "arguments": arguments},
    }


def _parseable_arguments(args: str | None) -> str:
    """Return arguments of an invalid call as JSON, as servers parse those of the history."""
    try:
        if isinstance(json.loads(args or "{}"), dict):
            return safe_text(args or "{}")
    except ValueError:
        pass
    return dumps({"invalid_arguments": args})


def _convert_content(message: BaseMessage) -> str | list[dict[str, Any]]:
    """Return text as a string, and parts only if there is something besides text."""
    if isinstance(message.content, str):
        return safe_text(message.content)
    parts = [_convert_block(block, type(message).__name__) for block in message.content]
    if all(part["type"] == "text" for part in parts):
        return safe_text("".join(part["text"] for part in parts))
    return cast("list[dict[str, Any]]", json_safe(parts))


def _convert_block(block: str | dict[str, Any], of: str) -> dict[str, Any]:
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return {"type": "text", "text": block["text"]}
    if kind == "image_url" and block.get("image_url"):
        return {"type": "image_url", "image_url": block["image_url"]}
    if kind == "image" and (image := _convert_image(block)):
        return image
    msg = (
        f"ASI:One takes text and images, by address or as base64 with their media type; {of} holds "
        f"a content block of type {kind!r} with {', '.join(sorted(map(str, block)))}. Remove the "
        f"block or put its content into text."
    )
    raise ValueError(msg)


def _convert_image(block: dict[str, Any]) -> dict[str, Any] | None:
    """Return an image by address or data; the API cannot fetch any other source."""
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


def _join_tool_content(content: str | list[Any]) -> str:
    """Return a tool result as the string that the API asks for."""
    if isinstance(content, str):
        return content
    texts = [b if isinstance(b, str) else b.get("text") for b in content]
    if all(
        isinstance(b, str) or (b.get("type") == "text" and isinstance(b.get("text"), str))
        for b in content
    ):
        return "\n".join(str(text) for text in texts)
    return dumps(content)
