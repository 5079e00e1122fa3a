"""A model that LangChain makes anew from the fields of another."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.runnables import ConfigurableField
from langchain_core.runnables.history import RunnableWithMessageHistory

from langchain_asi_one.testing import LocalASIOne
from tests.support.model import MakeModel

SESSION = "0198c5f5-11f6-7bd8-b2f4-6a2d6d7e9a0b"


def test_fields_can_be_configured(server: LocalASIOne, make_model: MakeModel) -> None:
    configurable = make_model(web_search=True).configurable_fields(
        temperature=ConfigurableField(id="temperature"), model_name=ConfigurableField(id="model")
    )
    chosen = {"temperature": 0.1, "model": "asi1-mini", "session_id": SESSION}

    configurable.with_config(configurable=chosen).invoke("Hello!")

    (request,) = server.requests
    assert request.session_id == SESSION
    assert request.body == {
        "model": "asi1-mini",
        "messages": [{"role": "user", "content": "Hello!"}],
        "stream": False,
        "temperature": 0.1,
        "web_search": True,
    }


def test_the_profile_is_that_of_the_model_chosen(make_model: MakeModel) -> None:
    model = make_model()
    other = type(model)(**{**model.__dict__, "model_name": "asi1-ultra"})
    assert (model.profile or {})["max_input_tokens"] == 196_608
    assert (other.profile or {})["max_input_tokens"] == 1_000_000


def test_a_model_shows_what_was_given_and_no_key(make_model: MakeModel) -> None:
    model = make_model(temperature=0.2, base_url="https://a.example/v1", max_retries=1)
    assert repr(model) == (
        "ChatASIOne(model='asi1', base_url='https://a.example/v1', temperature=0.2, max_retries=1)"
    )


@pytest.mark.filterwarnings("ignore:.* is deprecated")  # and in use
def test_servers_that_pass_on_only_what_is_declared_pass_on_the_session(
    make_model: MakeModel,
) -> None:
    model = make_model()
    bound = model.bind_tools([{"type": "web_search"}])
    chain = model | (lambda message: message.text) | model
    history = RunnableWithMessageHistory(model, lambda session_id: InMemoryChatMessageHistory())
    fields = model.configurable_fields(session_id=ConfigurableField(id="session_id"))
    for runnable in (model, bound, chain, history, fields):
        assert [spec.id for spec in runnable.config_specs] == ["session_id"]
        schema: dict[str, Any] = runnable.config_schema().model_json_schema()
        assert schema["$defs"]["Configurable"]["properties"].keys() == {"session_id"}
    # Without a value there is none, so that nobody shares a session by default.
    assert model.config_schema()(configurable={}).model_dump()["configurable"] == {
        "session_id": None
    }
