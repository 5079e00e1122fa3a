"""The choice of tools that the stand-in calls, and of their arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from langchain_asi_one.testing._responses import to_json
from langchain_asi_one.testing._schema_examples import ExampleMaker

if TYPE_CHECKING:
    from collections.abc import Iterable

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_QUOTED = re.compile(r"[\"'\u201c\u2018]([^\"'\u201d\u2019]{1,200})[\"'\u201d\u2019](?!\w)")
_PLACE = re.compile(r"\b(?:in|for|at|to|of|from) ((?:[A-Z]\w*)(?:,? [A-Z]\w*)*)")
_PROPER = re.compile(r"(?<=[a-z,;:] )[A-Z]\w+(?: [A-Z]\w+)*")
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COMMON = frozenset(
    {
        "about",
        "after",
        "also",
        "answer",
        "apply",
        "asks",
        "call",
        "called",
        "calls",
        "each",
        "find",
        "function",
        "functions",
        "generate",
        "give",
        "given",
        "from",
        "have",
        "help",
        "information",
        "input",
        "into",
        "just",
        "make",
        "need",
        "only",
        "output",
        "please",
        "query",
        "return",
        "returns",
        "show",
        "some",
        "such",
        "take",
        "tell",
        "text",
        "than",
        "that",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "tool",
        "tools",
        "user",
        "using",
        "value",
        "values",
        "very",
        "what",
        "when",
        "where",
        "which",
        "will",
        "with",
        "would",
        "your",
    }
)
"""Words too general to choose a tool by."""


def choose_tools(payload: dict[str, Any], text: str) -> list[dict[str, Any]]:
    """Return the definitions of the tools to call for a request.

    - ``tool_choice`` names a tool: that tool.
    - ``"required"``: of the tools not called since the last user message, those in ``text``, or
      else the first.
    - ``"auto"`` or absent: the tools in ``text``; after a tool result none.
    - ``"none"``: none.

    With ``parallel_tool_calls: false`` there is at most one.

    Args:
        payload: The request body.
        text: The last user text.
    """
    tools = [t["function"] for t in payload.get("tools") or []]
    choice = payload.get("tool_choice") or "auto"
    if isinstance(choice, dict):
        wanted = choice["function"]["name"]
        return [tool for tool in tools if tool["name"] == wanted][:1]
    if choice == "none" or not tools:
        return []
    done = _list_called_names(payload["messages"])
    if choice == "required":
        left = [tool for tool in tools if tool["name"] not in done] or tools
        chosen = find_mentioned_tools(left, text) or left[:1]
    else:
        chosen = (
            [] if payload["messages"][-1]["role"] == "tool" else find_mentioned_tools(tools, text)
        )
    return chosen[:1] if payload.get("parallel_tool_calls") is False else chosen


def find_mentioned_tools(tools: Iterable[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Return the tools that a text names or hints at."""
    tools = list(tools)
    named = [t for t in tools if re.search(rf"(?<!\w){re.escape(t['name'])}(?!\w)", text)]
    if named:
        return named
    words = _find_words(text)
    of_tool = {t["name"]: _find_words(f"{t['name']} {t.get('description') or ''}") for t in tools}
    return [tool for tool in tools if words & of_tool[tool["name"]]]


def make_tool_call(tool: dict[str, Any], text: str, call_id: str) -> dict[str, Any]:
    """Return a tool call in the form of 2026, with ``index`` -1.

    Args:
        tool: The ``function`` part of the tool's definition.
        text: The user's text, from which argument values are taken.
        call_id: The id of the call.
    """
    schema = tool.get("parameters") or {}
    numbers = (float(number) for number in _NUMBER.findall(text))
    examples = ExampleMaker(schema, lambda name: pick_argument(text, name), numbers, text)
    arguments = examples.make({"type": "object", **schema}, tool["name"])
    function = {"arguments": to_json(arguments), "name": tool["name"]}
    return {"id": call_id, "function": function, "type": "function", "index": -1}


def pick_argument(text: str, name: str) -> str:
    """Return a quotation, place, name or word for a string argument.

    Example:
        >>> pick_argument("What is the weather in San Francisco, CA?", "location")
        'San Francisco, CA'
    """
    for pattern in (_QUOTED, _PLACE, _PROPER):
        if found := pattern.search(text):
            return found.group(found.re.groups)
    words = [word for word in _WORD.findall(text) if len(word) > 3 and word.lower() not in _COMMON]
    return words[-1] if words else name


def _find_words(text: str) -> set[str]:
    spaced = _CAMEL.sub(" ", text)
    words = {word.casefold() for word in _WORD.findall(spaced)}
    return {word for word in words if len(word) > 3 and word not in _COMMON}


def _list_called_names(messages: list[dict[str, Any]]) -> set[str]:
    names: set[str] = set()
    for message in messages:
        if message["role"] == "user":
            names.clear()
        for call in message.get("tool_calls") or []:
            names.add((call.get("function") or {}).get("name", ""))
    return names
