"""What the constructor of `ChatASIOne` says of itself, and what is under which name."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
from typing import Any, cast

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd, load
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import SecretStr

from langchain_asi_one import ChatASIOne
from langchain_asi_one._config import ARGUMENTS, LANGCHAIN_NAMES, Arguments, describe_arguments
from langchain_asi_one._model_profiles import PROFILES
from langchain_asi_one._request.fields import MODEL_FIELDS
from langchain_asi_one.testing import LocalASIOne
from langchain_asi_one.testing._agents import WEATHER_AGENT
from tests.support.model import API_KEY, MakeModel
from tests.support.ways import FOUR_WAYS, WAYS


def test_the_signature_lists_what_is_taken_and_nothing_else() -> None:
    taken = {*inspect.signature(ChatASIOne).parameters}
    assert taken == {*ARGUMENTS} == {*inspect.signature(ChatASIOne.__init__).parameters} - {"self"}
    assert {*BaseChatModel.model_fields, *MODEL_FIELDS} <= taken
    assert taken.isdisjoint(BaseChatOpenAI.model_fields.keys() - ChatASIOne.model_fields.keys())


def test_each_argument_is_a_field_with_the_same_default() -> None:
    fields = ChatASIOne.model_fields
    for name in ARGUMENTS:
        field = fields[LANGCHAIN_NAMES.get(name, name)]
        if field.default_factory is None and name != "base_url":
            assert field.default == getattr(Arguments, name), name
        else:
            assert name in {"base_url", "verbose", "output_version"}


def test_each_argument_is_described() -> None:
    described = describe_arguments(Arguments)
    assert described.keys() == {*ARGUMENTS}
    document = inspect.getdoc(ChatASIOne.__init__) or ""
    assert all(f"    {name}: {text}" in document for name, text in described.items())
    assert all(f"`{name}`" in described["model"] for name in PROFILES)


def test_a_subclass_keeps_its_own_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", API_KEY)

    class Colder(ChatASIOne):
        temperature: float | None = 0.1
        team: str = "blue"

    class Coldest(Colder):
        pass

    model = Coldest()
    assert (model.temperature, model.team) == (0.1, "blue")
    assert ChatASIOne(api_key=API_KEY).temperature is None


def test_what_is_passed_can_be_read_under_its_name() -> None:
    model = ChatASIOne(
        model="asi1-mini", api_key=API_KEY, base_url="https://a.example/v1/", timeout=5
    )
    assert model.model == model.model_name == "asi1-mini"
    assert model.base_url == model.openai_api_base == "https://a.example/v1"
    assert model.timeout == model.request_timeout == 5
    assert model.api_key == model.openai_api_key == SecretStr(API_KEY)
    assert API_KEY not in repr(model.api_key)


@pytest.mark.parametrize(
    ("name", "other", "values"),
    [
        ("stop_sequences", "stop", (["a"], ["b"])),
        ("model", "model_name", ("asi1", "asi1-mini")),
        ("timeout", "request_timeout", (5, 6)),
        ("api_key", "openai_api_key", (API_KEY, f"{API_KEY}x")),
        ("base_url", "openai_api_base", ("https://a.example/v1", "https://b.example/v1")),
    ],
)
def test_two_names_of_one_argument_are_refused(name: str, other: str, values: Any) -> None:
    options: dict[str, Any] = {"api_key": API_KEY, name: values[0], other: values[1]}
    with pytest.raises(ValueError, match=f"{name} and {other} are one argument") as caught:
        ChatASIOne(**options)
    assert API_KEY not in str(caught.value)
    same: dict[str, Any] = {"api_key": API_KEY, name: values[0], other: values[0]}
    assert ChatASIOne(**same) == ChatASIOne(**{"api_key": API_KEY, name: values[0]})


@pytest.mark.parametrize(
    ("name", "other", "value"),
    [
        ("stop_sequences", "stop", ["a"]),
        ("model", "model_name", "asi1-mini"),
        ("timeout", "request_timeout", 5),
        ("api_key", "openai_api_key", SecretStr(API_KEY)),
        ("base_url", "openai_api_base", "https://a.example/v1"),
    ],
)
def test_none_under_one_name_leaves_the_value_under_the_other(
    name: str, other: str, value: Any
) -> None:
    for left, right in ((None, value), (value, None)):
        options: dict[str, Any] = {"api_key": API_KEY, name: left, other: right}
        assert getattr(ChatASIOne(**options), other) == value


@pytest.mark.parametrize("name", ["base_url", "openai_api_base", "api_key", "openai_api_key"])
def test_none_is_the_environments(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", API_KEY)
    monkeypatch.setenv("ASI_ONE_BASE_URL", "https://a.example/v1")
    model = ChatASIOne(**cast("Any", {name: None}))
    assert (model.base_url, model.api_key) == ("https://a.example/v1", SecretStr(API_KEY))


def test_a_profile_that_is_given_stays_whatever_it_equals() -> None:
    profile = PROFILES["asi1"]
    assert ChatASIOne(api_key=API_KEY, model="my-gateway", profile=profile).profile == profile


def test_an_unknown_output_version_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r'output_version must be "v0" or "v1"; got \'v2\''):
        ChatASIOne(api_key=API_KEY, output_version="v2")
    monkeypatch.setenv("LC_OUTPUT_VERSION", "responses/v1")
    assert ChatASIOne(api_key=API_KEY).output_version is None


@pytest.mark.parametrize(
    ("given", "limits"),
    [({}, (150, 300)), ({"timeout": 150}, (150, 150)), ({"timeout": None}, (None, None))],
)
@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_timeout_that_is_given_holds_for_requests_that_act(given: Any, limits: Any) -> None:
    model = ChatASIOne(api_key=API_KEY, **given)
    loaded = load(
        dumpd(model),
        secrets_map={"ASI_ONE_API_KEY": API_KEY},
        valid_namespaces=["langchain_asi_one"],
        allowed_objects=[ChatASIOne],
    )
    for one in (model, loaded, model.model_copy(), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own pickle
        settings = one._make_settings()
        assert (settings.timeout, settings.agentic_timeout) == limits


def test_a_model_shows_the_arguments_that_were_given() -> None:
    model = ChatASIOne(
        api_key=API_KEY, stop_sequences=["a"], timeout=5, tags=["t"], default_headers={"x-a": "b"}
    )
    assert repr(model) == (
        "ChatASIOne(model='asi1', base_url='https://api.asi1.ai/v1', stop=['a'], timeout=5)"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("max_completion_tokens", "Use max_tokens=."),
        ("max_output_tokens", "Use max_tokens=."),
        ("extra_headers", "Use session_id= for x-session-id, and default_headers= of the model"),
        ("reasoning_effort", "Use enable_thinking= or thinking_budget=."),
        ("seed", "It is OpenAI's, not ASI:One's. Leave it out."),
        ("n", "It is OpenAI's, not ASI:One's. Leave it out."),
    ],
)
def test_a_name_of_openais_leads_to_the_same_place_everywhere(name: str, hint: str) -> None:
    """https://github.com/langchain-ai/langchain/issues/30113 and 29954."""
    model = ChatASIOne(api_key=API_KEY)
    options: dict[str, Any] = {name: 1}
    wanted = rf"has no parameter '{name}'\. {re.escape(hint)}"
    with pytest.raises(ValueError, match=wanted):
        ChatASIOne(api_key=API_KEY, **options)
    with pytest.raises(ValueError, match=wanted):
        model.invoke("?", **options)
    with pytest.raises(ValueError, match=wanted):
        model.bind(**options).invoke("?")


