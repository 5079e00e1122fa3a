"""ASI:One messages as LangChain's standard content blocks (`content_blocks`, v1, events v3).

Every block has a stable `index`. LangChain merges blocks of consecutive chunks that share one; it
splits or overwrites blocks without one. Text is always one block, even with others in between.
"""

from __future__ import annotations

from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages import content as types
from langchain_core.messages.block_translators import register_translator

from langchain_asi_one._response.fields import OWN_FIELDS

MODEL_PROVIDER = "asi-one"

# langchain-core has a standard block of refusals since 1.7.5.
_KNOWS_REFUSALS = "refusal" in types.KNOWN_BLOCK_TYPES


def translate_content(message: AIMessage) -> list[types.ContentBlock]:
    """Return the blocks of a message.

    These are reasoning, text, a refusal, tool calls, server tool calls with their results, then
    `non_standard` blocks, each `{"type": <field>, <field>: <item>}` in `value`.
    """
    calls: list[dict[str, Any]] = [
        {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
        for call in message.tool_calls
    ]
    calls += [{**call} for call in message.invalid_tool_calls]
    return _list_blocks(message, calls)


def translate_content_chunk(message: AIMessageChunk) -> list[types.ContentBlock]:
    """Return the blocks of a chunk, or of a sum of chunks.

    Tool calls are deltas, except in the sum of a whole stream.
    """
    if message.chunk_position == "last" and not any(
        call["index"] is not None and call["name"] is None for call in message.tool_call_chunks
    ):
        return translate_content(message)
    calls = [
        {**call, "index": f"lc_tool_call_{call['index']}"} for call in message.tool_call_chunks
    ]
    return _list_blocks(message, calls)


def _list_blocks(message: AIMessage, calls: list[dict[str, Any]]) -> list[types.ContentBlock]:
    fields = message.additional_kwargs
    blocks: list[dict[str, Any]] = []
    if thought := fields.get("thought"):
        blocks.append({"type": "reasoning", "reasoning": thought, "index": "lc_thought"})
    if text := str(message.text):  # plain: chunks with LangChain's own type cannot be added
        blocks.append({"type": "text", "text": text, "index": "lc_text"})
    if refusal := fields.get("refusal"):
        block = {"type": "refusal", "refusal": str(refusal)}
        standard = block if _KNOWS_REFUSALS else {"type": "non_standard", "value": block}
        blocks.append({**standard, "index": "lc_refusal"})
    blocks += calls
    for number, record in enumerate(_list_items(fields.get("server_tool_calls"))):
        blocks += _list_server_tool_blocks(record, number)
    for name in OWN_FIELDS:
        for number, item in enumerate(_list_items(fields.get(name))):
            value = {"type": name, name: item}
            blocks.append({"type": "non_standard", "value": value, "index": f"lc_{name}_{number}"})
    return cast("list[types.ContentBlock]", blocks)


def _list_server_tool_blocks(record: Any, number: int) -> list[dict[str, Any]]:
    record = record if isinstance(record, dict) else {}
    call_id = str(record.get("id") or f"server_tool_call_{number}")
    args = record.get("args")
    call = {
        "type": "server_tool_call",
        "id": call_id,
        "name": str(record.get("tool_name") or ""),
        "args": args if isinstance(args, dict) else {"args": args},
        "index": f"lc_server_tool_call_{number}",
    }
    if record.get("result") is None:
        return [call]
    result = {
        "type": "server_tool_result",
        "tool_call_id": call_id,
        "status": "success",
        "output": record["result"],
        "index": f"lc_server_tool_result_{number}",
    }
    return [call, result]


def _list_items(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


register_translator(MODEL_PROVIDER, translate_content, translate_content_chunk)
