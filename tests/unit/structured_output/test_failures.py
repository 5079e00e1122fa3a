"""Errors of answers that hold no data say what came, and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core import exceptions
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, InvalidToolCall

from langchain_asi_one._structured_output import failures

RAISE = "raise max_tokens, which thinking uses up as well."


def answer_of(text: str, reason: str = "stop", **extras: Any) -> AIMessage:
    return AIMessage(text, additional_kwargs=extras, response_metadata={"finish_reason": reason})


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            answer_of("Rome."),
            (
                "'Rome.'. If it was cut off, raise max_tokens; if it is prose, use "
                "method='function_calling'."
            ),
        ),
        (
            answer_of('{"a', "length"),
            f"""'{{"a'. It was cut off (finish_reason 'length'): {RAISE}""",
        ),
        (
            answer_of("", "length", thought="Hm" * 600),
            "''. It was cut off (finish_reason 'length', after 1,200 characters of thinking): "
            + RAISE,
        ),
        (
            answer_of(" \n", thought="Hm"),
            r"' \n'. It is empty (finish_reason 'stop', after 2 characters of thinking). "
            "Ask again, or " + RAISE,
        ),
    ],
)
def test_an_answer_without_json(message: AIMessage, text: str) -> None:
    error = failures.make_json_error(message)
    assert str(error).startswith(f"The answer is not complete JSON: {text}\n")
    assert error.llm_output == message.text


def test_an_answer_without_the_call() -> None:
    error = failures.make_call_error(answer_of("Rome."), "City")
    assert str(error).startswith(
        "The answer is no call of 'City': 'Rome.'. Ask again, or use method='json_schema'."
    )
    call = {"name": "Other", "args": {}, "id": "c1", "type": "tool_call"}
    message = AIMessage("", tool_calls=[call])
    error = failures.make_call_error(message, "City")
    assert "no call of 'City', but a call of 'Other': ''. Ask again" in str(error)
    assert "JSON, but a call of 'Other': ''. If it" in str(failures.make_json_error(message))


def call_of(arguments: str | None, reason: str = "stop") -> AIMessage:
    call = InvalidToolCall(
        name="City", args=arguments, id="c1", error=None, type="invalid_tool_call"
    )
    return AIMessage("", invalid_tool_calls=[call], response_metadata={"finish_reason": reason})


def test_a_call_with_unreadable_arguments() -> None:
    error = failures.make_arguments_error(call_of('{"a', "length"))
    assert "call of 'City' are not complete JSON: '{\"a'. It was cut off" in str(error)
    assert error.llm_output == '{"a'
    assert "are no JSON object: '[1]'." in str(failures.make_arguments_error(call_of("[1]")))
    error = failures.make_arguments_error(call_of(None))
    assert "not complete JSON: ''. If they were cut off, raise max_tokens." in str(error)


def test_a_long_answer_is_quoted_in_part() -> None:
    error = failures.make_json_error(answer_of("x" * 10_000))
    assert f"'{'x' * 500}'…. " in str(error)
    assert len(str(error)) < 1000
    assert error.llm_output == "x" * 10_000


REFUSALS = [
    (answer_of("", refusal="I cannot."), "ASI:One refused to answer: I cannot."),
    (answer_of("Ro", "content_filter"), "ASI:One stopped the answer: finish_reason is"),
]


@pytest.mark.parametrize(("message", "text"), REFUSALS)
@pytest.mark.skipif(
    not hasattr(exceptions, "ModelRefusalError"), reason="langchain-core 1.7.5 brought it"
)
def test_a_refusal_is_langchains_error(message: AIMessage, text: str) -> None:
    with pytest.raises(exceptions.ModelRefusalError, match=text) as caught:
        failures.raise_if_refused(message)
    assert caught.value.raw_message is message


@pytest.mark.parametrize(("message", "text"), REFUSALS)
def test_an_older_langchain_core_knows_no_refusal(
    message: AIMessage, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "_REFUSAL_ERROR", None)
    with pytest.raises(OutputParserException, match=text):
        failures.raise_if_refused(message)


def test_an_ordinary_answer_is_no_refusal() -> None:
    failures.raise_if_refused(answer_of("Rome."))


def test_texts_of_the_model_reach_no_terminal_raw() -> None:
    hostile = "\x1b[2J\u202eNo"
    errors: list[Exception] = []
    with pytest.raises((OutputParserException, failures._REFUSAL_ERROR or ValueError)) as caught:
        failures.raise_if_refused(answer_of("", refusal=hostile * 1000))
    errors.append(caught.value)
    errors.append(failures.make_json_error(answer_of(hostile)))
    errors.append(failures.make_arguments_error(call_of(hostile)))
    for error in errors:
        assert not {"\x1b", "\u202e"} & {*str(error)}
        assert len(str(error)) < 1000
