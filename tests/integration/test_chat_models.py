"""What is sent, and what is refused before it is sent."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_openai.chat_models.base import BaseChatOpenAI

import langchain_asi_one
from langchain_asi_one import ChatASIOne
from langchain_asi_one._config import ARGUMENTS, LANGCHAIN_NAMES
from langchain_asi_one.errors import ASIOneBadRequestError
from langchain_asi_one.testing import LocalASIOne
from tests.support.model import API_KEY, MakeModel
from tests.support.ways import FOUR_WAYS, WAYS

AGENT = "agent1qf8n9q8ndlfvphmnwjzj9p077yq0m6kqc22se9g89y5en22sc38ck4p4e8d"
HI = [{"role": "user", "content": "hi"}]


def body_of(server: LocalASIOne) -> dict[str, Any]:
    (request,) = server.requests
    assert isinstance(request.body, dict)
    return request.body


def ask(model: ChatASIOne, /, **options: Any) -> AIMessage:
    return model.invoke("hi", **options)


# --- Bodies ---


def test_the_default_body_is_minimal(model: ChatASIOne, server: LocalASIOne) -> None:
    ask(model)
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": False}


@pytest.mark.parametrize("how", ["stream", "streaming", "astream"])
async def test_a_stream_asks_for_usage_too(
    make_model: MakeModel, server: LocalASIOne, how: str
) -> None:
    if how == "streaming":
        ask(make_model(streaming=True))
    elif how == "stream":
        assert list(make_model().stream("hi"))
    else:
        assert [chunk async for chunk in make_model().astream("hi")]
    usage = {"stream_options": {"include_usage": True}}
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": True, **usage}


@pytest.mark.parametrize(
    ("field", "option"), [({"stream_usage": False}, {}), ({}, {"stream_usage": False})]
)
def test_usage_can_be_left_out(
    make_model: MakeModel, server: LocalASIOne, field: dict[str, Any], option: dict[str, Any]
) -> None:
    assert list(make_model(**field).stream("hi", **option))
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": True}


FIELDS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"model": "asi1-ultra"}, {"model": "asi1-ultra"}),
    ({"temperature": 0}, {"temperature": 0}),
    ({"temperature": 2.0}, {"temperature": 2.0}),
    ({"max_tokens": 7}, {"max_tokens": 7}),
    ({"max_tokens": 7.0}, {"max_tokens": 7}),
    ({"max_tokens": 0}, {"max_tokens": 0}),
    ({"top_p": 1}, {"top_p": 1}),
    ({"frequency_penalty": -2}, {"frequency_penalty": -2}),
    ({"presence_penalty": 2}, {"presence_penalty": 2}),
    ({"stop": ["a", "b"]}, {"stop": ["a", "b"]}),
    ({"stop": "a"}, {"stop": ["a"]}),
    ({"stop": []}, {}),
    ({"web_search": True}, {"web_search": True}),
    ({"web_search": False}, {"web_search": False}),
    ({"planner_mode": True, "agents": [AGENT]}, {"planner_mode": True, "agents": [AGENT]}),
    ({"agent_address": AGENT}, {"agent_address": AGENT}),
    ({"study_mode": True}, {"study_mode": True}),
    ({"enable_thinking": False}, {"enable_thinking": False}),
    ({"thinking_budget": 100}, {"thinking_budget": 100}),
    ({"extra_body": {"fun_mode": True}}, {"fun_mode": True}),
]


@pytest.mark.parametrize(("fields", "sent"), FIELDS)
@pytest.mark.parametrize("at_the_call", [False, True])
def test_each_field_lands_in_the_body(
    make_model: MakeModel,
    server: LocalASIOne,
    fields: dict[str, Any],
    sent: dict[str, Any],
    at_the_call: bool,
) -> None:
    if at_the_call:
        ask(make_model(), **fields)
    else:
        ask(make_model(**fields))
    body = body_of(server)
    assert body == {"model": "asi1", "messages": HI, "stream": False, **sent}
    assert isinstance(body.get("max_tokens", 0), int)


def test_a_call_overrides_the_instance(make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model(temperature=0.1, stop=["a"], web_search=True, max_tokens=5)
    ask(model, model="asi1-mini", temperature=0.9, stop=["b"], web_search=False)
    asked = {"temperature": 0.9, "stop": ["b"], "web_search": False, "max_tokens": 5}
    wanted = {"model": "asi1-mini", "messages": HI, "stream": False, **asked}
    assert body_of(server) == wanted
    server.clear()
    ask(model)
    kept = {"temperature": 0.1, "stop": ["a"], "web_search": True, "max_tokens": 5}
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": False, **kept}


@pytest.mark.parametrize("way", FOUR_WAYS)
@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"stop": 5}, "stop must be a text or a list of texts; got 5"),
        ({"stop": ["a", 3]}, "stop must be a text or a list of texts; got"),
        ({"extra_body": 5}, "extra_body must be a dict of request fields; got 5"),
        ({"extra_body": [("top_k", 5)]}, "extra_body must be a dict of request fields; got"),
    ],
)
def test_what_only_a_call_holds_is_checked(
    way: str, options: dict[str, Any], complaint: str, model: ChatASIOne
) -> None:
    with pytest.raises(ValueError, match=complaint):
        WAYS[way](model, **options)


def test_none_drops_a_field_for_a_call(make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model(temperature=0.5, web_search=True, extra_body={"fun_mode": True})
    ask(model, temperature=None, web_search=None, extra_body={"fun_mode": None})
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": False}


def test_extra_body_of_a_call_is_added(make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model(extra_body={"fun_mode": True, "study_mode": True})
    ask(model, extra_body={"web3_enabled": True, "study_mode": False})
    extra = {"fun_mode": True, "web3_enabled": True, "study_mode": False}
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": False, **extra}
    assert model.extra_body == {"fun_mode": True, "study_mode": True}


def test_bound_options_are_sent(model: ChatASIOne, server: LocalASIOne) -> None:
    model.bind(temperature=0.2, extra_body={"fun_mode": True}).invoke("hi")
    asked = {"temperature": 0.2, "fun_mode": True}
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": False, **asked}


def test_a_parameter_that_the_api_does_not_know_is_named(model: ChatASIOne) -> None:
    with pytest.raises(ASIOneBadRequestError, match="Unknown parameter: 'top_k'"):
        ask(model, extra_body={"top_k": 5})


def test_the_key_and_a_session_are_sent_and_nothing_of_openai(
    make_model: MakeModel, server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "https://elsewhere.example/v1")
    ask(make_model(default_headers={"X-Title": "t", "USER-agent": "mine"}))
    (request,) = server.requests
    assert request.authorized
    assert request.session_id
    assert (request.headers["x-title"], request.headers["user-agent"]) == ("t", "mine")
    assert not [name for name in request.headers if name.startswith("openai-")]
    assert "elsewhere" not in repr(request.headers)


# --- Refusals ---

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"temperature": -0.1}, "temperature must be a number from 0 to 2; got -0.1"),
    ({"temperature": 2.1}, "temperature must be a number from 0 to 2; got 2.1"),
    ({"temperature": "hot"}, "temperature must be a number from 0 to 2; got 'hot'"),
    ({"temperature": True}, "temperature must be a number from 0 to 2; got True"),
    ({"temperature": float("nan")}, "temperature must be a number from 0 to 2; got nan"),
    ({"top_p": 1.1}, "top_p must be a number from 0 to 1; got 1.1"),
    ({"frequency_penalty": -3}, "frequency_penalty must be a number from -2 to 2; got -3"),
    ({"presence_penalty": 3}, "presence_penalty must be a number from -2 to 2; got 3"),
    ({"max_tokens": -1}, "max_tokens must be a whole number of tokens, 0 or more; got -1"),
    ({"max_tokens": 1.5}, "max_tokens must be a whole number of tokens, 0 or more; got 1.5"),
    ({"max_tokens": float("inf")}, "max_tokens must be a whole number of tokens, 0 or more"),
    ({"thinking_budget": True}, "thinking_budget must be a whole number of tokens, 0 or more"),
    ({"web_search": "yes"}, "web_search must be True or False; got 'yes'"),
    ({"planner_mode": 1}, "planner_mode must be True or False; got 1"),
    ({"agents": AGENT}, "agents must be a list of agent addresses"),
    ({"agents": [f"{AGENT[:-1]}x"]}, "agents must be a list of agent addresses"),
    ({"timeout": 0}, "timeout must be a number of seconds above 0; got 0"),
    ({"timeout": float("inf")}, "timeout must be a number of seconds above 0; got inf"),
    ({"session_id": ""}, "session_id is sent as an HTTP header"),
    ({"session_id": "a\r\nb"}, "session_id is sent as an HTTP header"),
]


@pytest.mark.parametrize(("argument", "message"), REFUSED)
def test_values_out_of_range_are_refused(
    make_model: MakeModel, server: LocalASIOne, argument: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_model(**argument)
    model = make_model()
    with pytest.raises(ValueError, match=message):
        ask(model, **argument)
    with pytest.raises(ValueError, match=message):
        list(model.stream("hi", **argument))
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("temprature", "temperature"),
        ("web_serch", "web_search"),
        ("maxtokens", "max_tokens"),
        ("planer_mode", "planner_mode"),
    ],
)
def test_an_unknown_argument_names_the_nearest(make_model: MakeModel, name: str, near: str) -> None:
    hint = rf"has no parameter '{name}'\. Did you mean '{near}'\?.*extra_body"
    with pytest.raises(ValueError, match=f"^ChatASIOne {hint}"):
        make_model(**{name: 1})
    with pytest.raises(ValueError, match=f"^A call of ChatASIOne {hint}"):
        ask(make_model(), **{name: 1})
    with pytest.raises(ValueError, match=f"^A call of ChatASIOne {hint}"):
        make_model().bind(**{name: 1}).invoke("hi")


INHERITED = sorted({*BaseChatOpenAI.model_fields} - {*BaseChatModel.model_fields})
OURS = {*ARGUMENTS, *LANGCHAIN_NAMES.values()}


@pytest.mark.parametrize("name", [name for name in INHERITED if name not in OURS])
def test_inherited_arguments_for_openai_alone_are_refused(make_model: MakeModel, name: str) -> None:
    with pytest.raises(ValueError, match=f"ChatASIOne has no parameter '{name}'"):
        make_model(**{name: "set"})


@pytest.mark.parametrize("name", ["n", "seed", "organization", "reasoning_effort", "model_kwargs"])
def test_arguments_of_chat_openai_are_refused(make_model: MakeModel, name: str) -> None:
    with pytest.raises(ValueError, match=f"has no parameter '{name}'"):
        make_model(**{name: 1})
    with pytest.raises(ValueError, match=f"has no parameter '{name}'"):
        ask(make_model(), **{name: 1})


def test_no_refusal_shows_the_key(make_model: MakeModel) -> None:
    for wrong in (
        {"temperature": 3},
        {"nope": 1},
        {"api_key": f"{API_KEY}\u2028x"},
        {"timeout": -1},
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - each has its own text
            make_model(**wrong)
        assert API_KEY not in f"{caught.value}{caught.value!r}"


# --- Models ---


@pytest.mark.parametrize(
    ("name", "successor"),
    [("asi1-fast", "asi1-mini"), ("asi1-extended", "asi1-ultra"), ("asi1-agentic", "asi1")],
)
def test_a_retired_model_warns_once_with_its_successor(
    make_model: MakeModel, name: str, successor: str
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make_model(model=name, planner_mode=True, cache=InMemoryCache())
        for _ in range(2):
            with pytest.raises(ASIOneBadRequestError, match="Unsupported model"):
                ask(model)
    text = f"ASI:One has retired the model '{name}'; use '{successor}'."
    assert [str(warning.message) for warning in caught] == [text]
    assert model.model_name == name
    assert model.profile is None
    model = make_model(planner_mode=True, cache=InMemoryCache())
    with pytest.warns(FutureWarning, match=text) as again:  # noqa: PT031 - one warning of two
        for _ in range(2):
            with pytest.raises(ASIOneBadRequestError):
                ask(model, model=name)
    assert len(again) == 1
    # Each points at the line that asked, not at one of ours.
    places = [Path(warning.filename).name for warning in (*caught, *again)]
    assert places == ["conftest.py", Path(__file__).name]


@pytest.mark.parametrize(
    ("name", "context", "images"),
    [("asi1", 196_608, True), ("asi1-ultra", 1_000_000, False), ("asi1-mini", 262_144, False)],
)
def test_profiles(make_model: MakeModel, name: str, context: int, images: bool) -> None:
    model = make_model(model=name)
    assert model.profile == {
        "max_input_tokens": context,
        "text_inputs": True,
        "text_outputs": True,
        "image_inputs": images,
        "reasoning_output": True,
        "tool_calling": True,
        "tool_choice": True,
    }
    model.profile["max_input_tokens"] = 1
    again = make_model(model=name).profile
    assert again
    assert again["max_input_tokens"] == context


def test_an_unknown_model_has_no_profile(make_model: MakeModel) -> None:
    assert make_model(model="asi2").profile is None


# --- Where to ---


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api.asi1.ai/v1", "https://api.asi1.ai/v1"),
        (" https://api.asi1.ai/v1/ ", "https://api.asi1.ai/v1"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:8080/x//", "http://[::1]:8080/x"),
    ],
)
def test_forms_of_base_url(given: str, used: str) -> None:
    assert ChatASIOne(api_key=API_KEY, base_url=given).openai_api_base == used


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("api.asi1.ai/v1", "must be like 'https://api.asi1.ai/v1'; got 'api.asi1.ai/v1'"),
        ("ftp://api.asi1.ai", "must be like"),
        ("https://", "must be like"),
        ("", "must be like"),
        ("https://user:secret@api.asi1.ai/v1", "must not hold credentials"),
        ("https://api.asi1.ai/v1?key=secret", "must not hold credentials"),
        ("https://api.asi1.ai/v1/chat/completions", "ends before '/chat/completions'"),
    ],
)
def test_other_forms_are_refused(given: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        ChatASIOne(api_key=API_KEY, base_url=given)
    assert "secret" not in str(caught.value)


def test_a_key_sent_unencrypted_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="will be sent unencrypted to 'asi.example'"):
        ChatASIOne(api_key=API_KEY, base_url="http://asi.example/v1")


def test_key_and_address_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, server: LocalASIOne
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", f" {API_KEY}\n")
    assert ChatASIOne().openai_api_base == "https://api.asi1.ai/v1"
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    ask(ChatASIOne())
    assert body_of(server) == {"model": "asi1", "messages": HI, "stream": False}


@pytest.mark.parametrize("key", [None, "", "  "])
def test_a_missing_key_says_where_to_get_one(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", API_KEY)
    needs = r"needs an API key: set ASI_ONE_API_KEY or pass api_key=.*https://asi1\.ai"
    with pytest.raises(ValueError, match=needs):
        ChatASIOne(api_key=key)


# --- The package ---


def test_names_are_exported_lazily() -> None:
    names = {
        "ChatASIOne",
        "ExecutableEntry",
        "__version__",
        "get_executable_data",
        "is_agent_address",
        "parse_executable_data",
    }
    assert names <= {*langchain_asi_one.__all__} <= {*dir(langchain_asi_one)}
    assert all(getattr(langchain_asi_one, name) for name in langchain_asi_one.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'ChatAsiOne'"):
        langchain_asi_one.ChatAsiOne  # noqa: B018


def run_python(code: str) -> str:
    # Coverage, where it measures child processes too, would cost more than what is measured here.
    skipped = ("COVERAGE_", "COV_CORE_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(skipped)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavy_and_takes_no_time() -> None:
    code = (
        "import sys, time; began = time.process_time(); import langchain_asi_one; "
        "took = time.process_time() - began; "
        "heavy = {'pydantic', 'openai', 'langchain_core', 'langgraph', 'starlette', 'asyncio'}; "
        "print(took, *sorted(heavy & {*sys.modules}))"
    )
    results = [run_python(code).split() for _ in range(5)]
    assert [heavy for _, *heavy in results] == [[]] * 5
    assert min(float(took) for took, *_ in results) < 0.010


# --- What an upgrade of LangChain must not change ---

RUN = "self messages stop=None run_manager=None"
ASKED = "self input config=None *stop=None **kwargs"
EVENTS = "self input config=None *version=? *stop=None **kwargs"
SIGNATURES: dict[str, str] = {
    "_generate": f"{RUN} **kwargs",
    "_agenerate": f"{RUN} **kwargs",
    "_stream": f"{RUN} *stream_usage=None **kwargs",
    "_astream": f"{RUN} *stream_usage=None **kwargs",
    "_generate_with_cache": f"{RUN} **kwargs",
    "_agenerate_with_cache": f"{RUN} **kwargs",
    "_get_llm_string": "self stop=None **kwargs",
    "_get_request_payload": "self input_ *stop=None **kwargs",
    "_resolve_model_profile": "self",
    "_get_ls_params": "self stop=None **kwargs",
    "_convert_input": "self model_input",
    "_add_version": "self pkg version",
    "build_extra": "values",
    "validate_environment": "self",
    "invoke": ASKED,
    "ainvoke": ASKED,
    "stream": ASKED,
    "astream": ASKED,
    "stream_events": EVENTS,
    "astream_events": EVENTS,
    "bind_tools": (
        "self tools *tool_choice=None *strict=None *parallel_tool_calls=None "
        "*response_format=None **kwargs"
    ),
    "with_structured_output": (
        "self schema=None *method=? *include_raw=False *strict=None *tools=None **kwargs"
    ),
    "bind": "self **kwargs",
    "configurable_fields": "self **kwargs",
    "configurable_alternatives": "self which *default_key=? *prefix_keys=False **kwargs",
    "with_config": "self config=None **kwargs",
    "with_listeners": "self *on_start=None *on_end=None *on_error=None",
    "with_alisteners": "self *on_start=None *on_end=None *on_error=None",
    "get_num_tokens": "self text",
    "get_token_ids": "self text",
    "get_num_tokens_from_messages": "self messages tools=None *allow_fetching_images=True",
    "is_lc_serializable": "",
    "_llm_type": "property",
    "lc_secrets": "property",
    "config_specs": "property",
    "_get_invocation_params": "self stop=None **kwargs",
    "_should_stream": "self *async_api *run_manager=None **kwargs",
}


def written(member: Any) -> str:
    """Names, kinds and defaults of parameters; not their annotations."""
    if isinstance(member, property):
        return "property"
    words = []
    for parameter in inspect.signature(member).parameters.values():
        kinds: dict[Any, str] = {parameter.KEYWORD_ONLY: "*", parameter.VAR_KEYWORD: "**"}
        default = parameter.default
        shown = (
            "" if default is parameter.empty else f"={'?' if isinstance(default, str) else default}"
        )
        words.append(f"{kinds.get(parameter.kind, '')}{parameter.name}{shown}")
    return " ".join(words)


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_we_override_or_call_has_the_signature_that_we_know(name: str) -> None:
    assert written(getattr(BaseChatOpenAI, name)) == SIGNATURES[name]


def test_the_three_hooks_that_others_may_override_are_still_there() -> None:
    hooks = {
        "_create_chat_result": "self response generation_info=None",
        "_convert_chunk_to_generation_chunk": "self chunk default_chunk_class base_generation_info",
    }
    assert {name: written(getattr(BaseChatOpenAI, name)) for name in hooks} == hooks


def test_every_override_is_pinned() -> None:
    overridden = {
        name
        for name, value in vars(ChatASIOne).items()
        if hasattr(BaseChatOpenAI, name)
        and (callable(value) or isinstance(value, classmethod | property))
    }
    # Methods with underscores at both ends are Python's or Pydantic's, as is the other one.
    ours = {name for name in overridden if not name.startswith("__")} - {"model_post_init"}
    assert ours <= {*SIGNATURES}


def test_our_overrides_take_all_that_the_parents_take() -> None:
    for name in SIGNATURES.keys() - {"_llm_type", "lc_secrets", "config_specs", "build_extra"}:
        parent = inspect.signature(getattr(BaseChatOpenAI, name)).parameters
        own = inspect.signature(getattr(ChatASIOne, name)).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in own.values())
        positional = [p.name for p in parent.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert [p for p in own if p in positional] == positional, name
        missing = {p.name for p in parent.values()} - {*own}
        assert not missing or takes_any, (name, missing)
