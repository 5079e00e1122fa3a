"""Example values that fit a JSON Schema."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one.testing._schema_examples import ExampleMaker


def example(schema: dict[str, Any], text: str = "", *numbers: float) -> Any:
    return ExampleMaker(schema, lambda name: f"<{name}>", iter(numbers), text).make_value(schema)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, "<value>"),
        ({"const": 3}, 3),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": ["null", "boolean"]}, True),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"type": "string", "maxLength": 3}, "<va"),
        ({"type": "string", "minLength": 9}, "<value>.."),
        ({"type": "string", "format": "date"}, "2026-01-14"),
        ({"type": "array", "items": {"type": "null"}, "minItems": 2}, [None, None]),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 0}, []),
        ({"type": "integer", "minimum": 7}, 7),
        ({"type": "integer", "exclusiveMaximum": 1}, 0),
        ({"type": "integer", "multipleOf": 5, "minimum": 6}, 10),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"properties": {"a": {"type": "null"}}}, {"a": None}),
        ({"$defs": {"A": {"const": 1}}, "$ref": "#/$defs/A"}, 1),
        (
            {"allOf": [{"properties": {"a": {"const": 1}}}], "properties": {"b": {"const": 2}}},
            {"a": 1, "b": 2},
        ),
    ],
)
def test_a_value_fits_its_schema(schema: dict[str, Any], value: Any) -> None:
    assert example(schema) == value


def test_words_and_numbers_of_the_text_are_used_first() -> None:
    assert example({"enum": ["celsius", "kelvin"]}, "in Kelvin, please") == "kelvin"
    numbers = {"properties": {"a": {"type": "integer"}, "b": {"type": "number"}}}
    assert example(numbers, "", 4.0, 2.5) == {"a": 4, "b": 2.5}


def test_a_recursive_schema_ends() -> None:
    node = {
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["next"],
    }
    assert str(example(node)).endswith("None" + "}" * str(example(node)).count("{"))
    assert example({"$ref": "#"}) == "<value>"
