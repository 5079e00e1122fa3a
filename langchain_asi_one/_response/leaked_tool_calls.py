"""Tool calls that a model writes as text.

Whoever can make the model repeat a text can make it write a call. So an answer counts as calls only
as a whole, and every call must name a bound tool and fit its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from langchain_asi_one._json.safe import loads

_OPEN = re.compile(r"\s*<tool_call>\s*")
_CLOSE = re.compile(r"\s*</tool_call>\s*")
_NAME = re.compile(r"[^<>\s]+")
_KEY = re.compile(r"\s*<arg_key>([^<]*)</arg_key>\s*<arg_value>")
_VALUE_END = "</arg_value>"
_DECODER = json.JSONDecoder(strict=False)
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_MOST_REFERENCES = 32

Schema = Mapping[str, Any]


def read_leaked_calls(text: str, tools: Mapping[str, Schema]) -> list[dict[str, Any]]:
    """Read an answer that is nothing but tool calls.

    Forms (docs/wire-format.md, 4.2):
    `<tool_call>name<arg_key>k</arg_key><arg_value>v</arg_value>…</tool_call>` and
    `<tool_call>{"name": …, "arguments": {…}}</tool_call>`.

    `tools` has the parameter schemas of the bound tools by name. There are no calls if there is any
    other text, a call that names no bound tool, or arguments that do not fit the tool's schema.

    Example:
        >>> tools = {"now": {"type": "object", "properties": {}}}
        >>> read_leaked_calls("<tool_call>now</tool_call>", tools)
        [{'function': {'name': 'now', 'arguments': {}}}]
        >>> read_leaked_calls("The page says <tool_call>now</tool_call>", tools)
        []
    """
    calls: list[dict[str, Any]] = []
    at = 0
    while at < len(text):
        begin = _OPEN.match(text, at)
        read = _read_call(text, begin.end(), tools) if begin else None
        end = _CLOSE.match(text, read[2]) if read else None
        if read is None or end is None:
            return []
        name, arguments, _ = read
        if name not in tools or not fits_schema(arguments, tools[name]):
            return []
        calls.append({"function": {"name": name, "arguments": arguments}})
        at = end.end()
    return calls


def _read_call(text: str, at: int, tools: Mapping[str, Schema]) -> tuple[str, Any, int] | None:
    """Return a call's name and arguments, and where they end."""
    if text.startswith("{", at):
        try:
            end = _DECODER.raw_decode(text, at)[1]
            call: Any = loads(text[at:end])
        except (ValueError, RecursionError):
            return None
        arguments = call.get("arguments", call.get("parameters", {}))
        if isinstance(arguments, str):
            try:
                arguments = loads(arguments)
            except ValueError:
                return None
        return str(call.get("name")), arguments, end
    head = _NAME.match(text, at)
    if not head or head[0] not in tools:
        return None
    name, at = head[0], head.end()
    properties = tools[name].get("properties") or {}
    arguments = {}
    while match := _KEY.match(text, at):
        end = text.find(_VALUE_END, match.end())
        if end < 0:
            return None
        key = match[1].strip()
        arguments[key] = _read_value(text[match.end() : end], properties.get(key, {}), tools[name])
        at = end + len(_VALUE_END)
    return name, arguments, at


def _read_value(text: str, schema: Schema, root: Schema) -> Any:
    """Read a value that is JSON, or a string without quotes."""
    try:
        value: Any = loads(text)
    except ValueError:
        return text
    return text if isinstance(value, str) or not _fits(value, schema, root, 0) else value


def fits_schema(value: Any, schema: Schema) -> bool:
    """Return whether arguments have the types, names and choices of a schema.

    Bounds and patterns are left to the tool. Names that the schema does not list are refused unless
    it allows them by `additionalProperties`.
    """
    return isinstance(value, dict) and _fits(value, schema, schema, 0)


def _fits(value: Any, schema: Any, root: Schema, references: int) -> bool:
    if not isinstance(schema, Mapping):
        return schema is not False
    if "$ref" in schema:
        target = _resolve(schema["$ref"], root)
        return references < _MOST_REFERENCES and _fits(value, target, root, references + 1)
    kinds = schema.get("type", [])
    if kinds and not any(_has_type(value, k) for k in ([kinds] if type(kinds) is str else kinds)):
        return False
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        return False
    for name, needed in (("anyOf", any), ("oneOf", any), ("allOf", all)):
        if name in schema and not needed(_fits(value, s, root, references) for s in schema[name]):
            return False
    if isinstance(value, list):
        return all(_fits(item, schema.get("items", {}), root, references) for item in value)
    return not isinstance(value, dict) or _fits_object(value, schema, root, references)


def _fits_object(value: dict[str, Any], schema: Schema, root: Schema, references: int) -> bool:
    properties = schema.get("properties") or {}
    other = schema.get("additionalProperties", "properties" not in schema)
    return all(name in value for name in schema.get("required", ())) and all(
        _fits(item, properties.get(name, other), root, references) for name, item in value.items()
    )


def _has_type(value: Any, name: str) -> bool:
    if isinstance(value, bool) and name != "boolean":
        return False
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(name, object))


def _resolve(reference: str, root: Any) -> Any:
    """Return what `#/$defs/…` names in a schema; nothing fits an unknown one."""
    for name in reference.removeprefix("#/").split("/"):
        root = root.get(name, False) if isinstance(root, Mapping) else False
    return root
