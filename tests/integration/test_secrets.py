"""The API key and the default headers reach ASI:One and nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any

import openai
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps, loads
from langchain_core.tracers import BaseTracer
from langchain_core.tracers.schemas import Run
from pydantic import ValidationError

from langchain_asi_one import ChatASIOne
from langchain_asi_one._environment import DEFAULT_BASE_URL
from langchain_asi_one._transport.client_pool import _PROCESSES
from langchain_asi_one.errors import ASIOneAuthenticationError, ASIOneError
from langchain_asi_one.testing import LocalASIOne, local_asi_one, raw
from langchain_asi_one.testing._requests import fingerprint
from tests.support.model import MakeModel
from tests.support.other_process import run_script
from tests.support.patience import PATIENCE

KEY = "sk_canary_key_5f1c9e7a20b4"
HEADER = "canary-header-77d0c2e19b"
CANARIES = (KEY, HEADER)
MODES = ("invoke", "ainvoke", "stream", "astream")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def secretive(make_model: MakeModel) -> ChatASIOne:
    """A model that holds both canaries."""
    return make_model(api_key=KEY, default_headers={"x-team-token": HEADER}, timeout=PATIENCE)


def texts(value: object, seen: set[int] | None = None) -> Iterator[str]:
    """Every text that can be reached from an object, short of code, modules and frames."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(
        value, type | FunctionType | ModuleType | FrameType | TracebackType
    ):
        return
    seen.add(id(value))
    if isinstance(value, str | bytes):
        yield value if isinstance(value, str) else value.decode("latin-1")
        return
    inner: list[object] = [getattr(value, "__dict__", None)]
    inner += [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    if isinstance(value, Mapping):
        inner += [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner += value
    if isinstance(value, BaseException):
        inner += [value.args, value.__cause__, value.__context__]
    for item in inner:
        yield from texts(item, seen)


def assert_clean(*values: object) -> None:
    for value in values:
        for text in [repr(value), str(value), *texts(value)]:
            assert not [canary for canary in CANARIES if canary in text], text[:300]


def ask(model: Any, mode: str, text: str, **options: Any) -> None:
    async def stream() -> None:
        async for _ in model.astream(text, **options):
            pass

    if mode == "invoke":
        model.invoke(text, **options)
    elif mode == "ainvoke":
        asyncio.run(model.ainvoke(text, **options))
    elif mode == "stream":
        list(model.stream(text, **options))
    else:
        asyncio.run(stream())


# --- The model ---


def test_the_model_shows_neither(secretive: ChatASIOne, server: LocalASIOne) -> None:
    secretive.invoke("Hi")  # now it has a client
    (request,) = server.requests
    assert request.headers["x-team-token"] == HEADER
    assert request.key_fingerprint == fingerprint(KEY)
    bound = secretive.bind_tools([{"type": "web_search"}]).with_config(tags=["t"])
    for shown in (
        repr(secretive), str(secretive), secretive.model_dump(), secretive.model_dump_json(),
        dumps(secretive), dumpd(secretive), secretive.to_json(), secretive._identifying_params,
        secretive._get_ls_params(), repr(bound), dumps(bound), secretive.get_graph().to_json(),
        repr(vars(secretive._completions)),
        repr([vars(process.threads) for process in _PROCESSES]),
    ):  # fmt: skip
        assert not [canary for canary in CANARIES if canary in repr(shown)]


def test_a_serialised_model_takes_its_key_from_the_environment(
    secretive: ChatASIOne, server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_of_the_environment")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # langchain-core calls `loads` a beta
        twin = loads(
            dumps(secretive),
            allowed_objects=[ChatASIOne],
            secrets_from_env=True,
            valid_namespaces=["langchain_asi_one"],
        )
    twin.invoke("Hi")
    assert server.requests[0].key_fingerprint == fingerprint("sk_of_the_environment")


REVIVE = """
import pickle, sys
model = pickle.loads(bytes.fromhex(sys.argv[1]))
model.invoke("from another process")
"""


@pytest.mark.no_cover
@pytest.mark.parametrize("passed_in", [True, False])
def test_a_pickled_model_carries_a_key_only_if_it_was_passed_in(
    passed_in: bool, server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_of_the_parent" if passed_in else KEY)
    given: dict[str, Any] = {"api_key": KEY} if passed_in else {}
    model = ChatASIOne(base_url=server.base_url, **given)
    model.invoke("Hi")
    pickled = pickle.dumps(model)
    assert (KEY.encode() in pickled) is passed_in
    assert b"sk_of_the_parent" not in pickled
    environment = {**os.environ, "ASI_ONE_API_KEY": "sk_of_the_child"}
    done = run_script(REVIVE, pickled.hex(), environ=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert [request.key_fingerprint for request in server.requests] == [
        fingerprint(KEY),
        fingerprint(KEY if passed_in else "sk_of_the_child"),
    ]


def test_a_model_unpickled_where_there_is_no_key_says_so(
    server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", KEY)
    pickled = pickle.dumps(ChatASIOne(base_url=server.base_url))
    monkeypatch.delenv("ASI_ONE_API_KEY")
    with pytest.raises(ValueError, match="set ASI_ONE_API_KEY"):
        pickle.loads(pickled).invoke("Hi")  # noqa: S301 - our own pickle
    assert server.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": KEY, "temperature": "hot"},
        {"api_key": KEY, "modle": "asi1"},
        {"api_key": f"{KEY}é"},
        {"openai_api_key": f"{KEY}\n{KEY}"},
        {"api_key": {"nested": KEY}},
        {"api_key": [KEY]},
        {"api_key": KEY, "default_headers": {"Authorization": HEADER}},
        {"api_key": KEY, "default_headers": {"x-team": [HEADER]}},
        {"api_key": KEY, "default_headers": [HEADER]},
        {"api_key": KEY, "base_url": f"https://user:{HEADER}@example.org/v1"},
        {"api_key": KEY, "base_url": f"ftp://user:{HEADER}@example.org/v1"},
        {"api_key": KEY, "base_url": f"https://user:{HEADER}@example.org/v1/chat/completions"},
        {"api_key": KEY, "default_headers": {"x-team": HEADER}, "timeout": -1, "max_retries": -1},
    ],
    ids=str,
)
def test_a_refused_argument_is_not_quoted_with_a_secret(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        ChatASIOne(**arguments)
    error = caught.value
    assert_clean(error, traceback.format_exception_only(error))
    if hasattr(error, "errors"):
        assert_clean(error.errors())
    pickled = pickle.dumps(error)
    assert not [canary for canary in CANARIES if canary.encode() in pickled]
    assert str(pickle.loads(pickled)) == str(error)  # noqa: S301 - our own pickle


# --- Callbacks and tracers ---


class Recorder(BaseCallbackHandler):
    """Keeps everything that callbacks are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(("start", (args, kwargs)))

    def on_llm_new_token(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(("token", (args, kwargs)))

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(("end", (args, kwargs)))

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(("error", (args, kwargs)))


class Runs(BaseTracer):
    """Keeps the runs that a tracing service would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.kept.append(run)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", ["Hi", "[fault: echo_key]", "[fault: cut_stream]"])
def test_callbacks_are_told_neither(text: str, mode: str, secretive: ChatASIOne) -> None:
    recorder, runs = Recorder(), Runs()
    config = {"callbacks": [recorder, runs]}
    if text == "Hi":
        ask(secretive, mode, text, config=config)
    else:
        with pytest.raises(ASIOneError):
            ask(secretive, mode, text, config=config)
    last = "end" if text == "Hi" else "error"
    assert [name for name, _ in recorder.told if name != "token"] == ["start", last]
    assert_clean(*(told for _, told in recorder.told))
    (run,) = runs.kept
    assert run.extra["invocation_params"]["model"] == "asi1"
    assert_clean(run.model_dump(), run.serialized)


# --- Exceptions ---

FAULTS = (
    "echo_key", "http_401", "http_400_unknown_parameter", "http_429_forever", "http_500",
    "redirect", "html_200", "empty_200", "error_in_200", "error_event", "truncated_stream",
    "cut_stream", "close_before_reply", "malformed_json_line", "invalid_utf8", "stall",
    "stall_before_headers",
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FAULTS)
def test_an_exception_holds_neither(name: str, mode: str, secretive: ChatASIOne) -> None:
    limit = 0.3 if name.startswith("stall") else PATIENCE
    with pytest.raises(ASIOneError) as caught:
        ask(secretive, mode, f"[fault: {name}]", timeout=limit)
    error = caught.value
    assert_clean(error, traceback.format_exception(error))
    pickled = pickle.dumps(error)
    assert not [canary for canary in CANARIES if canary.encode() in pickled]
    twin = pickle.loads(pickled)  # noqa: S301 - our own pickle
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert twin.info == error.info
    assert twin.is_retryable == error.is_retryable


@pytest.mark.parametrize("mode", MODES)
def test_what_a_server_quotes_is_struck_out(
    mode: str, secretive: ChatASIOne, server: LocalASIOne
) -> None:
    quoted = f"You sent Bearer {KEY} and {HEADER}".encode()
    for status, kind in [(400, "text/plain"), (502, "text/html"), (200, "application/json")]:
        for body in (
            quoted,
            b'{"error": {"message": "%b", "%b": ["%b"]}}' % (quoted, KEY.encode(), quoted),
            b'{"detail": "%b"}' % quoted,
            b"x" * 170 + quoted,  # where a shortened excerpt ends
        ):
            server.enqueue(raw(body, status=status, content_type=kind, headers={"x-id": KEY}))
            with pytest.raises(ASIOneError) as caught:
                ask(secretive, mode, "Hi")
            assert_clean(caught.value)
            assert KEY[:12] not in str(caught.value)
    for header in ("location", "retry-after", "x-request-id", "x-ratelimit-key"):
        server.enqueue(raw(b"{}", status=307, headers={header: f"https://x.example/?k={KEY}"}))
        with pytest.raises(ASIOneError) as caught:
            ask(secretive, mode, "Hi")
        assert_clean(caught.value)


def test_the_search_for_canaries_finds_them_in_the_sdks_own_errors(server: LocalASIOne) -> None:
    with (
        openai.OpenAI(api_key=KEY, base_url=server.base_url, max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.chat.completions.create(
            model="asi1", messages=[{"role": "user", "content": "[fault: http_401]"}]
        )
    assert any(KEY in text for text in texts(caught.value))


# --- Logs ---


@pytest.mark.parametrize("mode", MODES)
def test_no_log_holds_either(
    mode: str, secretive: ChatASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ["", *logging.root.manager.loggerDict]:
        caplog.set_level(logging.DEBUG, logger=name)
    ask(secretive, mode, "Hi")
    with pytest.raises(ASIOneAuthenticationError):
        ask(secretive, mode, "[fault: echo_key]")
    names = {record.name.partition(".")[0].rstrip("0123456789") for record in caplog.records}
    assert {"httpx", "httpcore"} <= names
    assert_clean(caplog.text)
    for record in caplog.records:
        assert_clean(record.msg, record.args)
        assert_clean(record.exc_info and record.exc_info[1])


# --- Where requests go ---


@pytest.mark.parametrize("mode", MODES)
def test_no_variable_for_another_service_has_an_effect(
    mode: str, server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_asi_one() as other:
        for name in (
            "API_KEY", "ADMIN_KEY", "ORG_ID", "ORGANIZATION", "PROJECT_ID", "WEBHOOK_SECRET",
            "API_VERSION", "API_TYPE", "LOG",
        ):  # fmt: skip
            monkeypatch.setenv(f"OPENAI_{name}", f"{HEADER}-{name}")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"x-leak: {HEADER}\nAuthorization: {HEADER}")
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", HEADER)
        monkeypatch.setenv("LANGSMITH_API_KEY", f"lsv2_{HEADER}")
        monkeypatch.setenv("LANGSMITH_GATEWAY_API_KEY", f"lsv2_{HEADER}")
        for name in (
            "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_PROXY", "LANGSMITH_GATEWAY",
            "AZURE_OPENAI_ENDPOINT",
        ):  # fmt: skip
            monkeypatch.setenv(name, other.base_url)
        assert ChatASIOne(api_key=KEY).openai_api_base == DEFAULT_BASE_URL
        monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
        monkeypatch.setenv("ASI_ONE_API_KEY", KEY)
        ask(ChatASIOne(), mode, "Hi")
        assert (other.requests, other.total_connections) == ([], 0)
    (request,) = server.requests
    assert request.key_fingerprint == fingerprint(KEY)
    assert_clean(request.headers, request.body)
    assert set(request.headers) <= {
        "host", "accept", "accept-encoding", "connection", "content-type", "content-length",
        "user-agent", "authorization", "x-session-id",
    }  # fmt: skip
    assert set(request.body) <= {"model", "messages", "stream", "stream_options"}


def test_another_services_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ValueError, match="set ASI_ONE_API_KEY or pass api_key="):
        ChatASIOne()


def test_an_unencrypted_address_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"unencrypted to 'api\.example\.org'; use https"):
        ChatASIOne(api_key=KEY, base_url="http://api.example.org/v1")
    for host in ("127.0.0.1:8000", "localhost", "[::1]:8000"):
        ChatASIOne(api_key=KEY, base_url=f"http://{host}/v1")  # a warning would be an error


@pytest.mark.parametrize("value", ["supersecret123\n", "süpersecret123", " supersecret123"])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(
        ValidationError, match="'x-token' in default_headers cannot be sent"
    ) as caught:
        ChatASIOne(api_key="sk_0123456789", default_headers={"x-token": value})
    assert "persecret" not in str(caught.value) + repr(caught.value.errors())


def test_a_configured_copy_carries_no_key_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_of_the_environment")
    model = ChatASIOne()
    copied = ChatASIOne(**model.__dict__)
    assert b"sk_of_the_environment" not in pickle.dumps(copied)
