"""One question through a graph, without printing."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage

from langchain_asi_one import ChatASIOne
from langchain_asi_one._cli.ask import CannotAskError, Endpoint, open_model, to_data


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        (Endpoint("live", "https://a"), "Asking the live API at https://a"),
        (Endpoint("other", "http://b"), "Asking http://b, which is not ASI:One's own address"),
        (Endpoint("stand-in", "http://c"), "Asking the local stand-in, not the API, at http://c"),
    ],
)
def test_an_endpoint_says_what_it_is(endpoint: Endpoint, text: str) -> None:
    assert str(endpoint) == text


def test_only_the_default_address_is_the_live_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", "any")
    with open_model(offline=False) as (endpoint, model):
        assert (endpoint.kind, type(model)) == ("live", ChatASIOne)
    monkeypatch.setenv("ASI_ONE_BASE_URL", "http://127.0.0.1:1/v1")
    with open_model(offline=False) as (endpoint, _):
        assert endpoint == Endpoint("other", "http://127.0.0.1:1/v1")


def test_what_the_model_refuses_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CannotAskError, match=r"there is no API key.*or add --offline"):
        open_model(offline=False).__enter__()
    monkeypatch.setenv("ASI_ONE_API_KEY", "any")
    with pytest.raises(CannotAskError, match=r"^session_id is sent as an HTTP header"):
        open_model(offline=False, session_id="é").__enter__()


def test_every_name_of_the_data_is_there() -> None:
    data = to_data(Endpoint("live", "https://a"), AIMessage("Hi"))
    assert (data["source"], data["answer"], data["plan_state"]) == ("live", "Hi", None)
    assert data["named"] == data["intermediate_steps"] == data["server_tool_calls"] == []
