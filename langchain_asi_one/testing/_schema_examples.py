"""Example values for a JSON Schema, for tool arguments and structured output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FORMATS: dict[str, str] = {
    "date": "2026-01-14",
    "date-time": "2026-01-14T16:47:52Z",
    "time": "16:47:52Z",
    "duration": "PT1H",
    "email": "stand-in@example.com",
    "uri": "https://example.com/stand-in",
    "url": "https://example.com/stand-in",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
}
_DEEPEST = 6
"""Levels after which optional members are left out, so that recursive schemas end."""
_MOST_VALUES = 10_000
_LONGEST_TEXT = 100_000
_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class InvalidSchemaError(ValueError):
    """A schema is no JSON Schema, or asks for too much."""


@dataclass
class ExampleMaker:
    """Maker of example values for one schema document.

    Args:
        root: The document that ``$ref`` pointers refer to.
        word: Returns the text for a string member, given its name.
        numbers: Numbers to use first, in order.
        text: The user's text. An ``enum`` value in it is preferred.
    """

    root: dict[str, Any]
    word: Callable[[str], str]
    numbers: Iterator[float]
    text: str = ""
    made: int = 0

    def make(self, schema: dict[str, Any], name: str = "value") -> Any:
        """Return an example value that fits ``schema``, as `make_value` does.

        Raises:
            InvalidSchemaError: The schema is malformed, or the value would be too large.
        """
        try:
            return self.make_value(schema, name)
        except (*_MALFORMED, RecursionError) as cause:
            msg = f"The schema of {name!r} is malformed or too large ({type(cause).__name__})."
            raise InvalidSchemaError(msg) from cause

    def make_value(self, schema: Any, name: str = "value", depth: int = 0) -> Any:
        """Return an example value that fits ``schema``.

        It follows ``$ref``, ``allOf``, ``anyOf`` and ``oneOf``, ``const``, ``enum``, ``default``,
        types, number bounds, string lengths and formats, ``minItems`` and ``required``. It ignores
        ``pattern``, ``not``, ``if`` and ``uniqueItems``.
        """
        self.made += 1
        if self.made > _MOST_VALUES:
            msg = f"a value with more than {_MOST_VALUES:,} members"
            raise InvalidSchemaError(msg)
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._choose_option(schema["enum"])
        if "default" in schema:
            return schema["default"]
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            return self.make_value(self._choose_alternative(choices, depth), name, depth + 1)
        return self._make_of_type(self._find_type(schema), schema, name, depth)

    def _make_of_type(self, kind: str, schema: dict[str, Any], name: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._make_object(schema, depth)
            case "array":
                return self._make_array(schema, name, depth)
            case "integer" | "number":
                return self._make_number(schema, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
        return self._make_string(schema, name)

    def _resolve(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            return {}
        schema: dict[str, Any] = given
        seen: set[str] = set()
        while isinstance(pointer := schema.get("$ref"), str) and pointer not in seen:
            seen.add(pointer)
            target: Any = self.root
            for part in pointer.removeprefix("#").strip("/").split("/"):
                key = part.replace("~1", "/").replace("~0", "~")
                target = target.get(key, {}) if isinstance(target, dict) and part else target
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**(target if isinstance(target, dict) else {}), **beside}
        for part in schema.get("allOf") or []:
            merged = self._resolve(part)
            members = {**merged.get("properties", {}), **schema.get("properties", {})}
            required = [*merged.get("required", []), *schema.get("required", [])]
            schema = {**merged, **schema}
            if members:
                schema |= {"properties": members, "required": required}
        return schema

    def _choose_option(self, options: list[Any]) -> Any:
        text = self.text.casefold()
        return next((o for o in options if isinstance(o, str) and o.casefold() in text), options[0])

    def _choose_alternative(self, choices: list[Any], depth: int) -> Any:
        nulls = [c for c in choices if isinstance(c, dict) and c.get("type") == "null"]
        others = [c for c in choices if c not in nulls] or nulls
        return nulls[0] if nulls and depth > _DEEPEST else others[0]

    def _find_type(self, schema: dict[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((k for k in kind if k != "null"), "null")
        if isinstance(kind, str):
            return kind
        return "object" if "properties" in schema else "array" if "items" in schema else "string"

    def _make_object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = set(schema.get("required") or ())
        return {
            name: self.make_value(member, name, depth + 1)
            for name, member in (schema.get("properties") or {}).items()
            if depth < _DEEPEST or (name in required and depth < 4 * _DEEPEST)
        }

    def _make_array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        wanted = least if depth > _DEEPEST else max(least, 1)
        count = min(wanted, schema.get("maxItems", wanted))
        return [self.make_value(schema.get("items"), name, depth + 1) for _ in range(count)]

    def _make_number(self, schema: dict[str, Any], *, whole: bool) -> float:
        step = schema.get("multipleOf") or (1 if whole else 0)
        number = next(self.numbers, 1.0)
        low = schema.get("minimum", -math.inf)
        high = schema.get("maximum", math.inf)
        gap = step or 1e-6
        low = max(low, schema.get("exclusiveMinimum", -math.inf) + gap)
        high = min(high, schema.get("exclusiveMaximum", math.inf) - gap)
        number = min(max(number, low), high)
        if step:
            number = math.ceil(number / step) * step if number <= low else number // step * step
        return int(number) if whole else number

    def _make_string(self, schema: dict[str, Any], name: str) -> str:
        text = _FORMATS.get(schema.get("format", "")) or self.word(name)
        missing: int = schema.get("minLength", 0) - len(text)
        if missing > _LONGEST_TEXT:
            msg = f"a text with more than {_LONGEST_TEXT:,} characters"
            raise InvalidSchemaError(msg)
        text += "." * missing
        return text[: int(schema.get("maxLength", len(text)))]
