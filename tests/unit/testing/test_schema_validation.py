"""What is wrong with a JSON schema."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one.testing._schema_validation import find_schema_error

CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": ["string", "null"], "enum": ["a", None], "maxLength": 10_000},
        {"$defs": {"a": {"type": "integer"}}, "anyOf": [{"$ref": "#/$defs/a"}]},
        {"type": "number", "multipleOf": 0.5, "minimum": -1},
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"type": "array", "items": {}},
        {"properties": {"a/b": {"items": {"$ref": "#"}}, "c": {"$ref": "#/properties/a~1b/items"}}},
        CLOSED,
    ],
)
def test_a_sound_schema(schema: Any) -> None:
    assert find_schema_error(schema) is None


@pytest.mark.parametrize(
    ("schema", "error"),
    [
        ([], "the schema must be a schema"),
        ({"type": "text"}, "the schema has a wrong 'type'"),
        ({"type": []}, "the schema has a wrong 'type'"),
        ({"enum": []}, "the schema has a wrong 'enum'"),
        ({"maxLength": 10_001}, "the schema has a wrong 'maxLength'"),
        ({"minimum": True}, "the schema has a wrong 'minimum'"),
        ({"multipleOf": 0}, "the schema has a wrong 'multipleOf'"),
        ({"properties": []}, "the schema has a wrong 'properties'"),
        ({"anyOf": []}, "the schema has a wrong 'anyOf'"),
        ({"properties": {"a": {"required": "b"}}}, "properties.a has a wrong 'required'"),
        ({"items": {"not": 7}}, "not must be a schema"),
        ({"oneOf": [{}, {"pattern": 1}]}, "oneOf[1] has a wrong 'pattern'"),
        ({"type": "array"}, "the schema is an array without 'items'"),
        ({"properties": {"a": {"type": ["array", "null"]}}}, "properties.a is an array without"),
        ({"items": {"$ref": "#/$defs/b"}, "$defs": {"a": {}}}, "items refers to '#/$defs/b'"),
        ({"$ref": "other.json"}, "the schema refers to 'other.json'"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(schema: Any, error: str) -> None:
    assert str(find_schema_error(schema)).startswith(error)


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ({}, True),
        ({"additionalProperties": True}, False),
        ({"required": []}, False),
        ({"properties": {}}, False),
    ],
)
def test_a_strict_schema_is_closed_and_requires_all(change: dict[str, Any], closed: bool) -> None:
    schema = {"type": "array", "items": CLOSED | change}
    error = find_schema_error(schema, strict=True)
    assert (error is None) is closed
    if error:
        assert error.startswith("with 'strict', items needs 'additionalProperties': false")
    assert find_schema_error(schema) is None


@pytest.mark.parametrize(
    ("inner", "has_type"),
    [
        ({}, False),
        ({"description": "Any."}, False),
        ({"enum": ["b"]}, True),
        ({"const": 1}, True),
        ({"anyOf": [{"type": "null"}]}, True),
        ({"$ref": "#"}, True),
    ],
)
def test_a_strict_schema_says_of_each_value_what_it_is(inner: Any, has_type: bool) -> None:
    schema = {**CLOSED, "properties": {"a": inner}}
    error = find_schema_error(schema, strict=True)
    assert error == (None if has_type else "with 'strict', properties.a needs a 'type'")
    assert find_schema_error(schema) is None
