"""A choice that holds an error is never taken for an answer, although the status is 200.

Reported as https://github.com/firebase/genkit/pull/6259 and
https://github.com/pydantic/pydantic-ai/issues/2844: a gateway that loses the model half-way has
sent the status already.
"""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one.errors import ASIOneError, ASIOneServerError
from langchain_asi_one.testing import LocalASIOne, answer, stream
from langchain_asi_one.testing._replies import Reply
from tests.support.model import MakeModel
from tests.support.ways import FOUR_WAYS, ask

ERROR = {"code": 502, "message": "Provider disconnected"}


def failed(way: str, **choice: Any) -> Reply:
    """Half an answer, and then a choice that ended with an error."""
    if way.endswith("invoke"):
        message = {"role": "assistant", "content": "Half an ans"}
        return answer({"id": "1", "choices": [{"index": 0, "message": message, **choice}]})
    deltas: list[dict[str, Any]] = [
        {"index": 0, "delta": {"content": "Half an ans"}, "finish_reason": None},
        {"index": 0, "delta": {}, **choice},
    ]
    return stream([{"id": "1", "choices": [choice]} for choice in deltas])


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize(
    ("choice", "error_class", "text"),
    [
        ({"finish_reason": "error", "error": ERROR}, ASIOneServerError, "Provider disconnected"),
        ({"finish_reason": "stop", "error": ERROR}, ASIOneServerError, "Provider disconnected"),
        ({"error": "No capacity"}, ASIOneError, "No capacity"),
        ({"finish_reason": "error"}, ASIOneError, "no explanation"),
    ],
)
def test_an_error_on_a_choice_raises(
    make_model: MakeModel,
    server: LocalASIOne,
    way: str,
    choice: dict[str, Any],
    error_class: type[ASIOneError],
    text: str,
) -> None:
    server.enqueue(failed(way, **choice))
    with pytest.raises(error_class, match=text) as caught:
        ask(way, make_model(max_retries=0))
    assert caught.value.partial_text == "Half an ans"


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize("nothing", [None, {}, "", False])
def test_a_choice_without_an_error_is_an_answer(
    make_model: MakeModel, server: LocalASIOne, way: str, nothing: Any
) -> None:
    server.enqueue(failed(way, finish_reason="stop", error=nothing))
    assert ask(way, make_model()).text == "Half an ans"


def test_another_model_takes_over(make_model: MakeModel, server: LocalASIOne) -> None:
    server.enqueue(failed("invoke", finish_reason="error", error=ERROR))
    model = make_model(max_retries=0).with_fallbacks([make_model(model="asi1-mini")])
    assert model.invoke("Hello").response_metadata["model_name"] == "asi1-mini"