@pytest.mark.parametrize("way", FOUR_WAYS)
def test_a_key_can_be_a_function(way: str, make_model: MakeModel, server: LocalASIOne) -> None:
    keys = iter(["sk_first_0123456789", "sk_second_0123456789"])
    model = make_model(api_key=lambda: next(keys))
    for _ in range(2):
        WAYS[way](model)
    first, second = server.requests
    assert first.authorized
    assert first.key_fingerprint != second.key_fingerprint
    assert "sk_" not in repr(model)
    assert dumpd(model)["kwargs"]["openai_api_key"]["type"] == "secret"


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize("value", [None, 3, "", "ké"])
def test_a_function_that_returns_no_key_is_named(
    value: Any, way: str, make_model: MakeModel
) -> None:
    with pytest.raises(ValueError, match=r"api_key"):
        WAYS[way](make_model(api_key=lambda: value))


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize("stop", ["a", ["a"]])
def test_traces_show_the_request_fields_that_are_set(
    stop: Any, way: str, make_model: MakeModel
) -> None:
    seen: list[dict[str, Any]] = []

    class Recorder(BaseCallbackHandler):
        def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
            seen.append(kwargs)

    agents = [WEATHER_AGENT["address"]]
    model = make_model(web_search=True, agents=agents, enable_thinking=True, stop=[])
    bound = model.bind(planner_mode=True, temperature=0.5, stop=stop)
    WAYS[way](bound, config={"callbacks": [Recorder()]})
    (start,) = seen
    params = start["invocation_params"]
    assert params == {
        "model": "asi1",
        "model_name": "asi1",
        "stream": False,
        "_type": "asi-one-chat",
        "web_search": True,
        "agents": agents,
        "enable_thinking": True,
        "planner_mode": True,
        "temperature": 0.5,
        "stop": stop,
    }
    assert start["metadata"]["ls_provider"] == "asi-one"
    assert start["metadata"]["ls_stop"] == ["a"]


