"""What a planner run does reaches callbacks, graphs and LangChain's events as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, Final

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph import START, MessagesState, StateGraph

from langchain_asi_one import ChatASIOne
from langchain_asi_one.display import stream_view
from langchain_asi_one.testing import LocalASIOne, answer, stream
from tests.support import made_up_answers
from tests.support.model import MakeModel
from tests.support.ways import FOUR_WAYS, WAYS, assert_is, sum_of

pytestmark = pytest.mark.filterwarnings(r"ignore:The method `BaseChatModel\..*_v3` is in beta")
STATUSES: Final = ["planning", "running", "running", "completed"]
CHUNKS: Final = made_up_answers.PLANNER.chunks
MESSAGE: Final = made_up_answers.PLANNER.message


@pytest.fixture
def planner(make_model: MakeModel, server: LocalASIOne) -> ChatASIOne:
    """A model that plans; the run sends a state with each of four chunks."""
    server.enqueue(stream(CHUNKS))
    return make_model(planner_mode=True)


class Recorder(BaseCallbackHandler):
    """Notes plans and pieces of the answer in the order of their arrival."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.runs: set[Any] = set()

    def on_chat_model_start(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.runs.add(run_id)

    def on_custom_event(self, name: str, data: Any, *, run_id: Any, **_: Any) -> None:
        assert name == "plan_state"
        self.runs.add(run_id)
        self.events.append(data["plan_state"]["status"])

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **_: Any) -> None:
        if chunk is not None:
            self.events.append(token or chunk.message.additional_kwargs.get("thought") or "end")


ORDER: Final = [
    *("planning", "running", "Ask Hotel.", "running", "Your hotel", "completed", " is booked."),
    "end",
]


