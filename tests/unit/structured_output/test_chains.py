"""Chains of a model and a parser, without a request."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableBinding, RunnableLambda, RunnableSequence
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._structured_output.chains import build_chain, keep_raw
from langchain_asi_one._structured_output.parsers import JSONTextParser, ToolCallParser
from tests.support.model import API_KEY


class City(BaseModel):
    """A city."""

    name: str


@pytest.fixture(scope="module")
def unasked() -> ChatASIOne:
    return ChatASIOne(api_key=API_KEY)


def build(model: ChatASIOne, **arguments: Any) -> tuple[dict[str, Any], Any]:
    """Return what a chain binds, and its parser."""
    given: dict[str, Any] = {
        "method": "function_calling",
        "include_raw": False,
        "strict": None,
        "tools": None,
    }
    chain = build_chain(model, City, **(given | arguments))
    assert isinstance(chain, RunnableSequence)
    assert isinstance(chain.first, RunnableBinding)
    return dict(chain.first.kwargs), chain.last


def test_a_schema_becomes_the_only_tool_and_must_be_called(unasked: ChatASIOne) -> None:
    bound, parser = build(unasked)
    [tool] = bound["tools"]
    assert bound["tool_choice"] == {"type": "function", "function": {"name": "City"}}
    assert (tool["function"]["name"], bound["parallel_tool_calls"]) == ("City", False)
    assert (type(parser), parser.tool, parser.pydantic_class) == (ToolCallParser, "City", City)


@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_schema_becomes_a_response_format(unasked: ChatASIOne, method: str) -> None:
    bound, parser = build(unasked, method=method)
    kind = {"json_schema": "json_schema", "json_mode": "json_object"}[method]
    assert bound["response_format"]["type"] == kind
    assert (type(parser), parser.may_call) == (JSONTextParser, False)
    assert parser.OutputType is City


def test_tools_beside_a_schema_may_be_called(unasked: ChatASIOne) -> None:
    tool = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
    bound, parser = build(unasked, method="json_schema", tools=[tool])
    assert [one["function"]["name"] for one in bound["tools"]] == ["clock"]
    assert parser.may_call is True


def test_what_tracers_show_is_bound(unasked: ChatASIOne) -> None:
    bound, _ = build(unasked, strict=True)
    assert bound["ls_structured_output_format"] == {
        "kwargs": {"method": "function_calling", "strict": True},
        "schema": City,
    }


async def test_the_raw_answer_is_kept_beside_the_value_or_its_error() -> None:
    right, wrong = AIMessage('{"name": "Rome"}'), AIMessage("Rome.")
    chain = keep_raw(RunnableLambda(lambda answer: answer), JSONTextParser(pydantic_class=City))
    expected = {"raw": right, "parsed": City(name="Rome"), "parsing_error": None}
    assert chain.invoke(right) == await chain.ainvoke(right) == expected  # type: ignore[arg-type]
    for result in (chain.invoke(wrong), await chain.ainvoke(wrong)):  # type: ignore[arg-type]
        assert (result["raw"], result["parsed"]) == (wrong, None)
        assert isinstance(result["parsing_error"], OutputParserException)


@pytest.mark.parametrize(
    "tool", [{"name": "City"}, {"type": "function", "function": "City"}, "City"]
)
@pytest.mark.parametrize("choice", [{}, {"tool_choice": "auto"}])
def test_tools_in_another_form_are_refused_with_a_way_out(
    tool: object, choice: dict[str, Any]
) -> None:
    class Renamed(ChatASIOne):
        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self.bind(tools=[tool], **kwargs)

    subclass: Any = Renamed
    with pytest.raises(ValueError, match="use method='json_schema'") as caught:
        subclass(api_key=API_KEY).with_structured_output(City, **choice)
    assert "City" in str(caught.value)
