"""Calls answered: from a request to LangChain's results and generations."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from typing import Any

from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_asi_one._request.tools import parameter_schemas
from langchain_asi_one._response.chunk_sum import generation_chunk
from langchain_asi_one._response.messages import whole_message
from langchain_asi_one._response.reader import AnswerReader, Delta
from langchain_asi_one._transport.completions import CompletionsClient
from langchain_asi_one._transport.request import ChatRequest
from langchain_asi_one.errors import ASIOneError


class Answers:
    """The answers that one model gets, whole or streamed, sync or async."""

    def __init__(self) -> None:
        self._completions = CompletionsClient()
        self._missing_calls_warned = False

    def create(self, call: ChatRequest) -> ChatResult:
        """Send a call and read the whole answer.

        Args:
            call: The request.

        Returns:
            One generation.

        Raises:
            ASIOneError: If the call failed.
        """
        return self._result(self._completions.create(call), call)

    async def acreate(self, call: ChatRequest) -> ChatResult:
        """Do as `create`, in the running event loop."""
        return self._result(await self._completions.acreate(call), call)

    def stream(self, call: ChatRequest) -> Generator[ChatGenerationChunk]:
        """Send a call and read the answer as it arrives.

        Args:
            call: The request, with `stream: true` in its body.

        Yields:
            What each chunk adds, then once what is told once an answer.

        Raises:
            ASIOneError: If the call failed, with what had come.
        """
        reader = _reader(call, streamed=True)
        try:
            with closing(self._completions.stream(call)) as chunks:
                for chunk in chunks:
                    delta = reader.feed(chunk)
                    if delta["text"] or delta["thought"] or delta["tool_calls"]:
                        yield generation_chunk(delta, session_id=call.session_id)
        except ASIOneError as error:
            raise error.with_partial(text=reader.text, thought=reader.thought) from None
        yield self._last(reader, call)

    async def astream(self, call: ChatRequest) -> AsyncGenerator[ChatGenerationChunk]:
        """Do as `stream`, in the running event loop."""
        reader = _reader(call, streamed=True)
        try:
            async with aclosing(self._completions.astream(call)) as chunks:
                async for chunk in chunks:
                    delta = reader.feed(chunk)
                    if delta["text"] or delta["thought"] or delta["tool_calls"]:
                        yield generation_chunk(delta, session_id=call.session_id)
        except ASIOneError as error:
            raise error.with_partial(text=reader.text, thought=reader.thought) from None
        yield self._last(reader, call)

    def _result(self, body: dict[str, Any], call: ChatRequest) -> ChatResult:
        reader = _reader(call, streamed=False)
        deltas = [reader.feed(body), reader.close()]
        self._warn_of_missing_calls(deltas[-1])
        message = whole_message(deltas, session_id=call.session_id)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _last(self, reader: AnswerReader, call: ChatRequest) -> ChatGenerationChunk:
        delta = reader.close()
        self._warn_of_missing_calls(delta)
        return generation_chunk(delta, session_id=call.session_id)

    def _warn_of_missing_calls(self, last: Delta) -> None:
        """Warn once a model of an answer that announces tool calls and brings none."""
        if last["metadata"].get("tool_calls_missing") and not self._missing_calls_warned:
            self._missing_calls_warned = True
            msg = (
                "ASI:One ended an answer with finish_reason 'tool_calls' but sent no call; such an "
                "answer has response_metadata['tool_calls_missing']. A tool_choice that names the "
                "tool may help."
            )
            warnings.warn(msg, UserWarning, stacklevel=2)


def _reader(call: ChatRequest, *, streamed: bool) -> AnswerReader:
    return AnswerReader(streamed=streamed, tools=parameter_schemas(call.body))
