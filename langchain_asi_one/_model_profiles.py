"""Facts about the models, as data with source and date.

Context sizes and image input: ASI:One's model documentation as of October 2026
(docs/wire-format.md, 8.2). Client configurations still carry 196,000 for all three. A maximum
output is not published, and structured output beside tools is not documented, so neither is
claimed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The command's help and the stand-in read names only.
    from langchain_core.language_models import ModelProfile

PROFILES: dict[str, ModelProfile] = {
    name: {
        "max_input_tokens": context,
        "text_inputs": True,
        "text_outputs": True,
        "image_inputs": images,
        "reasoning_output": True,
        "tool_calling": True,
        "tool_choice": True,
    }
    for name, context, images in (
        ("asi1", 196_608, True),
        ("asi1-ultra", 1_000_000, False),
        ("asi1-mini", 262_144, False),
    )
}

# Names of 2025 (docs/wire-format.md, 8.1); the API has been seen to refuse at least `asi1-agentic`.
SUCCESSORS: dict[str, str] = {
    "asi1-fast": "asi1-mini",
    "asi1-extended": "asi1-ultra",
    "asi1-agentic": "asi1",
    "asi1-fast-agentic": "asi1",
    "asi1-extended-agentic": "asi1-ultra",
    "asi1-graph": "asi1",
}
