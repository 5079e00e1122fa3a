"""The errors of structured answers, which are LangChain's: no I/O."""

from __future__ import annotations

from typing import Any, Final

from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage

from langchain_asi_one._json.printable import make_printable
from langchain_asi_one._json.safe import loads

_SHOWN: Final = 500
# Since langchain-core 1.7.5.
_REFUSAL_ERROR: Final[Any] = getattr(exceptions, "ModelRefusalError", None)


def raise_if_refused(message: AIMessage) -> None:
    """Raise an error if the model or a content filter refused.

    Args:
        message: A whole answer.

    Raises:
        ModelRefusalError: With langchain-core 1.7.5 or newer, in LangChain's standard form.
        OutputParserException: With an older one, which has no such error.
    """
    refusal = message.additional_kwargs.get("refusal")
    if refusal:
        text = f"ASI:One refused to answer: {make_printable(str(refusal))[:_SHOWN]}"
    elif message.response_metadata.get("finish_reason") == "content_filter":
        text = "ASI:One stopped the answer: finish_reason is 'content_filter'. Change the question."
    else:
        return
    if _REFUSAL_ERROR is None:
        raise OutputParserException(text, llm_output=str(refusal or message.text))
    raise _REFUSAL_ERROR(text, raw_message=message)


def make_json_error(message: AIMessage) -> OutputParserException:
    """Return the error of an answer without complete JSON."""
    advice = "If it was cut off, raise max_tokens; if it is prose, use method='function_calling'."
    return _make_error(message, "not complete JSON", advice)


def make_call_error(message: AIMessage, tool: str) -> OutputParserException:
    """Return the error of an answer that calls no tool for data."""
    return _make_error(message, f"no call of {tool!r}", "Ask again, or use method='json_schema'.")


def make_arguments_error(message: AIMessage) -> OutputParserException:
    """Return the error of an answer whose only call has unreadable arguments."""
    call = message.invalid_tool_calls[0]
    text = call["args"] or ""
    try:
        loads(text)
        problem = "no JSON object"
    except ValueError:
        problem = "not complete JSON"
    msg = f"The arguments of the call of {call['name']!r} are {problem}: {_quote(text)}."
    advice = _advise_if_cut(message) or "If they were cut off, raise max_tokens."
    return OutputParserException(f"{msg} {advice}", llm_output=text)


def _make_error(message: AIMessage, problem: str, advice: str) -> OutputParserException:
    text = str(message.text)
    calls = ", ".join(repr(c["name"]) for c in (*message.tool_calls, *message.invalid_tool_calls))
    if calls:
        problem += f", but a call of {calls}"
    elif not text.strip():
        reason = message.response_metadata.get("finish_reason")
        advice = (
            f"It is empty (finish_reason {reason!r}{_describe_thinking(message)}). Ask again, or "
            f"raise max_tokens, which thinking uses up as well."
        )
    msg = f"The answer is {problem}: {_quote(text)}. {_advise_if_cut(message) or advice}"
    return OutputParserException(msg, llm_output=text)


def _advise_if_cut(message: AIMessage) -> str:
    if message.response_metadata.get("finish_reason") != "length":
        return ""
    return (
        f"It was cut off (finish_reason 'length'{_describe_thinking(message)}): raise max_tokens, "
        f"which thinking uses up as well."
    )


def _describe_thinking(message: AIMessage) -> str:
    thought = message.additional_kwargs.get("thought")
    return f", after {len(thought):,} characters of thinking" if isinstance(thought, str) else ""


def _quote(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"
