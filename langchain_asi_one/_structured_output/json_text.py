"""Finds the JSON in the text of an answer: no I/O."""

from __future__ import annotations

import re
from json import JSONDecoder
from typing import Any, Final

from langchain_asi_one._json.safe import loads

# json_object answers have been recorded inside a code fence (docs/wire-format.md, 5.1).
FENCE: Final = "```(?:json)?"
"""Pattern of the beginning of a code fence, in any case."""
# The shortest comes first; a text in the JSON may hold fences too.
_FENCES: Final = [
    re.compile(rf"{FENCE}({inside})```", re.DOTALL | re.IGNORECASE) for inside in (".*?", ".*")
]
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
# A control character, or an escape, which stays as it is: behind a backslash it is an error.
_IN_STRING: Final = re.compile(r"\\.|[\x00-\x1f]", re.DOTALL)
# Also one that does not end: a search that fails would begin again at the next quote.
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# A bracket with the first token of JSON behind it, or cut off there: others belong to prose.
_OPENING: Final = re.compile(
    r"\{(?=[ \t\r\n]*(?:[\"}]|\Z))"
    r"|\[(?=[ \t\r\n]*(?:[\[{\"\]0-9]|-[0-9]|true\b|false\b|null\b|\Z))"
)
_DECODER: Final = JSONDecoder(strict=False, parse_int=str, parse_float=str)


def read_json(text: str) -> Any:
    """Read the JSON of an answer, as models write it.

    Control characters may stand in strings as they are. The JSON may stand in a code fence; in
    prose, if the prose holds no second object or array.

    Raises:
        ValueError: If there is no such JSON, or it is cut off or malformed.
    """
    fenced = [match[1] for fence in _FENCES if (match := fence.search(text))]
    for candidate in (text, *fenced):
        try:
            return read_document(candidate)
        except ValueError:
            continue
    return read_document(_find_only_value(text))


def read_document(text: str) -> Any:
    """Read a JSON document; its strings may hold raw control characters.

    Blanks may stand around it. The value is safe as by `langchain_asi_one._json.safe.loads`.

    Raises:
        ValueError: If it is no complete JSON document.
    """
    text = text.strip()
    try:
        return loads(text)
    except ValueError:
        if not _CONTROL.search(text):
            raise
    return loads(_STRING.sub(lambda string: _IN_STRING.sub(_escape, string[0]), text))


def _escape(found: re.Match[str]) -> str:
    text = found[0]
    return text if len(text) > 1 else f"\\u{ord(text):04x}"


def _find_only_value(text: str) -> str:
    """Return the only object or array in prose.

    Raise ValueError if there is none, or more than one.
    """
    found = ""
    at = 0
    while opening := _OPENING.search(text, at):
        if found:
            msg = "There is more than one JSON value."
            raise ValueError(msg)
        try:
            # Malformed or cut JSON is refused: a part of it could be taken for the whole.
            _, at = _DECODER.raw_decode(text, opening.start())
        except RecursionError:
            msg = "JSON in prose is nested too deep."
            raise ValueError(msg) from None
        found = text[opening.start() : at]
    return found
