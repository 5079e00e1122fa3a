"""Estimates of tokens, as ASI:One publishes no tokenizer: pure, without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_asi_one._json.safe import dumps

# Tokens per character by the length of its UTF-8: Latin; accents, Greek, Cyrillic, Arabic; Chinese,
# Japanese, Korean, Indic; emoji. Four Latin characters a token is the usual rule. Reports of others
# measured 1.4 to 2.1 Chinese characters a token (langchain#39755).
_LATIN, _TWO_BYTES, _THREE_BYTES, _FOUR_BYTES = 0.25, 0.5, 0.75, 2.0
_PER_MESSAGE = 3
_PER_IMAGE = 85  # as LangChain's own estimate has it


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text, rather too high than too low.

    Example:
        >>> estimate_tokens("Why is the sky blue?"), estimate_tokens("天空为什么是蓝色的")
        (5, 7)
    """
    beyond_latin = sum(character > "\x7f" for character in text)
    beyond_two = sum(character > "\u07ff" for character in text) if beyond_latin else 0
    beyond_three = sum(character > "\uffff" for character in text) if beyond_two else 0
    tokens = (
        _LATIN * (len(text) - beyond_latin)
        + _TWO_BYTES * (beyond_latin - beyond_two)
        + _THREE_BYTES * (beyond_two - beyond_three)
        + _FOUR_BYTES * beyond_three
    )
    return int(-(-tokens // 1))


def count_message_tokens(
    messages: Iterable[Mapping[str, Any]], tools: Sequence[Any], count: Callable[[str], int]
) -> int:
    """Return the tokens of a request's messages and tools.

    `count` gives the tokens of a text; 3 are added for each message and 85 for each image.
    """
    total = sum(count(dumps(convert_to_openai_tool(tool))) for tool in tools)
    for message in messages:
        content = message["content"] or ""
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        texts = [part["text"] for part in parts if part["type"] == "text"]
        calls = message.get("tool_calls") or ()
        texts += [f"{call['function']['name']}{call['function']['arguments']}" for call in calls]
        texts += [str(message.get(name) or "") for name in ("role", "name", "tool_call_id")]
        total += count("".join(texts)) + _PER_MESSAGE
        total += _PER_IMAGE * sum(part["type"] != "text" for part in parts)
    return total
