"""Reads the JSON of a structured answer, complete or not at all."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import Any

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.output_parsers import BaseCumulativeTransformOutputParser
from langchain_core.outputs import Generation
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.utils.json import parse_json_markdown
from pydantic import BaseModel, ValidationError

from langchain_asi_one._json_safe import loads

# json_object answers have been recorded inside a code fence (wire contract, 5.1).
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)


def read_json(text: str) -> Any:
    """Read the JSON of an answer, which may stand in a code fence.

    Args:
        text: The answer's text.

    Returns:
        The JSON value.

    Raises:
        OutputParserException: If it is not complete JSON. LangChain's own parsers complete a
            truncated one by guessing.
    """
    fenced = _FENCE.search(text)
    for candidate in (text, fenced.group(1) if fenced else ""):
        try:
            return loads(candidate.strip())
        except ValueError:
            continue
    msg = (
        f"The answer is not complete JSON: {text[:500]!r}. If it was cut off, raise max_tokens; "
        f"if it is prose, use method='function_calling'."
    )
    raise OutputParserException(msg, llm_output=text)


class StrictParser(BaseCumulativeTransformOutputParser[Any]):
    """Streams what can be read of an answer, and ends only on complete JSON.

    Attributes:
        validates: Pydantic class that the JSON must fit; without one, plain JSON is returned.
    """

    validates: type[BaseModel] | None = None

    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        """Parse an answer.

        Args:
            result: The answer, or what there is of it.
            partial: Whether more is to come.

        Returns:
            The value; `None` for a part that cannot be read yet.

        Raises:
            OutputParserException: If a whole answer is not complete JSON of the schema.
        """
        value = _read_partial(result[0].text) if partial else read_json(result[0].text)
        if self.validates is None:
            return value
        try:
            return self.validates.model_validate(value)
        except ValidationError as error:
            if partial:
                return None
            msg = f"The answer does not fit {self.validates.__name__}: {error}"
            raise OutputParserException(msg, llm_output=result[0].text) from error

    def parse(self, text: str) -> Any:
        """Parse a whole answer; see `parse_result`."""
        return self.parse_result([Generation(text=text)])


def _read_partial(text: str) -> Any:
    try:
        return parse_json_markdown(text.strip())
    except ValueError:
        return None


def structured_output(
    model: Runnable[LanguageModelInput, Any], schema: Any, *, include_raw: bool
) -> Runnable[LanguageModelInput, Any]:
    """Let a model's JSON answer be parsed.

    Args:
        model: A model that was asked for JSON.
        schema: Pydantic class to validate against; anything else gives plain JSON.
        include_raw: Whether to return `{raw, parsed, parsing_error}` and raise nothing.

    Returns:
        The chain of both.
    """
    validates = isinstance(schema, type) and issubclass(schema, BaseModel)
    parser = StrictParser(validates=schema if validates else None)
    if not include_raw:
        return model | parser
    parsed = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=model) | parsed.with_fallbacks([unparsed], exception_key="parsing_error")
