"""Estimates of tokens are fair to all scripts and count what is sent."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage, trim_messages

from langchain_asi_one import ChatASIOne
from langchain_asi_one._request.token_count import estimate_tokens

CHINESE = "今天巴黎的天气怎么样请告诉我" * 50


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("\x7f" * 4, 1),
        ("Why is the sky blue?", 5),
        ("Почему небо синее?", 9),
        (CHINESE, 525),
        ("😀😀", 4),
    ],
)
def test_estimates(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_chinese_is_not_counted_as_a_fraction() -> None:
    # https://github.com/langchain-ai/langchain/issues/39755 measured 1.4 to 2.1 characters a token.
    model = ChatASIOne(api_key="any")
    assert model.get_num_tokens(CHINESE) >= len(CHINESE) / 2.2
    assert model.get_num_tokens_from_messages([HumanMessage(CHINESE)]) >= len(CHINESE) / 2.2


def test_a_counter_of_ones_own_counts_messages_too() -> None:
    # https://github.com/langchain-ai/langchain/issues/30086
    model = ChatASIOne(api_key="any", custom_get_token_ids=lambda text: [*map(ord, text)])
    message = HumanMessage("x" * 100)
    assert model.get_num_tokens_from_messages([message]) == 100 + len("user") + 3
    history = [HumanMessage("x" * 100, id=str(number)) for number in range(10)]
    kept = trim_messages(history, max_tokens=250, token_counter=model, strategy="last")
    assert [one.id for one in kept] == ["8", "9"]


def test_all_that_is_sent_counts() -> None:
    model = ChatASIOne(api_key="any")
    question = HumanMessage("Look.")
    call: Any = {"name": "look", "args": {"city": "x" * 400}, "id": "c1", "type": "tool_call"}
    image = {"type": "image", "base64": "aGk=", "mime_type": "image/png"}
    turn = [question, AIMessage("", tool_calls=[call]), ToolMessage([image], tool_call_id="c1")]
    counts = [model.get_num_tokens_from_messages(turn[:end]) for end in (1, 2, 3)]
    assert counts[1] - counts[0] > 100
    assert counts[2] - counts[1] > 85

    def look(city: str) -> str:
        """Look."""
        return city

    assert model.get_num_tokens_from_messages([question], tools=[look]) > counts[0] + 20


def test_the_name_of_a_speaker_counts() -> None:
    model = ChatASIOne(api_key="any", custom_get_token_ids=lambda text: [*map(ord, text)])
    named = model.get_num_tokens_from_messages([HumanMessage("Hi", name="Ada")])
    assert named - model.get_num_tokens_from_messages([HumanMessage("Hi")]) == len("Ada")
