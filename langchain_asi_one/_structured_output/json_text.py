"""Finds the JSON in the text of an answer. Pure."""

from __future__ import annotations

import re
from typing import Any

from langchain_core.exceptions import OutputParserException

from langchain_asi_one._json.safe import loads

# json_object answers have been recorded inside a code fence (docs/wire-format.md, 5.1). The
# shortest fence comes first; a text in the JSON may hold fences too.
_FENCES = [
    re.compile(rf"```(?:json)?({inside})```", re.DOTALL | re.IGNORECASE) for inside in (".*?", ".*")
]


def read_json(text: str) -> Any:
    """Read the JSON of an answer, which may stand in a code fence.

    Args:
        text: The answer's text.

    Returns:
        The JSON value.

    Raises:
        OutputParserException: If it is not complete JSON. LangChain's own parsers complete a
            truncated one by guessing.
    """
    fenced = [match[1] for fence in _FENCES if (match := fence.search(text))]
    for candidate in (text, *fenced):
        try:
            return loads(candidate.strip())
        except ValueError:
            continue
    msg = (
        f"The answer is not complete JSON: {text[:500]!r}. If it was cut off, raise max_tokens; "
        f"if it is prose, use method='function_calling'."
    )
    raise OutputParserException(msg, llm_output=text)
