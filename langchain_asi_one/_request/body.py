"""A request's JSON body, from fields, messages and arguments: no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_asi_one._request.messages import convert_messages
from langchain_asi_one._request.tools import fit_tools, make_response_format, split_web_search


def build_body(
    fields: Mapping[str, Any], messages: Iterable[BaseMessage], extra_body: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a request, without `stream`.

    Fields that are `None` are not sent. No check looks at `extra_body`.

    Raises:
        ValueError: If a message or a tool cannot be sent.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> build_body({"model": "asi1", "stop": "."}, [HumanMessage("Hi")], {})
        {'model': 'asi1', 'stop': ['.'], 'messages': [{'role': 'user', 'content': 'Hi'}]}
    """
    body = {**fields, "messages": convert_messages(messages)}
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    if body.get("response_format") is not None:
        body["response_format"] = make_response_format(body["response_format"])
    if body.get("tools") is not None:
        _set_tools(body)
    body |= extra_body
    return {name: value for name, value in body.items() if value is not None}


def _set_tools(body: dict[str, Any]) -> None:
    functions, web_search = split_web_search(body.pop("tools"))
    if web_search:
        body["web_search"] = True
    if functions:
        body["tools"] = functions
        fit_tools(body)
    else:
        # The API takes these only beside tools.
        body.pop("tool_choice", None)
        body.pop("parallel_tool_calls", None)
