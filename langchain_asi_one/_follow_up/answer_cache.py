"""LangChain's cache, without answers that are still to come."""

from __future__ import annotations

from typing import Any

from langchain_core.caches import RETURN_VAL_TYPE, BaseCache
from langchain_core.messages import AIMessage
from typing_extensions import override

from langchain_asi_one._follow_up.pending_rule import is_deferred


class AnswerCache(BaseCache):
    """Stores in another cache what is no placeholder.

    A placeholder that is stored would hide the answer: whoever asks again would get the placeholder
    again, without a session in which to ask after it.

    Args:
        cache: The user's cache.
    """

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    @override
    def lookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        return self._cache.lookup(prompt, llm_string)

    @override
    async def alookup(self, prompt: str, llm_string: str) -> RETURN_VAL_TYPE | None:
        return await self._cache.alookup(prompt, llm_string)

    @override
    def update(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        if not _holds_placeholder(return_val):
            self._cache.update(prompt, llm_string, return_val)

    @override
    async def aupdate(self, prompt: str, llm_string: str, return_val: RETURN_VAL_TYPE) -> None:
        if not _holds_placeholder(return_val):
            await self._cache.aupdate(prompt, llm_string, return_val)

    @override
    def clear(self, **kwargs: Any) -> None:
        self._cache.clear(**kwargs)


def _holds_placeholder(generations: RETURN_VAL_TYPE) -> bool:
    messages = [getattr(generation, "message", None) for generation in generations]
    return any(isinstance(m, AIMessage) and is_deferred(m) for m in messages)
