"""What is wrong with a JSON schema, by OpenAI's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._request.schemas import find_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TYPES: Final = ("array", "boolean", "integer", "null", "number", "object", "string")
_MOST: Final = 10_000
"""Most characters or items that a schema may ask for: the stand-in makes them."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _is_step(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_type(value: Any) -> bool:
    kinds = value if isinstance(value, list) and value else [value]
    return all(kind in _TYPES for kind in kinds)


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _is_filled_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


_VALUES: Final[dict[str, Callable[[Any], bool]]] = {
    "type": _is_type,
    "enum": _is_filled_list,
    "required": _is_list_of_strings,
    **dict.fromkeys(("$ref", "description", "format", "pattern"), lambda v: isinstance(v, str)),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_size),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    "multipleOf": _is_step,
}
# A strict schema has one of them, to say what the value is.
_KINDS: Final = {"type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"}
_NAMED_SCHEMAS: Final = ("properties", "$defs", "definitions")
_LISTED_SCHEMAS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_INNER_SCHEMAS: Final = ("items", "additionalProperties", "not")


def find_schema_error(schema: Any, *, strict: bool = False) -> str | None:
    """Say what is wrong with a schema; `None` if nothing is.

    Args:
        schema: The schema.
        strict: Whether each object must be closed and require all of its properties.
    """
    pending: list[tuple[str, Any]] = [("the schema", schema)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, bool):
            continue
        if not isinstance(value, dict):
            return f"{place} must be a schema"
        try:
            _check_keywords(value, place, schema)
            inner = list(_list_inner_schemas(value, place))
        except (TypeError, ValueError) as error:
            return str(error)
        if strict and (lacking := _find_looseness(value)):
            return f"with 'strict', {place} needs {lacking}"
        pending += inner
    return None


def _check_keywords(schema: dict[str, Any], place: str, root: dict[str, Any]) -> None:
    for keyword, accepts in _VALUES.items():
        if keyword in schema and not accepts(schema[keyword]):
            msg = f"{place} has a wrong {keyword!r}"
            raise ValueError(msg)
    kinds = schema.get("type", ())
    if "array" in (kinds, *kinds) and not {"items", "prefixItems"} & schema.keys():
        msg = f"{place} is an array without 'items'"
        raise ValueError(msg)
    if (pointer := schema.get("$ref")) is not None:
        try:
            find_target(root, pointer)
        except ValueError:
            msg = f"{place} refers to {pointer!r}, which the schema does not hold"
            raise ValueError(msg) from None


def _list_inner_schemas(schema: dict[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for keyword in _NAMED_SCHEMAS:
        named = schema.get(keyword, {})
        if not isinstance(named, dict):
            msg = f"{place} has a wrong {keyword!r}"
            raise TypeError(msg)
        yield from ((f"{keyword}.{name}", inner) for name, inner in named.items())
    for keyword in _LISTED_SCHEMAS:
        if keyword in schema:
            if not _is_filled_list(schema[keyword]):
                msg = f"{place} has a wrong {keyword!r}"
                raise TypeError(msg)
            yield from ((f"{keyword}[{n}]", inner) for n, inner in enumerate(schema[keyword]))
    for keyword in _INNER_SCHEMAS:
        if keyword in schema:
            yield keyword, schema[keyword]


def _find_looseness(schema: dict[str, Any]) -> str:
    """Say what a schema lacks to be strict; `""` if nothing."""
    if not _KINDS & schema.keys():
        return "a 'type'"
    names, required = schema.get("properties", {}), schema.get("required", [])
    is_object = "properties" in schema or schema.get("type") == "object"
    is_closed = schema.get("additionalProperties") is False and {*names} == {*required}
    if not is_object or is_closed:
        return ""
    return "'additionalProperties': false and every property in 'required'"
