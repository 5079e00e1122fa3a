"""Parsers of structured answers, without a model."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from pydantic import BaseModel, ValidationError

from langchain_asi_one._structured_output.parsers import JSONTextParser, ToolCallParser


class City(BaseModel):
    """A city."""

    name: str
    people: int = 0


def chunks_of(*texts: str) -> list[AIMessageChunk]:
    return [AIMessageChunk(content=text) for text in texts]


def call_chunks(*texts: str) -> list[AIMessageChunk]:
    return [
        AIMessageChunk(
            content="",
            tool_call_chunks=[
                tool_call_chunk(
                    name=None if place else "City",
                    args=text,
                    id=None if place else "c1",
                    index=0,
                )
            ],
        )
        for place, text in enumerate(texts)
    ]


PIECES = ('{"name": "Ro', 'me"', ', "people": ', "3}")
PARTS = [{"name": "Ro"}, {"name": "Rome"}, {"name": "Rome", "people": 3}]


@pytest.mark.parametrize(
    ("parser", "pieces"),
    [(JSONTextParser(), chunks_of(*PIECES)), (ToolCallParser(tool="City"), call_chunks(*PIECES))],
)
async def test_values_grow_and_none_is_given_twice(
    parser: Any, pieces: list[AIMessageChunk]
) -> None:
    async def arrive() -> Any:
        for piece in pieces:
            yield piece

    assert list(parser.transform(iter(pieces))) == PARTS
    assert [value async for value in parser.atransform(arrive())] == PARTS


def test_partial_values_of_a_class_are_those_that_fit_it() -> None:
    parser = JSONTextParser(pydantic_class=City)
    values = list(parser.transform(iter(chunks_of('{"people": 3', ', "name": "Ro', 'me"}'))))
    assert values == [City(name="Ro", people=3), City(name="Rome", people=3)]


@pytest.mark.parametrize("text", ["Rome.", '{"name": "Ro', "", "[1] [2]"])
def test_a_text_that_is_no_json_is_an_error_at_the_end(text: str) -> None:
    parser = JSONTextParser()
    with pytest.raises(OutputParserException):
        parser.parse(text)
    with pytest.raises(OutputParserException):
        list(parser.transform(iter(chunks_of(text))))


def test_json_that_does_not_fit_the_class_names_it() -> None:
    parser = JSONTextParser(pydantic_class=City)
    with pytest.raises(OutputParserException, match="The answer does not fit City"):
        parser.parse('{"people": 1}')


def test_other_tools_may_be_called_only_where_they_were_offered() -> None:
    call = AIMessage("", tool_calls=[{"name": "look_up", "args": {}, "id": "c1"}])
    assert JSONTextParser(may_call=True).invoke(call) is None
    with pytest.raises(OutputParserException):
        JSONTextParser().invoke(call)


def test_a_call_of_the_tool_is_found_among_others() -> None:
    calls = [{"name": "other", "args": {}, "id": "c1"}, {"name": "City", "args": {"name": "Rome"}}]
    message = AIMessage("", tool_calls=[{"id": "c2", **call} for call in calls])
    assert ToolCallParser(tool="City").invoke(message) == {"name": "Rome"}
    assert ToolCallParser(tool="City", pydantic_class=City).invoke(message) == City(name="Rome")


def test_a_call_that_is_not_there_or_does_not_fit_is_an_error() -> None:
    parser = ToolCallParser(tool="City", pydantic_class=City)
    with pytest.raises(OutputParserException, match="City"):
        parser.invoke(AIMessage("Rome."))
    with pytest.raises(ValidationError):
        parser.invoke(AIMessage("", tool_calls=[{"name": "City", "args": {}, "id": "c1"}]))
