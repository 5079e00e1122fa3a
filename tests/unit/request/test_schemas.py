"""JSON schemas: references written out or kept where they are recursive, objects closed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.utils.function_calling import convert_to_openai_function
from pydantic import BaseModel, Field

from langchain_asi_one._request.schemas import close_objects, resolve_references
from langchain_asi_one._request.tools import convert_function
from langchain_asi_one.testing._schema_validation import find_schema_error


class Person(BaseModel):
    """A person."""

    name: str
    boss: Person | None = None
    reports: list[Person] = []


class Folder(BaseModel):
    files: list[File]


class File(BaseModel):
    name: str
    inside: Folder | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str | None = None


class Pets(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    others: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []


class Untyped(BaseModel):
    title: str  # a property of that name, and no title
    anything: dict[str, Any]


TREE = {
    "type": "object",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        }
    },
    "properties": {"root": {"$ref": "#/$defs/node"}, "other": {"$ref": "#/$defs/node"}},
}

# Published schemas, of other packages that the tests need anyway.
MODULES = (
    *("openai.types.chat", "openai.types.responses", "langsmith.schemas"),
    "langchain_core.documents.base",
)

_LARGEST = 4_000  # characters: the others take LangChain's converter a minute


@pytest.fixture(scope="module")
def published() -> list[type[BaseModel]]:
    """Small classes that others published."""
    found = []
    for module in MODULES:
        for value in vars(import_module(module)).values():
            if isinstance(value, type) and issubclass(value, BaseModel):
                try:
                    size = len(json.dumps(value.model_json_schema()))
                except Exception:  # noqa: BLE001, S112 - not each can be one, whatever the reason
                    continue
                if size < _LARGEST:
                    found.append(value)
    return [*dict.fromkeys(found)]


def subschemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for name, value in schema.items():
        if name in ("properties", "$defs"):
            for inner in value.values():
                yield from subschemas(inner)
        elif name in ("anyOf", "oneOf", "allOf"):
            for inner in value:
                yield from subschemas(inner)
        elif name in ("items", "additionalProperties") and isinstance(value, dict):
            yield from subschemas(value)


def without_titles(value: Any, *, names: bool = False) -> Any:
    if isinstance(value, list):
        return [without_titles(item) for item in value]
    if not isinstance(value, dict):
        return value
    dropped = () if names else ("title", "discriminator")
    return {
        key: without_titles(inner, names=key == "properties" and not names)
        for key, inner in value.items()
        if key not in dropped
    }


def test_there_are_enough_published_schemas(published: list[type[BaseModel]]) -> None:
    assert len(published) >= 50


def test_what_is_not_recursive_is_what_langchain_makes_of_it(
    published: list[type[BaseModel]],
) -> None:
    schemas: list[Any] = [*published, Cat, Pets, Untyped]
    for schema in schemas:
        ours = convert_function(schema)
        if "$defs" not in json.dumps(ours):
            assert ours == without_titles(convert_to_openai_function(schema)), schema


def test_each_reference_leads_somewhere(published: list[type[BaseModel]]) -> None:
    for schema in published:
        parameters = convert_function(schema)["parameters"]
        definitions = {f"#/$defs/{name}" for name in parameters.get("$defs", {})}
        for inner in subschemas(parameters):
            assert inner.get("$ref", "#") in {*definitions, "#"}, schema
            assert "discriminator" not in inner, schema
        assert "$ref" not in parameters, schema


def test_a_recursive_class_is_described_at_every_level() -> None:
    """https://github.com/langchain-ai/langchain/issues/30797 and 25460."""
    person = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "boss": {"anyOf": [{"$ref": "#/$defs/Person"}, {"type": "null"}], "default": None},
            "reports": {"type": "array", "items": {"$ref": "#/$defs/Person"}, "default": []},
        },
        "required": ["name"],
    }
    described = {**person, "description": "A person."}
    assert convert_function(Person) == {
        "name": "Person",
        "description": "A person.",
        "parameters": {**person, "$defs": {"Person": described}},
    }
    assert convert_function(Folder)["parameters"]["$defs"].keys() == {"File", "Folder"}


def test_a_ready_schema_may_be_recursive_too() -> None:
    assert resolve_references(TREE) == {
        "type": "object",
        "properties": {"root": {"$ref": "#/$defs/node"}, "other": {"$ref": "#/$defs/node"}},
        "$defs": {"node": TREE["$defs"]["node"]},  # type: ignore[index]
    }
    whole = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    assert resolve_references(whole) == whole
    deeper = {
        "type": "object",
        "properties": {"a": {"properties": {"b": {"$ref": "#/properties/a"}}}},
    }
    assert resolve_references(deeper)["$defs"] == {
        "a": {"properties": {"b": {"$ref": "#/$defs/a"}}}
    }


