"""The request side, frozen: what we send is compared with what was recorded.

A cassette names its origin in the header `x-cassette-origin` of every response. Those in
`cassettes/stand_in` were recorded from the local stand-in: they show what we send, and nothing of
the live API. `make record` records `cassettes/live` when a key is there; they replay likewise.

To record those of the stand-in again: `RECORD_STAND_IN=1 .venv/bin/pytest` with this file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import vcr
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._environment import DEFAULT_BASE_URL
from langchain_asi_one.testing import LocalASIOne

CASSETTES = Path(__file__).parents[1] / "cassettes"
# Read here: the fixtures keep the developer's environment out of the tests themselves.
LIVE_KEY = os.environ.get("ASI_ONE_API_KEY", "")
RECORD_STAND_IN = bool(os.environ.get("RECORD_STAND_IN"))
KEPT_REQUEST_HEADERS = {"accept", "content-type"}
KEPT_RESPONSE_HEADERS = {"content-type", "retry-after", "x-asi-one-stand-in", "x-cassette-origin"}
QUESTION = "What is the temperature in Paris?"


class City(BaseModel):
    """A city."""

    name: str
    country: str


def get_temperature(city: str) -> float:
    """Measure the temperature of a city, in degrees Celsius."""
    return 21.5


def _ask(model: ChatASIOne) -> None:
    message = model.invoke([SystemMessage("Answer in one sentence."), HumanMessage(QUESTION)])
    assert message.content
    assert message.response_metadata["finish_reason"] == "stop"


def _stream(model: ChatASIOne) -> None:
    chunks = list(model.stream(QUESTION, temperature=0, max_tokens=200))
    assert "".join(str(chunk.content) for chunk in chunks)
    assert chunks[-1].chunk_position == "last"


def _call_a_tool(model: ChatASIOne) -> None:
    with_tools = model.bind_tools([get_temperature], tool_choice="get_temperature")
    message = with_tools.invoke(QUESTION)
    assert [call["name"] for call in message.tool_calls] == ["get_temperature"]


def _answer_a_tool(model: ChatASIOne) -> None:
    call = {"name": "get_temperature", "args": {"city": "Paris"}, "id": "call_1"}
    history = [
        HumanMessage(QUESTION),
        AIMessage("", tool_calls=[call], additional_kwargs={"thought": "is not sent back"}),
        ToolMessage("21.5", tool_call_id="call_1"),
    ]
    assert model.bind_tools([get_temperature]).invoke(history).content


def _structure(model: ChatASIOne) -> None:
    structured = model.with_structured_output(City, method="json_schema", strict=True)
    assert isinstance(structured.invoke("Tell me about the city Paris in France."), City)


def _search(model: ChatASIOne) -> None:
    assert model.invoke("What is new in Paris?", web_search=True).content


SCENARIOS: dict[str, Callable[[ChatASIOne], None]] = {
    "ask": _ask,
    "stream": _stream,
    "call_a_tool": _call_a_tool,
    "answer_a_tool": _answer_a_tool,
    "structure": _structure,
    "search": _search,
}


def _recorder(origin: str, record_mode: str) -> vcr.VCR:
    def scrub_request(request: Any) -> Any:
        kept = {k: v for k, v in request.headers.items() if k.lower() in KEPT_REQUEST_HEADERS}
        request.headers = kept
        # The stand-in's port changes; its place is named for what it is.
        request.uri = re.sub(r"^http://127[^/]+", "http://local-stand-in.invalid", request.uri)
        return request

    def scrub_response(response: dict[str, Any]) -> dict[str, Any]:
        headers = {
            k: v for k, v in response["headers"].items() if k.lower() in KEPT_RESPONSE_HEADERS
        }
        headers.setdefault("x-cassette-origin", [origin])
        return {**response, "headers": headers}

    return vcr.VCR(
        record_mode=record_mode,
        match_on=["method", "path", "body"],
        before_record_request=scrub_request,
        before_record_response=scrub_response,
        decode_compressed_response=True,
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_requests_are_those_recorded(scenario: str, server: LocalASIOne) -> None:
    path = CASSETTES / "stand_in" / f"{scenario}.yaml"
    origin = "local stand-in of langchain-asi-one, not the live API"
    record_mode = "all" if RECORD_STAND_IN else "none"
    model = ChatASIOne(base_url=server.base_url, api_key="sk_cassette_0123456789", max_retries=0)
    with _recorder(origin, record_mode).use_cassette(str(path)) as cassette:
        SCENARIOS[scenario](model)
    assert RECORD_STAND_IN or (cassette.all_played and not server.requests)


def test_live_recordings_replay() -> None:
    # There are none until somebody with a key runs `make record`.
    for path in sorted((CASSETTES / "live").glob("*.yaml")):
        model = ChatASIOne(api_key="sk_cassette_0123456789", max_retries=0)
        with _recorder("", "none").use_cassette(str(path)) as cassette:
            SCENARIOS[path.stem](model)
        assert cassette.all_played, path


@pytest.mark.live
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_record_live(scenario: str) -> None:
    origin = f"{DEFAULT_BASE_URL}, recorded {datetime.now(UTC):%Y-%m-%d}"
    path = CASSETTES / "live" / f"{scenario}.yaml"
    with _recorder(origin, "all").use_cassette(str(path)):
        SCENARIOS[scenario](ChatASIOne(api_key=LIVE_KEY))


def test_each_cassette_belongs_to_a_scenario_and_names_its_origin() -> None:
    paths = sorted(CASSETTES.rglob("*.yaml"))
    assert {path.stem for path in paths} == set(SCENARIOS)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        live = path.parent.name == "live"
        assert (DEFAULT_BASE_URL in re.findall(r"x-cassette-origin:\s+- (.+)", text)[0]) is live
        assert ("x-asi-one-stand-in" in text) is not live


def test_no_cassette_holds_a_key_or_a_session() -> None:
    for path in CASSETTES.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8").lower()
        assert not re.search(r"authorization|bearer |sk_|x-session-id|x-stainless|cookie", text)
