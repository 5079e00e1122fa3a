"""Token counts are read in whatever number and detail they come."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one._response.token_usage import read_count, read_usage


@pytest.mark.parametrize(
    ("usage", "metadata"),
    [
        ({}, None),
        ({"total_tokens": 5}, None),
        ({"prompt_tokens": "5", "completion_tokens": True}, None),
        ({"prompt_tokens": -1, "completion_tokens": 2**63}, None),
        ({"prompt_tokens": 2}, {"input_tokens": 2, "output_tokens": 0, "total_tokens": 2}),
        (
            {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": None},
            {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5},
        ),
        (
            {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 9, "reasoning_tokens": 0},
            {
                "input_tokens": 2,
                "output_tokens": 3,
                "total_tokens": 9,
                "output_token_details": {"reasoning": 0},
            },
        ),
        (
            {
                "prompt_tokens": 2,
                "completion_tokens": 3,
                "total_tokens": 5,
                "reasoning_tokens": 0,
                "completion_tokens_details": {"reasoning_tokens": 2},
                "prompt_tokens_details": {"cached_tokens": 1},
            },
            {
                "input_tokens": 2,
                "output_tokens": 3,
                "total_tokens": 5,
                "output_token_details": {"reasoning": 2},
                "input_token_details": {"cache_read": 1},
            },
        ),
        (
            {"prompt_tokens": 10.0, "completion_tokens": 2.0, "total_tokens": 12.5},
            {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12},
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "prompt_tokens_details": {
                    "audio_tokens": 1,
                    "cached_tokens": 2.0,
                    "cache_write_tokens": 3,
                    "image_tokens": 4,
                    "text_tokens": None,
                    "tier": "a",
                },
                "completion_tokens_details": {
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 5,
                    "rejected_prediction_tokens": 6,
                },
            },
            {
                "input_tokens": 9,
                "output_tokens": 3,
                "total_tokens": 12,
                "input_token_details": {
                    "audio": 1,
                    "cache_read": 2,
                    "cache_creation": 3,
                    "image": 4,
                },
                "output_token_details": {
                    "audio": 0,
                    "accepted_prediction": 5,
                    "rejected_prediction": 6,
                },
            },
        ),
    ],
)
def test_usage(usage: dict[str, Any], metadata: Any) -> None:
    assert read_usage(usage) == metadata


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0, 0),
        (2**63 - 1, 2**63 - 1),
        (10.0, 10),
        (2**63, None),
        (-1, None),
        (1.5, None),
        (True, None),
        ("5", None),
        (None, None),
        ([1], None),
    ],
)
def test_read_count(value: Any, count: int | None) -> None:
    assert read_count(value) == count
