"""TypedDicts of every form are described as they are meant, at every level."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import pytest
from langchain_core.utils.function_calling import convert_to_openai_function
from pydantic import Field

from langchain_asi_one._request.tools import convert_function
from langchain_asi_one._request.typed_dicts import make_model


class Node(TypedDict):
    """A node."""

    label: Annotated[str, ..., "Its label"]
    kids: list[Node]


@dataclass
class Branch:
    """A branch."""

    label: str
    twigs: list[Branch] = field(default_factory=list)


class Actor(TypedDict, total=False):
    name: Required[str]
    born: int


class Film(TypedDict):
    """A film.

    Args:
        title: What it is called.
    """

    title: str
    year: Annotated[int, 1999, "When"]
    seen: NotRequired[Annotated[bool, ..., "Whether"]]
    cast: dict[str, Actor] | None
    kind: Literal["short", "long"]
    stars: Annotated[int, Field(ge=1, le=5)]


class Plain(TypedDict):
    """Plain."""

    text: Annotated[str, ..., "A text"]
    count: Annotated[int, 5, "A number"]
    rows: list[list[int]]


def test_an_ordinary_one_is_what_langchain_makes_of_it() -> None:
    assert convert_function(Plain) == convert_to_openai_function(Plain)


@pytest.mark.parametrize("strict", [None, True])
def test_one_that_refers_to_itself_is_described_at_every_level(strict: bool | None) -> None:
    """https://github.com/langchain-ai/langchain/issues/30797 and 25460."""
    closed: dict[str, Any] = {"additionalProperties": False} if strict else {}
    node = {
        "type": "object",
        "properties": {
            "label": {"type": "string", "description": "Its label"},
            "kids": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
        },
        "required": ["label", "kids"],
        **closed,
    }
    parameters = {**node, "$defs": {"Node": {**node, "description": "A node."}}}
    assert convert_function(Node, strict=strict) == {
        "name": "Node",
        "description": "A node.",
        "parameters": parameters,
        **({"strict": True} if strict else {}),
    }


def test_a_dataclass_that_refers_to_itself() -> None:
    branch = convert_function(Branch)
    assert (branch["name"], branch["description"]) == ("Branch", "A branch.")
    again = {"type": "array", "items": {"$ref": "#/$defs/Branch"}}
    assert branch["parameters"]["properties"] == {"label": {"type": "string"}, "twigs": again}
    assert branch["parameters"]["$defs"]["Branch"]["properties"]["twigs"] == again


def test_keys_that_may_be_left_out_and_types_of_every_form() -> None:
    actor = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "born": {"type": "integer"}},
        "required": ["name"],
    }
    cast = {"anyOf": [{"type": "object", "additionalProperties": actor}, {"type": "null"}]}
    assert convert_function(Film)["parameters"] == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "What it is called."},
            "year": {"type": "integer", "description": "When", "default": 1999},
            "seen": {"type": "boolean", "description": "Whether"},
            "cast": cast,
            "kind": {"type": "string", "enum": ["short", "long"]},
            "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        },
        "required": ["title", "cast", "kind", "stars"],
    }


def test_any_key_may_be_one() -> None:
    odd = TypedDict("odd", {"_id": int, "class": str, "schema": str, "a-b": int})
    assert convert_function(odd)["parameters"]["required"] == ["_id", "class", "schema", "a-b"]


def test_a_description_that_is_no_text_is_refused() -> None:
    wrong = TypedDict("wrong", {"x": Annotated[int, ..., 7]})  # noqa: UP013
    with pytest.raises(ValueError, match=r"The description of 'x'.* must be a text; got 7"):
        make_model(wrong)