def test_a_reference_to_nothing_is_refused() -> None:
    for pointer in ("#/$defs/gone", "https://example.com/schema", "other.json#/a"):
        with pytest.raises(
            ValueError, match=re.escape(f"refers to {pointer!r}, which it does not hold")
        ):
            resolve_references({"properties": {"a": {"$ref": pointer}}})


def test_data_is_no_schema() -> None:
    data = {"title": "t", "$ref": "#/gone"}
    schema = {"enum": [data], "const": data, "default": data, "examples": [data]}
    assert resolve_references(schema) == schema


def test_a_schema_that_doubles_at_each_level_stays_small() -> None:
    levels = {
        f"a{n}": {"properties": {x: {"$ref": f"#/$defs/a{n + 1}"} for x in "xy"}} for n in range(40)
    }
    schema = {"$defs": {**levels, "a40": {"type": "string"}}, "$ref": "#/$defs/a0"}
    resolved = resolve_references(schema)
    assert len(resolved["$defs"]) == 40
    assert len(json.dumps(resolved)) < 10_000


@pytest.mark.parametrize("schema", [Pets, Person, Folder], ids=lambda one: one.__name__)
def test_strict_closes_every_object(schema: type[BaseModel]) -> None:
    """https://github.com/langchain-ai/langchain/issues/28106, also in `oneOf` and `$defs`."""
    parameters = convert_function(schema, strict=True)["parameters"]
    assert find_schema_error(parameters, strict=True) is None
    assert find_schema_error(schema.model_json_schema(), strict=True) is not None


def test_an_object_with_any_members_cannot_be_strict() -> None:
    with pytest.raises(ValueError, match=r"strict does not go with Untyped\.anything: that object"):
        convert_function(Untyped, strict=True)
    empty = {"type": "object", "properties": {}, "additionalProperties": False}
    assert close_objects(empty, "x") == {**empty, "required": []}


names = st.sampled_from(["a", "b", "c"])
leaves = st.sampled_from([{"type": "string"}, {"enum": ["x"]}, {}]) | st.builds(
    lambda name: {"$ref": f"#/$defs/{name}"}, names
)
schemas = st.recursive(
    leaves,
    lambda inner: (
        st.dictionaries(names, inner, max_size=3).map(
            lambda members: {"type": "object", "properties": members}
        )
        | inner.map(lambda item: {"type": "array", "items": item})
        | st.lists(inner, min_size=1, max_size=3).map(lambda options: {"anyOf": options})
    ),
    max_leaves=6,
)


@given(schemas, schemas, schemas, schemas)
def test_any_schema_is_resolved_to_the_same_meaning(
    top: dict[str, Any], a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]
) -> None:
    given_schema = {**top, "$defs": {"a": a, "b": b, "c": c}}
    resolved = resolve_references(given_schema)
    assert unfold(resolved, resolved, 5) == unfold(given_schema, given_schema, 5)


def unfold(schema: dict[str, Any], root: dict[str, Any], levels: int) -> Any:
    """Write a schema out to some levels, following references."""
    seen = set()
    while "$ref" in schema:
        if schema["$ref"] in seen:
            return "circle"
        seen.add(schema["$ref"])
        target: Any = root
        for part in schema["$ref"].removeprefix("#").strip("/").split("/"):
            target = target[part] if part else target
        schema = target
    if levels == 0:
        return "deeper"
    return {
        name: [unfold(inner, root, levels - 1) for inner in value]
        if name == "anyOf"
        else {key: unfold(inner, root, levels - 1) for key, inner in value.items()}
        if name == "properties"
        else unfold(value, root, levels - 1)
        if name == "items"
        else value
        for name, value in schema.items()
        if name != "$defs"
    }


@pytest.mark.parametrize(("fields", "is_kept"), [(4_997, False), (4_998, True)])
def test_a_schema_of_more_than_five_thousand_schemas_keeps_its_references(
    fields: int, is_kept: bool
) -> None:
    part = {"type": "object", "properties": {f"n{i}": {"type": "string"} for i in range(fields)}}
    schema = {"type": "object", "properties": {"p": {"$ref": "#/$defs/part"}}}
    assert ("$defs" in resolve_references({**schema, "$defs": {"part": part}})) is is_kept


def test_a_schema_with_a_title_is_read_as_its_class_is() -> None:
    of_class = convert_function(Person)
    titled = {"title": "Person", **Person.model_json_schema()}
    assert convert_function(titled) == of_class
    assert "$ref" in json.dumps(of_class)
