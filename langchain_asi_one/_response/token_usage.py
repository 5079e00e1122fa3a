"""Token counts of a response, in LangChain's names."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

_INT64_MAX = 2**63 - 1
_INPUT_DETAILS = {"cached": "cache_read", "cache_write": "cache_creation"}


def read_usage(usage: dict[str, Any]) -> UsageMetadata | None:
    """Read token counts in LangChain's form; `None` if nothing was counted.

    Values that are no counts are left out. Reasoning tokens stand at the top of `usage` (E3) or in
    `completion_tokens_details`. All other details keep their names, without `_tokens`.

    Example:
        >>> details = {"cached_tokens": 2, "audio_tokens": 1}
        >>> read_usage({"prompt_tokens": 5.0, "prompt_tokens_details": details})
        {'input_tokens': 5, 'output_tokens': 0, 'total_tokens': 5, 'input_token_details': {'cache_read': 2, 'audio': 1}}
    """  # noqa: E501
    input_tokens = read_count(usage.get("prompt_tokens"))
    output_tokens = read_count(usage.get("completion_tokens"))
    if input_tokens is None and output_tokens is None:
        return None
    total = read_count(usage.get("total_tokens"))
    metadata = UsageMetadata(
        input_tokens=input_tokens or 0,
        output_tokens=output_tokens or 0,
        total_tokens=total if total is not None else (input_tokens or 0) + (output_tokens or 0),
    )
    details = _read_details(usage.get("prompt_tokens_details"))
    inputs = {_INPUT_DETAILS.get(name, name): count for name, count in details.items()}
    outputs = _read_details(usage.get("completion_tokens_details"))
    reasoning = read_count(usage.get("reasoning_tokens"))
    if reasoning is not None:
        outputs.setdefault("reasoning", reasoning)
    if inputs:
        metadata["input_token_details"] = cast("InputTokenDetails", inputs)
    if outputs:
        metadata["output_token_details"] = cast("OutputTokenDetails", outputs)
    return metadata


def read_count(value: object) -> int | None:
    """Return a count of tokens; `None` for a value that is none.

    It is 0 or more, and below 2**63. Gateways send whole numbers as floats, too.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _INT64_MAX else None


def _read_details(details: object) -> dict[str, int]:
    if not isinstance(details, dict):
        return {}
    counts = {name: read_count(value) for name, value in details.items()}
    return {n.removesuffix("_tokens"): count for n, count in counts.items() if count is not None}
