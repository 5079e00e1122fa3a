"""LangChain's own unit suite for chat models, run on `ChatASIOne`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd, load
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import SecretStr
from syrupy.assertion import SnapshotAssertion

from langchain_asi_one import ChatASIOne
from tests.support.model import API_KEY

# LangChain's own suite uses `load`, and so do the tests of serialised models below.
pytestmark = pytest.mark.filterwarnings("ignore:The function `load` is in beta")

BASE_URL = "http://127.0.0.1:9/v1"  # the discard port: nothing may be sent in unit tests
FOREIGN_VARIABLES = {
    "OPENAI_API_KEY": "sk-openai-must-not-be-used",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/openai",
    "OPENAI_API_BASE": "http://127.0.0.1:9/openai",
    "OPENAI_ORG_ID": "org-must-not-be-used",
    "OPENAI_PROJECT_ID": "proj-must-not-be-used",
    "OPENAI_PROXY": "http://127.0.0.1:9/proxy",
}

SERIALISED: dict[str, Any] = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain_asi_one", "chat_models", "ChatASIOne"],
    "kwargs": {
        "max_retries": 2,
        "max_tokens": 100,
        "model_name": "asi1",
        "openai_api_base": "https://api.asi1.ai/v1",
        "openai_api_key": {"lc": 1, "type": "secret", "id": ["ASI_ONE_API_KEY"]},
        "request_timeout": 60,
        "session_from_thread": True,
        "stop": [],
        "stream_usage": True,
        "temperature": 0.0,
    },
    "name": "ChatASIOne",
}


@pytest.fixture(autouse=True)
def _foreign_environment(monkeypatch: pytest.MonkeyPatch, _clear_environment: None) -> None:
    """Variables of another provider, which must change nothing."""
    for name, value in FOREIGN_VARIABLES.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def snapshot() -> SnapshotAssertion:
    """What the suite compares with, written out above instead of in a file of its own."""

    def named(name: str) -> dict[str, Any]:
        assert name == "serialized"
        return SERIALISED

    return cast("SnapshotAssertion", named)


class TestStandard(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[ChatASIOne]:
        return ChatASIOne

    @property
    def chat_model_params(self) -> dict[str, Any]:
        # Not in the environment: tests that build a model without it must say where it comes from.
        return {"openai_api_key": API_KEY}

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        # Without "api_key": chat_model_params has it under the field's own name.
        params: dict[str, Any] = super().standard_chat_model_params
        return {name: value for name, value in params.items() if name != "api_key"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return (
            {"ASI_ONE_API_KEY": "sk_from_environment", "ASI_ONE_BASE_URL": BASE_URL},
            {},
            {
                "openai_api_key": "sk_from_environment",
                "openai_api_base": BASE_URL,
                "model_name": "asi1",
            },
        )

    @pytest.mark.xfail(
        raises=ValueError,
        reason=(
            "The suite calls load(allowed_objects='all'), which knows a closed list of LangChain's "
            "own classes; no third-party class is in it. What a user can do is tested below."
        ),
    )
    def test_serdes(self, model: BaseChatModel, snapshot: SnapshotAssertion) -> None:
        super().test_serdes(model, snapshot)


def _standard_model() -> ChatASIOne:
    return ChatASIOne(
        api_key=API_KEY, temperature=0, max_tokens=100, timeout=60, stop=[], max_retries=2
    )


def test_a_serialised_model_can_be_loaded_where_its_class_is_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serialised = dumpd(_standard_model())
    assert serialised == SERIALISED

    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_of_the_loading_process")
    loaded = load(
        serialised,
        allowed_objects=[ChatASIOne],
        valid_namespaces=["langchain_asi_one"],
        secrets_from_env=True,
    )

    assert isinstance(loaded, ChatASIOne)
    assert isinstance(loaded.api_key, SecretStr)
    assert loaded.api_key.get_secret_value() == "sk_of_the_loading_process"
    assert dumpd(loaded) == serialised
    expected = ChatASIOne(
        api_key="sk_of_the_loading_process",
        temperature=0,
        max_tokens=100,
        timeout=60,
        stop=[],
        max_retries=2,
    )
    assert loaded.model_dump() == expected.model_dump()


def test_variables_of_other_providers_change_no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    beside_them = _standard_model().model_dump()
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name)

    assert _standard_model().model_dump() == beside_them


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(ChatASIOne, id="constructor"),
        pytest.param(
            lambda: load(
                SERIALISED,
                allowed_objects=[ChatASIOne],
                valid_namespaces=["langchain_asi_one"],
                secrets_from_env=True,
            ),
            id="load",
        ),
    ],
)
def test_the_key_of_another_provider_is_not_taken(make: Callable[[], object]) -> None:
    with pytest.raises((ValueError, KeyError), match="ASI_ONE_API_KEY"):
        make()