@pytest.mark.parametrize("way", ["stream", "astream"])
@pytest.mark.parametrize("place", ["config", "model"])
def test_callbacks_hear_of_each_change_as_it_comes(
    way: str, place: str, planner: ChatASIOne
) -> None:
    recorder = Recorder()
    if place == "config":
        WAYS[way](planner, config={"callbacks": [recorder]})
    else:
        WAYS[way](planner.model_copy(update={"callbacks": [recorder]}))
    assert recorder.events == ORDER
    assert len(recorder.runs) == 1


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_graph_streams_each_change(way: str, planner: ChatASIOne, server: LocalASIOne) -> None:
    def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [WAYS[way](planner, state["messages"])]}

    async def aask(state: MessagesState) -> dict[str, Any]:
        if way == "ainvoke":
            return {"messages": [await planner.ainvoke(state["messages"])]}
        chunks = [chunk async for chunk in planner.astream(state["messages"])]
        return {"messages": [sum_of(chunks)]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", aask if way.startswith("a") else ask)
    graph.add_edge(START, "model")
    question: Any = {"messages": [HumanMessage("Hello")]}

    async def run() -> list[Any]:
        return [e async for e in graph.compile().astream(question, stream_mode="custom")]

    if way.startswith("a"):
        events = asyncio.run(run())
    else:
        events = list(graph.compile().stream(question, stream_mode="custom"))
    assert [event["plan_state"]["status"] for event in events] == STATUSES
    assert events[-1]["plan_state"] == MESSAGE["additional_kwargs"]["plan_state"]
    [request] = server.requests
    assert request.body["stream"] is True


@pytest.mark.parametrize("modes", [["values"], ["updates", "values"]])
def test_invoke_streams_only_for_a_graph_that_is_watched(
    modes: Sequence[Any], make_model: MakeModel, server: LocalASIOne
) -> None:
    graph = create_agent(make_model(planner_mode=True), [])
    question: Any = {"messages": [HumanMessage("Hello")]}
    list(graph.stream(question, stream_mode=modes))
    graph.invoke(question)
    still = create_agent(make_model(planner_mode=True, disable_streaming=True), [])
    list(still.stream(question, stream_mode="custom"))
    # Without a planner there is nothing to see.
    list(create_agent(make_model(), []).stream(question, stream_mode="custom"))
    assert [request.body["stream"] for request in server.requests] == [False] * 4


def test_an_agent_shows_its_planner(planner: ChatASIOne) -> None:
    graph = create_agent(planner, [])
    question: Any = {"messages": [HumanMessage("Hello")]}
    out = StringIO()
    events: list[Any] = list(graph.stream(question, stream_mode=["messages", "custom"]))
    kinds = [event["plan_state"]["status"] for mode, event in events if mode == "custom"]
    assert kinds == STATUSES
    assert [mode for mode, _ in events][:2] == ["custom", "custom"]
    message = stream_view(iter(events), file=out)
    assert message.text == MESSAGE["content"]


async def test_events_of_a_chain_have_each_change(planner: ChatASIOne) -> None:
    chain = RunnableLambda(lambda text: text) | planner
    events: list[Any] = [e async for e in chain.astream_events("Hello", version="v2")]
    custom = [event for event in events if event["event"] == "on_custom_event"]
    assert [event["data"]["plan_state"]["status"] for event in custom] == STATUSES
    [run_id] = {event["run_id"] for event in custom}
    [start] = [event for event in events if event["event"] == "on_chat_model_start"]
    assert (run_id, {event["name"] for event in custom}) == (start["run_id"], {"plan_state"})
    assert custom[0]["parent_ids"] == start["parent_ids"]


async def _read(model: ChatASIOne) -> list[Any]:
    return [event async for event in await model.astream_events("Hello", version="v3")]


V3: Final[dict[str, Callable[[ChatASIOne], list[Any]]]] = {
    "stream_events": lambda model: list(model.stream_events("Hello", version="v3")),
    "astream_events": lambda model: asyncio.run(_read(model)),
}


@pytest.mark.parametrize("way", V3)
def test_protocol_v3_has_a_block_that_grows(way: str, planner: ChatASIOne) -> None:
    events = V3[way](planner)
    plans = [event for event in events if event.get("delta", {}).get("type") == "block-delta"]
    states = [event["delta"]["fields"]["value"]["plan_state"] for event in plans]
    assert [state["status"] for state in states] == STATUSES
    [place] = {event["index"] for event in plans}
    own = [event["event"] for event in events if event.get("index") == place]
    assert own == ["content-block-start", *["content-block-delta"] * 4, "content-block-finish"]
    started = [e["index"] for e in events if e["event"] == "content-block-start"]
    ended = [e["index"] for e in events if e["event"] == "content-block-finish"]
    assert sorted(started) == sorted(ended) == sorted({*started})
    [end] = [e for e in events if e["event"] == "content-block-finish" and e["index"] == place]
    assert end["content"]["value"] == {"type": "plan_state", "plan_state": states[-1]}
    # The first state is there before the first word.
    kinds = [event.get("delta", {}).get("type") for event in events]
    assert kinds.index("block-delta") < kinds.index("text-delta")


@pytest.mark.parametrize("way", WAYS)
def test_the_sum_is_that_of_an_answer_without_a_planner(
    way: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    made_up = made_up_answers.PLANNER
    server.enqueue(stream(CHUNKS))
    wanted = sum_of(make_model().stream("Hello", session_id="a"))
    server.enqueue(stream(CHUNKS) if "stream" in way else answer(made_up.body))
    got = WAYS[way](make_model(planner_mode=True), session_id="a")
    if way.endswith("events"):
        assert got.content_blocks == wanted.content_blocks
        assert got.additional_kwargs == wanted.additional_kwargs
    else:
        assert_is(got, wanted)


@pytest.mark.parametrize("way", ["stream", "astream", *V3])
def test_an_answer_without_a_plan_has_no_event(way: str, make_model: MakeModel) -> None:
    recorder = Recorder()
    model = make_model(callbacks=[recorder])
    if way in V3:
        kinds = {event.get("delta", {}).get("type") for event in V3[way](model)}
        assert kinds == {None, "reasoning-delta", "text-delta"}
    else:
        WAYS[way](model)
    assert not {*recorder.events} & {*STATUSES}
