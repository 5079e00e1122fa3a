"""Tools in the form of a request."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from langchain_asi_one._request.tools import (
    check_tool_choice,
    convert_tools,
    find_fitted_names,
    fit_tools,
    list_parameter_schemas,
    make_response_format,
    split_web_search,
)
from langchain_asi_one.testing._schema_validation import find_schema_error

SEARCH = {"type": "web_search"}
ADD: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}


def add(a: int, *, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


class Sum(BaseModel):
    """Add up."""

    model_config = ConfigDict(title="total")
    a: int


def test_a_python_function_is_described() -> None:
    (tool,) = convert_tools([add])
    assert tool["type"] == "function"
    function = tool["function"]
    assert (function["name"], function["description"]) == ("add", "Add two numbers.")
    assert function["parameters"]["properties"] == {
        "a": {"type": "integer"},
        "b": {"type": "integer", "default": 1},
    }
    assert function["parameters"]["required"] == ["a"]


def test_a_changed_default_is_read_again() -> None:
    def scale(a: int, *, by: int = 2) -> int:
        """Scale a number."""
        return a * by

    def read() -> Any:
        return convert_tools([scale])[0]["function"]["parameters"]["properties"]["by"]["default"]

    assert read() == 2
    scale.__kwdefaults__ = {"by": 3}
    assert read() == 3


def test_a_tool_in_wire_form_stays() -> None:
    assert convert_tools([ADD, SEARCH]) == [ADD, SEARCH]
    assert convert_tools([ADD])[0] is not ADD


def test_a_tool_is_the_schema_of_an_answer_too() -> None:
    schema = make_response_format(ADD, strict=True)["json_schema"]
    closed = {**ADD["function"]["parameters"], "additionalProperties": False, "required": ["a"]}
    assert schema == {"name": "add", "schema": closed, "strict": True}
    bare = make_response_format({"type": "function", "function": {"name": "ping"}}, strict=True)
    assert find_schema_error(bare["json_schema"]["schema"], strict=True) is None


def test_strict_reaches_every_tool() -> None:
    schema = {"title": "Add", "type": "object", "properties": {"a": {"type": "integer"}}}
    for tool in convert_tools([add, Sum, schema, ADD], strict=True):
        assert tool["function"]["strict"] is True
        assert tool["function"]["parameters"]["additionalProperties"] is False


def test_a_title_names_a_class_and_a_schema() -> None:
    schema = {"title": "Add", "type": "object", "properties": {"a": {"title": "name"}}}
    names = [tool["function"]["name"] for tool in convert_tools([Sum, schema])]
    assert names == ["total", "Add"]


def test_a_choice_has_the_name_that_its_tool_is_sent_with() -> None:
    def name(text: str) -> dict[str, Any]:
        return {"type": "function", "function": {"name": text}}

    body = {"tools": [name("functions.add")], "tool_choice": name("functions.add")}
    fit_tools(body)
    assert body == {"tools": [name("functions_add")], "tool_choice": name("functions_add")}


def test_a_name_that_was_made_fit_leads_back_to_the_callers() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("functions.add", "look")]
    assert find_fitted_names([*tools, add, {"type": "web_search"}]) == {
        "functions_add": "functions.add"
    }
    with pytest.raises(ValueError, match=r"'functions\.add' and 'functions add' have one name"):
        find_fitted_names([*tools, {"function": {"name": "functions add"}}])


def test_a_name_and_a_schema_are_the_format_of_an_answer() -> None:
    given = {"name": "sum", "schema": {"type": "object", "properties": {}}}
    assert make_response_format(given) == {"type": "json_schema", "json_schema": given}
    titled = {"title": "text", "type": "text", "properties": {"a": {"type": "integer"}}}
    assert make_response_format(titled)["json_schema"]["name"] == "text"


def test_a_web_search_is_told_apart() -> None:
    assert split_web_search([ADD]) == ([ADD], False)
    assert split_web_search([ADD, SEARCH]) == ([ADD], True)
    assert split_web_search([ADD])[1] is False
    with pytest.raises(ValueError, match="<class 'int'>"):
        split_web_search([7])


def test_schemas_of_what_may_be_called() -> None:
    bare = {"type": "function", "function": {"name": "ping"}}
    assert list_parameter_schemas({"tools": [ADD, bare]}) == {
        "add": ADD["function"]["parameters"],
        "ping": {},
    }
    assert list_parameter_schemas({"tools": [ADD], "tool_choice": "none"}) == {}
    assert list_parameter_schemas({}) == {}


def test_only_a_tool_that_is_there_can_be_chosen() -> None:
    choice = {"type": "function", "function": {"name": "add"}}
    check_tool_choice(choice, [ADD])
    with pytest.raises(ValueError, match="subtract"):
        check_tool_choice({"type": "function", "function": {"name": "subtract"}}, [ADD])
