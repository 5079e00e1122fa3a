"""Fixtures of all tests: a clean environment, and the local stand-in over a real socket."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from langchain_asi_one import ChatASIOne
from langchain_asi_one._transport import connections
from langchain_asi_one.testing import LocalASIOne, local_asi_one
from tests.support.examples import EVERYDAY
from tests.support.model import API_KEY, MakeModel

TRACED = "COVERAGE_PROCESS_CONFIG"  # where it is set, coverage starts in a process
SAMPLES = Path(__file__).parent / "samples"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy")


# How long an example takes on a busy machine is not what these tests are about.
settings.register_profile(
    "everyday",
    max_examples=EVERYDAY,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", settings.get_profile("everyday"), max_examples=20 * EVERYDAY)
settings.load_profile("everyday")  # another: --hypothesis-profile

# A client drops a connection that was idle for 5 s, and some tests count connections. Below the
# 60 s after which the stand-in closes one, or a request might meet that.
connections.LIMITS.keepalive_expiry = 30


def pytest_configure(config: pytest.Config) -> None:
    """Stop what traces a worker as a child: what pytest-cov starts next can pause itself only."""
    while hasattr(config, "workerinput") and (tracing := Coverage.current()):
        tracing.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that are not traced last: after them, threads from before are not traced."""
    items.sort(key=lambda item: item.get_closest_marker("no_cover") is not None)


@pytest.fixture(autouse=True)
def _no_authorities(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have HTTP clients read no certificates: no test speaks TLS, and a client takes 40 ms to."""
    if not request.node.get_closest_marker("live"):
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.setenv("SSL_CERT_DIR", str(SAMPLES))  # there are none in it


@pytest.fixture(autouse=True)
def _untraced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the processes that an untraced test starts untraced as well."""
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv(TRACED, raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep captured text sendable: tests of hostile text log what UTF-8 cannot hold."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


@pytest.fixture(scope="session", autouse=True)
def _stdin() -> Iterator[None]:
    """Open one where there is none: IPython asks pytest, and pytest this, for the encoding."""
    with pytest.MonkeyPatch.context() as monkeypatch, Path(os.devnull).open() as nothing:
        if sys.__stdin__ is None:
            monkeypatch.setattr(sys, "__stdin__", nothing)
        yield


@pytest.fixture(scope="session", autouse=True)
def _proxies() -> Iterator[dict[str, str]]:
    """Take the developer's proxies out of the environment before any server or browser starts."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = {name: os.environ[name] for name in os.environ if name.lower() in PROXIES}
        for name in found:
            monkeypatch.delenv(name)
        yield found


@pytest.fixture(autouse=True)
def _clean_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _proxies: dict[str, str]
) -> None:
    """Keep the developer's keys, endpoints, tracing and proxies out of the tests."""
    for name in os.environ:
        if name.startswith(("ASI_ONE_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LC_")):
            monkeypatch.delenv(name)
    if request.node.get_closest_marker("live"):
        for name, value in _proxies.items():  # it may be the only way to the API
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def _server() -> Iterator[LocalASIOne]:
    with local_asi_one() as server:
        yield server


@pytest.fixture
def server(_server: LocalASIOne) -> LocalASIOne:
    """The stand-in, with nothing received and nothing enqueued."""
    _server.clear()
    return _server


@pytest.fixture
def make_model(server: LocalASIOne) -> MakeModel:
    """Make a model that asks the stand-in."""

    def make(**arguments: Any) -> ChatASIOne:
        given = {"base_url": server.base_url, "api_key": API_KEY, "max_retries": 0, **arguments}
        return ChatASIOne(**given)

    return make


@pytest.fixture
def model(make_model: MakeModel) -> ChatASIOne:
    """A model that asks the stand-in."""
    return make_model()
