"""Messages of answers that a test writes down as wire objects: no socket, no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any

from langchain_core.messages import AIMessage, message_chunk_to_message

from langchain_asi_one._response.messages import make_chunk, make_message
from langchain_asi_one._response.reader import AnswerReader

Tools = Mapping[str, Mapping[str, Any]]


def read_body(body: dict[str, Any], *, tools: Tools | None = None) -> AIMessage:
    """Return the message that `invoke` makes of a body."""
    reader = AnswerReader(streamed=False, tools=tools)
    return make_message([reader.feed(body), reader.close()], session_id="s")


def read_stream(chunks: Iterable[dict[str, Any]], *, tools: Tools | None = None) -> AIMessage:
    """Return the sum of the message chunks that `stream` makes of wire chunks."""
    reader = AnswerReader(streamed=True, tools=tools)
    deltas = [*map(reader.feed, chunks), reader.close()]
    total = reduce(add, (make_chunk(delta, session_id="s") for delta in deltas))
    message = message_chunk_to_message(total)
    assert isinstance(message, AIMessage)
    assert message.text == reader.text
    assert message.additional_kwargs.get("thought", "") == reader.thought
    return message
