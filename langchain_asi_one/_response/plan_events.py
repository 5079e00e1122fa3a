"""The states of a planner run as events.

They go to callbacks, to the graph, and to LangChain's protocol v3.

The sum of a stream has only the last `plan_state`. So no chunk of it carries an earlier one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables.config import var_child_runnable_config
from pydantic import PrivateAttr
from typing_extensions import override

from langchain_asi_one._response.content_blocks import MODEL_PROVIDER

FIELD = "plan_state"
"""Name of the custom event and of the one field of its data."""

_BLOCK = f"lc_{FIELD}_"
_STATE = f"new_{FIELD}"
_NUMBERS = count()
# More than an answer has blocks.
_LAST_PLACE = 1_000_000


def send_plan_state(plan_state: Any, run: CallbackManagerForLLMRun | None) -> None:
    """Send a plan's state to the surrounding graph and the run's callbacks."""
    _write(plan_state)
    if run is not None:
        manager = CallbackManager(run.handlers, tags=run.tags, metadata=run.metadata)
        manager.on_custom_event(FIELD, {FIELD: plan_state}, run_id=run.run_id)


async def asend_plan_state(plan_state: Any, run: AsyncCallbackManagerForLLMRun | None) -> None:
    """Async version of `send_plan_state`."""
    _write(plan_state)
    if run is not None:
        manager = AsyncCallbackManager(run.handlers, tags=run.tags, metadata=run.metadata)
        await manager.on_custom_event(FIELD, {FIELD: plan_state}, run_id=run.run_id)


def is_watched() -> bool:
    """Return whether the graph around the request streams custom events."""
    # Without `stream_mode="custom"`, LangGraph's writer is a function that names nothing.
    code = getattr(_find_writer(), "__code__", None)
    return code is not None and bool(code.co_names or code.co_freevars)


def _find_writer() -> Any:
    config = var_child_runnable_config.get() or {}
    runtime = (config.get("configurable") or {}).get("__pregel_runtime")
    return getattr(runtime, "stream_writer", None)


def _write(plan_state: Any) -> None:
    if writer := _find_writer():
        writer({FIELD: plan_state})


class PlanChunk(AIMessageChunk):
    """Carries a plan's state to `PlanBlock`; no stream of messages has one."""

    _plan_state: Any = PrivateAttr(default=None)

    @property
    @override
    def content_blocks(self) -> list[Any]:
        # An index that LangChain has not seen, so that it makes one event of this at once.
        index = f"{_STATE}_{next(_NUMBERS)}"
        return [{"type": "non_standard", "value": {}, _STATE: self._plan_state, "index": index}]


def make_plan_chunk(plan_state: Any) -> ChatGenerationChunk:
    """Make a chunk that becomes an event of protocol v3."""
    message = PlanChunk(content="", response_metadata={"model_provider": MODEL_PROVIDER})
    message._plan_state = plan_state  # noqa: SLF001 - pydantic's way to make one
    return ChatGenerationChunk(message=message)


def add_plan_block(events: Iterator[Any]) -> Iterator[Any]:
    """Make one block of a plan's states; each state replaces the last.

    LangChain's events have a `PlanChunk` for each state. The block stands behind all others, as in
    an answer that comes whole.
    """
    block = PlanBlock()
    for event in events:
        yield from block.feed(event)


async def aadd_plan_block(events: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Async version of `add_plan_block`."""
    block = PlanBlock()
    async for event in events:
        for one in block.feed(event):
            yield one


class PlanBlock:
    """The block of a plan among the events of an answer."""

    def __init__(self) -> None:
        self._states: set[int] = set()
        self._places: dict[int, int] = {}
        self._others = 0

    def feed(self, event: Any) -> Iterator[Any]:
        """Take an event of LangChain's; yield the events that replace it.

        These are the same event, perhaps in another place, or what a state makes of the plan's
        block.
        """
        place, content = event.get("index"), event.get("content") or {}
        if place is None:
            yield event
        elif event["event"] == "content-block-start" and _STATE in content:
            yield from self._replace(content[_STATE])
            self._states.add(place)
        elif place not in self._states:
            if place not in self._places and not self._find_place(place, content.get("index")):
                return  # the plan's block has begun
            known = self._places[place]
            yield event if known == place else {**event, "index": known}

    def _find_place(self, place: int, block: Any) -> bool:
        """Find a beginning block's place; `False` if it had begun."""
        if self._states and isinstance(block, str) and block.startswith(_BLOCK):
            number = int(block.removeprefix(_BLOCK))
            self._places[place] = _LAST_PLACE + number
            return number > 0
        self._places[place] = self._others
        self._others += 1
        return True

    def _replace(self, plan_state: Any) -> Iterator[Any]:
        if not self._states:
            start = {"type": "non_standard", "value": {}, "index": f"{_BLOCK}0"}
            yield {"event": "content-block-start", "index": _LAST_PLACE, "content": start}
        fields = {"type": "non_standard", "value": {"type": FIELD, FIELD: plan_state}}
        delta = {"type": "block-delta", "fields": fields}
        yield {"event": "content-block-delta", "index": _LAST_PLACE, "delta": delta}
