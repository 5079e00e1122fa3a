"""Parsers of structured answers, partial and whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from functools import reduce
from operator import add
from typing import Any

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.output_parsers import BaseOutputParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import RunnableConfig
from typing_extensions import override

from langchain_asi_one._response.chunk_sum import sum_chunks
from langchain_asi_one._structured_output.failures import (
    make_arguments_error,
    make_call_error,
    make_json_error,
    raise_if_refused,
)
from langchain_asi_one._structured_output.json_text import read_json
from langchain_asi_one._structured_output.readers import (
    JSONTextReader,
    PieceReader,
    ToolArgumentsReader,
)


class _UnmergeablePiece:
    """A piece of an answer, wrapped to have no `+`.

    LangChain merges a step's inputs pairwise for tracing, which takes quadratic time. It skips
    inputs that do not support `+`, and records the last one: the whole answer, merged once.
    """

    __slots__ = ("piece",)

    def __init__(self, piece: str | BaseMessage) -> None:
        self.piece = piece


class AnswerParser(BaseOutputParser[Any]):
    """Streams partial values, and ends with a complete one or an error.

    Each piece is read once, so the time for an answer grows with its length.

    Attributes:
        pydantic_class: The data must fit it (also one of `pydantic.v1`), and are returned as its
            instance; without one, they are returned as plain JSON.
        output_type: Type of the values; `None` for any.
    """

    pydantic_class: type[Any] | None = None
    output_type: Any = None

    @property
    @override
    def OutputType(self) -> Any:
        return self.output_type or Any

    @abstractmethod
    def _make_reader(self) -> PieceReader:
        """Return a reader for the pieces of one answer."""

    @abstractmethod
    def _parse_message(self, message: AIMessage) -> Any:
        """Return the value of a whole answer."""

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse a whole answer.

        Args:
            result: The answer.
            partial: Not used: `transform` reads the pieces of a stream.

        Returns:
            The value; `None` if other tools are called instead.

        Raises:
            ModelRefusalError: If the model refused (`OutputParserException` with langchain-core
                before 1.7.5).
            OutputParserException: If the answer holds no complete data of the schema.
            ValidationError: If the arguments of a call do not fit the schema.
        """
        message = getattr(result[0], "message", None)
        if not isinstance(message, AIMessage):
            message = AIMessage(result[0].text)
        raise_if_refused(message)
        return self._parse_message(message)

    @override
    def transform(
        self,
        input: Iterator[str | BaseMessage],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Any]:
        """Parse an answer while it arrives; see `langchain_core.runnables.Runnable.transform`."""
        yield from self._transform_stream_with_config(
            _wrap(input), self._transform, config, run_type="parser"
        )

    @override
    async def atransform(
        self,
        input: AsyncIterator[str | BaseMessage],
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """Async version of `transform`."""
        async for value in self._atransform_stream_with_config(
            _awrap(input), self._atransform, config, run_type="parser"
        ):
            yield value

    def _transform(self, pieces: Iterator[_UnmergeablePiece | str | BaseMessage]) -> Iterator[Any]:
        read = self._make_value_reader()
        for piece in pieces:
            if (value := read(piece)) is not None:
                yield value

    async def _atransform(
        self, pieces: AsyncIterator[_UnmergeablePiece | str | BaseMessage]
    ) -> AsyncIterator[Any]:
        read = self._make_value_reader()
        async for piece in pieces:
            if (value := read(piece)) is not None:
                yield value

    def _make_value_reader(self) -> Callable[[_UnmergeablePiece | str | BaseMessage], Any]:
        """Make a function that returns each new value, `None` without a change."""
        reader, last = self._make_reader(), None

        def read(piece: _UnmergeablePiece | str | BaseMessage) -> Any:
            nonlocal last
            if isinstance(piece, _UnmergeablePiece):
                value = reader.feed(piece.piece)
            else:
                value = self._parse_whole(piece)
            if value is None or value == last:
                return None
            last = value
            return value

        return read

    def _parse_whole(self, answer: str | BaseMessage) -> Any:
        if isinstance(answer, BaseMessage):
            return self.parse_result([ChatGeneration(message=answer)])
        return self.parse_result([Generation(text=answer)])

    def parse(self, text: str) -> Any:
        """Parse a whole answer; see `parse_result`."""
        return self.parse_result([Generation(text=text)])


def _wrap(pieces: Iterator[str | BaseMessage]) -> Iterator[Any]:
    seen = []
    for piece in pieces:
        seen.append(piece)
        yield _UnmergeablePiece(piece)
    yield _merge(seen)


async def _awrap(pieces: AsyncIterator[str | BaseMessage]) -> AsyncIterator[Any]:
    seen = []
    async for piece in pieces:
        seen.append(piece)
        yield _UnmergeablePiece(piece)
    yield _merge(seen)


def _merge(pieces: list[str | BaseMessage]) -> str | BaseMessage:
    messages = [piece for piece in pieces if isinstance(piece, BaseMessage)]
    if not messages:
        return "".join(map(str, pieces))
    chunks = [message for message in messages if isinstance(message, AIMessageChunk)]
    return sum_chunks(chunks) if len(chunks) == len(messages) else reduce(add, messages)


class JSONTextParser(AnswerParser):
    """Parses an answer whose text is JSON.

    Attributes:
        may_call: Whether the model was offered tools, which it may call instead of answering.
    """

    may_call: bool = False

    @override
    def _make_reader(self) -> PieceReader:
        return JSONTextReader(self._validate_partial)

    @override
    def _parse_message(self, message: AIMessage) -> Any:
        if self.may_call and message.tool_calls:
            return None
        if self.may_call and message.invalid_tool_calls:
            raise make_arguments_error(message)
        text = str(message.text)
        try:
            value = read_json(text)
        except ValueError:
            raise make_json_error(message) from None
        try:
            return self._validate(value)
        except ValueError as error:  # the base of pydantic's and pydantic.v1's errors
            name = getattr(self.pydantic_class, "__name__", "")
            msg = f"The answer does not fit {name}: {error}"
            raise OutputParserException(msg, llm_output=text) from error

    def _validate(self, value: Any) -> Any:
        if self.pydantic_class is None:
            return value
        validate = getattr(self.pydantic_class, "model_validate", None)
        return (validate or self.pydantic_class.parse_obj)(value)

    def _validate_partial(self, value: Any) -> Any:
        try:
            return self._validate(value)
        except ValueError:
            return None


class ToolCallParser(AnswerParser):
    """Parses an answer that is the call of one tool, the schema.

    Attributes:
        tool: The tool's name.
    """

    tool: str

    @override
    def _make_reader(self) -> PieceReader:
        return ToolArgumentsReader(self.tool, self._validate_partial)

    @override
    def _parse_message(self, message: AIMessage) -> Any:
        for call in message.tool_calls:
            if call["name"] == self.tool:
                return self._validate(call["args"])
        if message.invalid_tool_calls:
            raise make_arguments_error(message)
        raise make_call_error(message, self.tool)

    def _validate(self, value: dict[str, Any]) -> Any:
        return value if self.pydantic_class is None else self.pydantic_class(**value)

    def _validate_partial(self, value: dict[str, Any]) -> Any:
        try:
            return self._validate(value)
        except (TypeError, ValueError):
            return None
