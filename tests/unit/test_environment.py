"""Which variables are read, which are not, and which address goes with which key."""

from __future__ import annotations

import pickle

import pytest
from langchain_core.load import dumpd
from pydantic import SecretStr

from langchain_asi_one import ChatASIOne
from langchain_asi_one._environment import has_api_key
from tests.support.model import API_KEY

PUBLIC = "https://api.asi1.ai/v1"
OURS = "https://ours.example/v1"
GATEWAY = "https://gateway.example/v1"


def set_all(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("variables", "key", "address"),
    [
        ({"ASI_ONE_API_KEY": "k1"}, "k1", PUBLIC),
        ({"ASI_ONE_API_KEY": " k1\n", "ASI_ONE_BASE_URL": OURS}, "k1", OURS),
        ({"ASI1_API_KEY": "k2"}, "k2", PUBLIC),
        ({"ASI1_API_KEY": "k2", "ASI1_BASE_URL": GATEWAY}, "k2", GATEWAY),
        ({"ASI_ONE_API_KEY": " ", "ASI1_API_KEY": "k2", "ASI1_BASE_URL": GATEWAY}, "k2", GATEWAY),
        # The address of one pair never goes with the key of the other.
        ({"ASI_ONE_API_KEY": "k1", "ASI1_API_KEY": "k2", "ASI1_BASE_URL": GATEWAY}, "k1", PUBLIC),
        ({"ASI_ONE_API_KEY": "k1", "ASI1_BASE_URL": GATEWAY}, "k1", PUBLIC),
        # https://github.com/openai/openai-python/issues/2927
        *[({"ASI_ONE_API_KEY": "k1", "ASI_ONE_BASE_URL": blank}, "k1", PUBLIC) for blank in "\n "],
        ({"ASI_ONE_API_KEY": "k1", "ASI_ONE_BASE_URL": ""}, "k1", PUBLIC),
    ],
)
def test_key_and_address_are_read_in_pairs(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], key: str, address: str
) -> None:
    set_all(monkeypatch, **variables)
    model = ChatASIOne()
    assert isinstance(model.api_key, SecretStr)
    assert (model.api_key.get_secret_value(), model.base_url) == (key, address)
    assert has_api_key()


def test_an_address_that_is_not_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ASI1_API_KEY="k2", ASI_ONE_BASE_URL=OURS)
    with pytest.warns(UserWarning, match="ASI_ONE_BASE_URL is not used.*that of ASI1_API_KEY"):
        assert ChatASIOne().base_url == PUBLIC


def test_a_key_that_is_given_goes_with_the_first_address_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_all(monkeypatch, ASI1_API_KEY="k2", ASI1_BASE_URL=GATEWAY)
    assert ChatASIOne(api_key=API_KEY).base_url == PUBLIC
    set_all(monkeypatch, ASI_ONE_BASE_URL=OURS)
    assert ChatASIOne(api_key=API_KEY).base_url == OURS


def test_an_address_that_is_given_goes_with_any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ASI1_API_KEY="k2", ASI1_BASE_URL=GATEWAY)
    assert ChatASIOne(base_url=OURS).base_url == OURS


@pytest.mark.parametrize("name", ["ASI_API_KEY", "ASIONE_API_KEY"])
def test_another_services_key_is_never_read_but_named(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, API_KEY)
    assert not has_api_key()
    with pytest.raises(ValueError, match=f"{name} is not read: it may be the key of another"):
        ChatASIOne()


def test_an_error_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASI1_API_KEY", "kéy")
    with pytest.raises(
        ValueError, match=r"API key in ASI1_API_KEY cannot be sent: its character 2"
    ):
        ChatASIOne()
    set_all(monkeypatch, ASI1_API_KEY="k2", ASI1_BASE_URL="api.asi1.ai")
    with pytest.raises(ValueError, match=r"ASI1_BASE_URL must be like .*; got 'api\.asi1\.ai'"):
        ChatASIOne()


def test_a_key_of_the_environment_stays_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, ASI1_API_KEY="k2-of-this-process", ASI1_BASE_URL=GATEWAY)
    model = ChatASIOne()
    secret = {"lc": 1, "type": "secret", "id": ["ASI1_API_KEY"]}
    assert dumpd(model)["kwargs"]["openai_api_key"] == secret
    pickled = pickle.dumps(model)
    assert b"k2-of-this-process" not in pickled

    monkeypatch.delenv("ASI1_API_KEY")
    set_all(monkeypatch, ASI_ONE_API_KEY="k1")
    restored = pickle.loads(pickled)  # noqa: S301 - our own pickle
    assert restored.api_key.get_secret_value() == "k1"
    assert restored.base_url == PUBLIC  # and not the gateway, for which this key is not
