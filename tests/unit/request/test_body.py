"""The body of a request holds what is set, in the forms that the API documents."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_asi_one._request.body import build_body

HI = [{"role": "user", "content": "Hi"}]
ADD = {"type": "function", "function": {"name": "add", "parameters": {}}}
SEARCH = {"type": "web_search"}
JSON = {"type": "json_object"}


@pytest.mark.parametrize(
    ("fields", "extra_body", "body"),
    [
        ({}, {}, {}),
        ({"temperature": None, "top_p": 0.5}, {}, {"top_p": 0.5}),
        ({"temperature": 0}, {}, {"temperature": 0}),
        ({"stop": "."}, {}, {"stop": ["."]}),
        ({"stop": [".", "!"]}, {}, {"stop": [".", "!"]}),
        ({"response_format": JSON}, {}, {"response_format": JSON}),
        ({"tools": [ADD], "tool_choice": "add"}, {}, {"tools": [ADD], "tool_choice": "add"}),
        ({"tools": [SEARCH], "tool_choice": "auto"}, {}, {"web_search": True}),
        ({"tools": [ADD, SEARCH]}, {}, {"tools": [ADD], "web_search": True}),
        ({"tools": [], "parallel_tool_calls": False}, {}, {}),
        ({"top_p": 0.5}, {"top_p": 5, "new": 1}, {"top_p": 5, "new": 1}),
        ({"top_p": 0.5}, {"top_p": None}, {}),
    ],
)
def test_body(fields: dict[str, Any], extra_body: dict[str, Any], body: dict[str, Any]) -> None:
    assert build_body(fields, [HumanMessage("Hi")], extra_body) == {**body, "messages": HI}


def test_a_tool_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'file_search'"):
        build_body({"tools": [{"type": "file_search"}]}, [], {})


def test_a_schema_becomes_a_format_in_wire_form() -> None:
    schema = {"title": "Add", "type": "object", "properties": {}}
    sent = build_body({"response_format": schema}, [], {})["response_format"]
    assert (sent["type"], sent["json_schema"]["name"]) == ("json_schema", "Add")
