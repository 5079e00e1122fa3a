"""What a cache holds of answers that are still to come: nothing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from langchain_asi_one._follow_up.answer_cache import AnswerCache

ANSWER = [ChatGeneration(message=AIMessage("A table at eight."))]
PLACEHOLDER = [ChatGeneration(message=AIMessage("I've sent the message"))]


@pytest.mark.parametrize("is_async", [False, True])
def test_all_is_stored_but_placeholders(is_async: bool) -> None:
    held = InMemoryCache()
    cache = AnswerCache(held)
    results: dict[str, Any] = {"a": ANSWER, "b": PLACEHOLDER, "c": [Generation(text="x")]}
    for prompt, generations in results.items():
        if is_async:
            asyncio.run(cache.aupdate(prompt, "model", generations))
            assert asyncio.run(cache.alookup(prompt, "model")) == held.lookup(prompt, "model")
        else:
            cache.update(prompt, "model", generations)
            assert cache.lookup(prompt, "model") == held.lookup(prompt, "model")
    assert {prompt for prompt, _ in held._cache} == {"a", "c"}
    cache.clear()
    assert held._cache == {}