@pytest.mark.parametrize("copied", ["deepcopy", "pickle", "asdict", "model_copy"])
def test_a_model_with_a_rate_limiter_can_be_copied(make_model: MakeModel, copied: str) -> None:
    """https://github.com/HKUDS/LightRAG/issues/21 and langflow#1324."""
    limiter = InMemoryRateLimiter(requests_per_second=999, check_every_n_seconds=0.001)
    model = make_model(rate_limiter=limiter)
    model.invoke("Hi")
    match copied:
        case "deepcopy":
            other = copy.deepcopy(model)
        case "pickle":
            other = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own pickle
        case "asdict":
            other = dataclasses.asdict(Holder(model))["model"]
        case _:
            other = model.model_copy(update={"temperature": 1})
    assert other.invoke("Hi").text
    kept = other.rate_limiter
    assert isinstance(kept, InMemoryRateLimiter)
    assert kept.requests_per_second == 999
    # A copy in the process shares the limit: two limiters would let twice as much through.
    assert (kept is limiter) is (copied != "pickle")


class Turnstile(InMemoryRateLimiter):
    """A limiter of one's own, which holds a lock."""


def test_a_rate_limiter_that_cannot_be_pickled_is_named(make_model: MakeModel) -> None:
    model = make_model(rate_limiter=Turnstile(requests_per_second=999))
    with pytest.raises(TypeError, match=r"with the rate_limiter Turnstile cannot be pickled: "):
        pickle.dumps(model)
    assert copy.deepcopy(model).rate_limiter is model.rate_limiter


def test_arguments_have_names() -> None:
    with pytest.raises(TypeError, match=r"by name, such as model=; got 1 without") as caught:
        ChatASIOne(*["sk_0123456789"])
    assert "sk_" not in str(caught.value)


@pytest.mark.parametrize("name", ["api_key", "openai_api_key"])
def test_a_key_that_is_no_text_is_named_by_its_type(name: str) -> None:
    with pytest.raises(ValueError, match=r"^api_key must be a text, .*; got int\.$"):
        ChatASIOne(**cast("Any", {name: 123}))


@dataclasses.dataclass
class Holder:
    model: ChatASIOne


def test_a_key_with_a_blank_is_said_to_have_one() -> None:
    with pytest.raises(ValueError, match=r"character 7 is a blank\. Copy the key alone"):
        ChatASIOne(api_key="Bearer sk-1")
