"""The states of a plan as events: to callbacks, to the graph, and as one block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler, CallbackManager
from langchain_core.messages import HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_asi_one._response.plan_events import (
    aadd_plan_block,
    add_plan_block,
    asend_plan_state,
    is_watched,
    make_plan_chunk,
    send_plan_state,
)

PLANNING: Final = {"status": "planning"}
DONE: Final = {"status": "completed"}
LAST: Final = 1_000_000


class Recorder(BaseCallbackHandler):
    """Keeps the custom events."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def on_custom_event(
        self, name: str, data: Any, *, run_id: Any, tags: Any = None, metadata: Any = None, **_: Any
    ) -> None:
        self.events.append((name, data, run_id, tags, metadata))


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("mode", ["custom", "values"])
async def test_callbacks_and_the_graph_hear_of_a_state(is_async: bool, mode: Any) -> None:
    recorder = Recorder()
    given: dict[str, Any] = {"handlers": [recorder], "tags": ["a"], "metadata": {"b": 1}}
    watched: list[bool] = []
    runs: list[Any] = []

    def send(_: MessagesState) -> dict[str, Any]:
        [run] = CallbackManager(**given).on_chat_model_start({}, [[HumanMessage("Hi")]])
        watched.append(is_watched())
        runs.append(run.run_id)
        send_plan_state(PLANNING, run)
        send_plan_state(DONE, None)
        return {}

    async def asend(_: MessagesState) -> dict[str, Any]:
        manager = AsyncCallbackManager(**given)
        [run] = await manager.on_chat_model_start({}, [[HumanMessage("Hi")]])
        watched.append(is_watched())
        runs.append(run.run_id)
        await asend_plan_state(PLANNING, run)
        await asend_plan_state(DONE, None)
        return {}

    graph: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState)
    node: Any = asend if is_async else send
    graph.add_node("ask", node)
    graph.add_edge(START, "ask")
    question: Any = {"messages": [HumanMessage("Hi")]}
    events: list[Any] = [e async for e in graph.compile().astream(question, stream_mode=mode)]
    sent = [{"plan_state": PLANNING}, {"plan_state": DONE}]
    assert (watched, events == sent) == ([mode == "custom"], mode == "custom")
    assert recorder.events == [("plan_state", sent[0], runs[0], ["a"], {"b": 1})]


def test_outside_of_a_graph_nothing_is_watched() -> None:
    assert not is_watched()
    send_plan_state(PLANNING, None)


def make_event(kind: str, place: int, **others: Any) -> dict[str, Any]:
    return {"event": f"content-block-{kind}", "index": place, **others}


def make_state_events(place: int, state: object) -> list[dict[str, Any]]:
    chunk = make_plan_chunk(state).message
    assert chunk.response_metadata == {"model_provider": "asi-one"}
    [block] = chunk.content_blocks
    content: Any = block
    return [
        make_event("start", place, content=content),
        make_event("finish", place, content=content),
    ]


def make_delta(state: object) -> dict[str, Any]:
    fields = {"type": "non_standard", "value": {"type": "plan_state", "plan_state": state}}
    return make_event("delta", LAST, delta={"type": "block-delta", "fields": fields})


TEXT: Final = {"type": "text", "text": "", "index": "lc_text"}
ADDED: Final = {"type": "text-delta", "text": "Hi"}
PLANS: Final = [
    {"type": "non_standard", "value": {"type": "plan_state"}, "index": f"lc_plan_state_{number}"}
    for number in (0, 1)
]
BEGUN: Final = {"type": "non_standard", "value": {}, "index": "lc_plan_state_0"}


async def test_states_are_one_block_behind_all_others() -> None:
    events = [
        {"event": "message-start"},
        *make_state_events(0, PLANNING),
        make_event("start", 1, content=TEXT),
        make_event("delta", 1, delta=ADDED),
        *make_state_events(2, DONE),
        make_event("start", 3, content=PLANS[0]),
        make_event("finish", 3, content=PLANS[0]),
        make_event("start", 4, content=PLANS[1]),
        {"event": "message-finish"},
    ]
    wanted = [
        {"event": "message-start"},
        make_event("start", LAST, content=BEGUN),
        make_delta(PLANNING),
        make_event("start", 0, content=TEXT),
        make_event("delta", 0, delta=ADDED),
        make_delta(DONE),
        make_event("finish", LAST, content=PLANS[0]),
        make_event("start", LAST + 1, content=PLANS[1]),
        {"event": "message-finish"},
    ]

    async def feed() -> AsyncIterator[Any]:
        for event in events:
            yield event

    assert [*add_plan_block(iter(events))] == wanted
    assert [event async for event in aadd_plan_block(feed())] == wanted


def test_without_a_state_all_events_stay_as_they_are() -> None:
    events = [
        {"event": "message-start"},
        make_event("start", 0, content=PLANS[0]),
        make_event("start", 1, content=TEXT),
        make_event("delta", 1, delta=ADDED),
        make_event("finish", 0, content=PLANS[0]),
    ]
    same = zip(add_plan_block(iter(events)), events, strict=True)
    assert all(got is given for got, given in same)
