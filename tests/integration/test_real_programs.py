"""Programs that were written for ChatOpenAI run with the class changed and `base_url` dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import ToolMessage
from langchain_openai import ChatOpenAI

from langchain_asi_one import ChatASIOne
from langchain_asi_one.errors import ASIOneRateLimitError
from langchain_asi_one.testing import LocalASIOne, fault, local_asi_one
from tests.support.model import API_KEY
from tests.support.programs import growth_pipeline, research_agent
from tests.support.stand_in_wire import SPEECH

Make = Callable[..., BaseChatModel]
QUESTION = "event_finder and sponsor_researcher, please: what is 'Hack Day'?"
FOUND = "page-of-Hack Day"


@pytest.fixture(params=["ChatOpenAI", "ChatASIOne"])
def make(
    request: pytest.FixtureRequest, server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> Make:
    """Make the model of a program, as it was written and with the one line changed."""
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    monkeypatch.setenv("ASI_ONE_API_KEY", API_KEY)
    if request.param == "ChatASIOne":
        return ChatASIOne
    return lambda **fields: ChatOpenAI(
        **{"base_url": server.base_url, "api_key": API_KEY, **fields}
    )


@pytest.fixture(autouse=True)
def _no_page_was_read() -> None:
    research_agent.PAGES_READ.clear()


@pytest.fixture
def without_credit() -> Iterator[LocalASIOne]:
    """A stand-in that refuses every key but its own."""
    with local_asi_one(api_key="sk_of_somebody_else") as refusing:
        yield refusing


def reports(state: Any) -> dict[str | None, str]:
    found = [one for one in state["messages"] if isinstance(one, ToolMessage)]
    assert {one.status for one in found} == {"success"}
    return {one.name: str(one.text) for one in found}


def test_a_research_agent_with_sub_agents(make: Make, server: LocalASIOne) -> None:
    model = make(model="asi1-mini", temperature=0)
    state = research_agent.research(model, QUESTION)
    found = reports(state)
    assert set(found) == {"event_finder", "sponsor_researcher"}
    assert all(FOUND in text for text in found.values())
    assert state["messages"][-1].text.startswith(f"{SPEECH}The tools answered: ")
    assert FOUND in state["messages"][-1].text
    assert research_agent.PAGES_READ == ["Hack Day"] * 3  # once in vain
    assert {request.body["model"] for request in server.requests} == {"asi1-mini"}
    assert {request.body["temperature"] for request in server.requests} == {0}


def test_a_limit_is_outlived_by_the_middleware(make: Make, server: LocalASIOne) -> None:
    server.enqueue(fault("http_429", retry_after=0), fault("http_500"))
    state = research_agent.research(make(model="asi1-mini", max_retries=0), QUESTION)
    assert FOUND in state["messages"][-1].text
    bodies = [request.body for request in server.requests]
    assert bodies[0] == bodies[1] == bodies[2] != bodies[3]


def test_the_fallback_takes_over_at_each_level(
    make: Make, server: LocalASIOne, without_credit: LocalASIOne
) -> None:
    model = make(model="asi1-mini", base_url=without_credit.base_url, max_retries=0)
    state = research_agent.research(model, QUESTION, fallback=make(model="asi1"))
    assert FOUND in state["messages"][-1].text
    refused, served = without_credit.requests, server.requests
    assert len(refused) == len(served) >= 6
    assert {request.body["model"] for request in served} == {"asi1"}


def test_a_follow_up_upon_a_brief(make: Make, server: LocalASIOne) -> None:
    turns = [
        {"role": "user", "content": "Which idea is best?"},
        {"role": "assistant", "content": "The first."},
    ]
    model = make(model="asi1-mini", temperature=0)
    text = research_agent.answer_follow_up(model, "Three ideas.", turns, "Why?")
    assert text.startswith(f'{SPEECH}You said: "Why?"')
    (request,) = server.requests
    roles = [message["role"] for message in request.body["messages"]]
    assert roles == ["system", "user", "user", "assistant", "user"]


def test_a_pipeline(make: Make, server: LocalASIOne) -> None:
    graph = growth_pipeline.build_graph(make(model="asi1", temperature=0.4))
    state = graph.invoke(growth_pipeline.EMPTY)
    assert state["niche"].startswith(f'{SPEECH}You said: "Name the niche')
    assert state["competitors"][0]["snippet"] == f"Also {state['niche']}"
    assert state["gaps"][0].startswith(SPEECH)
    assert "Write the report on chess-at-noon." in state["final_report"]
    assert [request.body["temperature"] for request in server.requests] == [0.4] * 3


def test_the_words_that_programs_look_for_are_in_an_error(server: LocalASIOne, make: Make) -> None:
    server.enqueue(fault("http_429"))
    with pytest.raises(Exception, match="rate limit") as caught:
        make(model="asi1-mini", max_retries=0).invoke("Hello")
    if make is ChatASIOne:
        assert isinstance(caught.value, ASIOneRateLimitError)
