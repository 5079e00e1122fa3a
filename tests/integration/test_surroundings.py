"""Proxies, certificates, rate limits and networks: what surrounds a request."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage

from langchain_asi_one import ChatASIOne, errors
from langchain_asi_one._httpx_compat import http
from langchain_asi_one._transport import client_pool, retry
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.testing import LocalASIOne, raw
from tests.integration.transport.test_hostile_server import (
    MODES,
    Server,
    ask,
    completion,
    error_of,
    whole,
)
from tests.support.model import API_KEY, MakeModel
from tests.support.patience import PATIENCE

NOWHERE = "http://localhost:1/v1"  # nobody listens there, and it is not in NO_PROXY


def make(**arguments: Any) -> ChatASIOne:
    given = {"base_url": NOWHERE, "api_key": API_KEY, "max_retries": 0, "timeout": PATIENCE}
    return ChatASIOne(**{**given, **arguments})


# --- Proxies and certificates ---


@pytest.mark.parametrize("mode", MODES)
def test_the_proxies_of_the_time_when_a_model_is_made_count(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = whole("HTTP/1.1 200 OK", completion("by proxy"))
    proxy = Server(lambda _, connection, __: connection.sendall(reply))
    with proxy.run() as url:
        before = make()
        address = url.removesuffix("/v1").replace("http://", "http://me:secret-word@")
        monkeypatch.setenv("HTTP_PROXY", address)
        model = make()
        monkeypatch.delenv("HTTP_PROXY")
        assert ask(model, mode) == "by proxy"
        with pytest.raises(errors.ASIOneConnectionError, match="Could not connect"):
            ask(before, mode)
    (request,) = proxy.requests
    assert request["line"] == f"POST {NOWHERE}/chat/completions HTTP/1.1"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "HTTP_PROXY",
            "http://me:secret-word@127.0.0.1:1",
            "proxy http://127.0.0.1:1 (HTTP_PROXY)",
        ),
        ("ALL_PROXY", "socks://127.0.0.1:7891/", "ALL_PROXY"),
        ("ALL_PROXY", "socks5://127.0.0.1:7891/", "ALL_PROXY"),
        ("HTTP_PROXY", "127.0.0.1:3128:x", "HTTP_PROXY"),
        ("SSL_CERT_FILE", "/no/such/cacert.pem", "SSL_CERT_FILE='/no/such/cacert.pem'"),
    ],
)
def test_an_error_names_what_to_mend(
    name: str, value: str, said: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://github.com/Aider-AI/aider/issues/3406, 3710 and 4389."""
    monkeypatch.setenv(name, value)
    # Certificates are read once, when a process builds its first client.
    monkeypatch.setattr(client_pool, "_PROCESSES", [client_pool._Process()])
    error = error_of(make(), mode)
    assert said in str(error)
    assert "secret-word" not in f"{error!r}{vars(error)}"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_https_is_used_and_named(
    variable: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"
    proxy = Server(lambda _, connection, __: connection.sendall(refusal))
    with proxy.run() as url:
        address = url.removesuffix("/v1")
        monkeypatch.setenv(variable, address.replace("http://", "http://me:secret-word@"))
        error = error_of(make(base_url="https://api.example.invalid/v1"), mode)
    assert [request["line"] for request in proxy.requests] == [
        "CONNECT api.example.invalid:443 HTTP/1.1"
    ]
    assert f"through the proxy {address} ({variable}))" in str(error)
    assert "secret-word" not in f"{error!r}{vars(error)}"


@pytest.mark.parametrize("mode", MODES)
def test_an_answer_of_a_proxy_names_it(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = whole("HTTP/1.1 502 Bad Gateway", b"<html>No", kind="text/html")
    proxy = Server(lambda _, connection, __: connection.sendall(page))
    with proxy.run() as url:
        address = url.removesuffix("/v1")
        monkeypatch.setenv("HTTP_PROXY", address)
        error = error_of(make(), mode)
        assert f"through the proxy {address} (HTTP_PROXY))" in str(error)
        # A client of one's own goes where it goes: this one reads no variable.
        with http.Client(trust_env=False) as own:
            direct = error_of(make(http_client=own), "invoke")
    assert isinstance(direct, errors.ASIOneConnectionError)
    assert "proxy http" not in str(direct)


@pytest.mark.parametrize("mode", MODES)
def test_networks_in_no_proxy_do_not_matter(
    mode: str, server: LocalASIOne, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reported as httpx2#829 and kimi-cli#1959.
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,::1,[::1],fe80::/10,fd07:b51a:cc66:f0::/64")
    assert "Hi" in ask(make_model(), mode)


# --- Networks ---


@contextmanager
def silent_address() -> Iterator[str]:
    """An address that answers no packet that asks for a connection: its queue is full."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        time.sleep(0.1)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.mark.parametrize("mode", MODES)
def test_a_connection_that_never_comes(mode: str) -> None:
    with silent_address() as url:
        error = error_of(make(base_url=url, timeout=0.3), mode)
    assert type(error) is errors.ASIOneTimeoutError
    assert f"Could not connect to {url}/chat/completions within 0.3 s" in str(error)
    assert "Check the network, a firewall, the proxy settings and base_url" in str(error)


@pytest.mark.parametrize("mode", MODES)
def test_agents_are_asked_again_only_if_the_request_never_left(
    mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "langchain_asi_one")
    error = error_of(make(max_retries=1), mode, planner_mode=True)
    assert not error.info.may_have_acted
    assert "not sent again" not in str(error)
    assert "retry 1 of 1" in caplog.text


@pytest.mark.parametrize("mode", MODES)
def test_a_base_url_without_v1(mode: str, server: LocalASIOne) -> None:
    error = error_of(make(base_url=server.base_url.removesuffix("/v1")), mode)
    assert type(error) is errors.ASIOneNotFoundError
    assert "does not end in '/v1'" in str(error)


# --- Rate limits ---


class Recorder(BaseCallbackHandler):
    def __init__(self) -> None:
        self.retries: list[tuple[int, float, str]] = []

    def on_retry(self, retry_state: Any, **_: Any) -> None:
        error = retry_state.outcome.exception()
        self.retries.append(
            (retry_state.attempt_number, retry_state.idle_for, type(error).__name__)
        )


@pytest.mark.parametrize("mode", MODES)
def test_a_wait_is_logged_and_reaches_callbacks(
    mode: str,
    make_model: MakeModel,
    server: LocalASIOne,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "langchain_asi_one")
    # 30 s are the rule; tests of the rule are in unit/transport/test_retry.py.
    monkeypatch.setattr(retry, "_FIRST_RATE_WAIT", 0.1)
    server.enqueue(raw(b"{}", status=429))
    recorder = Recorder()
    answer = ask(make_model(max_retries=2), mode, config={"callbacks": [recorder]})
    assert "Hi" in answer
    ((number, wait, kind),) = recorder.retries
    assert (number, kind) == (1, "ASIOneRateLimitError")
    assert 0.07 <= wait <= 0.1
    (record,) = [r for r in caplog.records if r.name == "langchain_asi_one"]
    assert record.getMessage() == "ASIOneRateLimitError (429): trying again in 0.1 s, retry 1 of 2"
    first, second = server.requests
    assert second.received_at - first.received_at >= 0.07


@pytest.mark.parametrize("mode", MODES)
def test_the_limits_that_the_api_names_are_in_the_error(mode: str, server: LocalASIOne) -> None:
    limits = {"x-ratelimit-limit-requests": "3", "x-ratelimit-remaining-requests": "0"}
    server.enqueue(raw(b"{}", status=429, headers=limits))
    with pytest.raises(ASIOneError) as caught:
        ask(make(base_url=server.base_url), mode)
    assert limits.items() <= caught.value.info.headers.items()
    assert isinstance(caught.value, errors.ASIOneRateLimitError)
    assert caught.value.response.headers["x-ratelimit-limit-requests"] == "3"


class Ended(BaseCallbackHandler):
    def __init__(self) -> None:
        self.results: list[Any] = []

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.results.append(response)


@pytest.mark.parametrize("mode", ["invoke", "ainvoke"])
def test_older_callbacks_read_tokens_and_finish_reason(mode: str, make_model: MakeModel) -> None:
    ended = Ended()
    model = make_model(callbacks=[ended], cache=InMemoryCache())
    for _ in range(2):
        ask(model, mode)
    first, cached = ended.results
    [[generation]] = first.generations
    usage = generation.message.usage_metadata
    assert first.llm_output["model_name"] == "asi1"
    assert first.llm_output["token_usage"] == {
        "prompt_tokens": usage["input_tokens"],
        "completion_tokens": usage["output_tokens"],
        "total_tokens": usage["total_tokens"],
    }
    assert generation.generation_info["finish_reason"] == "stop"
    assert "token_usage" not in generation.message.response_metadata
    # What came from a cache was not paid for again.
    assert cached.llm_output is None


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_older_callbacks_read_the_finish_reason_of_a_stream(
    mode: str, make_model: MakeModel
) -> None:
    ended = Ended()
    ask(make_model(callbacks=[ended]), mode)
    [[generation]] = ended.results[0].generations
    assert generation.generation_info["finish_reason"] == "stop"


def test_tokens_of_several_questions_are_added_up(make_model: MakeModel) -> None:
    result: Any = make_model().generate([[HumanMessage("Hi")], [HumanMessage("Hi")]])
    counted = [one.message.usage_metadata["total_tokens"] for (one,) in result.generations]
    assert result.llm_output["token_usage"]["total_tokens"] == sum(counted) > 0


@pytest.mark.parametrize("mode", MODES)
def test_headers_of_a_response_are_there_on_request(mode: str, make_model: MakeModel) -> None:

    model = make_model(include_response_headers=True)

    async def read() -> Any:
        return [chunk async for chunk in model.astream("Hi")][-1]

    ways: dict[str, Callable[[], Any]] = {
        "invoke": lambda: model.invoke("Hi"),
        "ainvoke": lambda: asyncio.run(model.ainvoke("Hi")),
        "stream": lambda: [*model.stream("Hi")][-1],
        "astream": lambda: asyncio.run(read()),
    }
    message = ways[mode]()
    assert "content-type" in message.response_metadata["headers"]
    assert "headers" not in make_model().invoke("Hi").response_metadata
