"""Fixtures of all tests: a clean environment, and the local stand-in over a real socket.

The package is imported by those who need it: what hands the tests to the workers does not.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import random
import sys
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.support.examples import DEEP, EVERYDAY

if TYPE_CHECKING:
    from langchain_asi_one import ChatASIOne
    from langchain_asi_one.testing import LocalASIOne
    from tests.support.model import MakeModel

ROOT = Path(__file__).parents[1]
TRACED = "COVERAGE_PROCESS_CONFIG"  # where it is set, coverage starts in a process
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ws_proxy", "wss_proxy")


# How long an example takes on a busy machine is not what these tests are about.
settings.register_profile(
    "everyday",
    max_examples=EVERYDAY,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("deep", settings.get_profile("everyday"), max_examples=DEEP)
settings.load_profile("everyday")  # another: --hypothesis-profile


def pytest_configure(config: pytest.Config) -> None:
    """Stop the tracing of a worker as a child, which pytest-cov could not pause."""
    while hasattr(config, "workerinput") and (tracing := Coverage.current()):
        tracing.stop()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what runs the tests in another order."""
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run in a random order")


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Have two workers more than cores: many tests wait for a time that must pass."""
    return (yield) + 2


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have each worker of a whole run compile a share of the files.

    All workers come to a file at the same time, so that each would compile every one.
    """
    config = session.config
    worker = getattr(config, "workerinput", None)
    if worker is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    files = sorted(
        file for path in config.getini("testpaths") for file in (ROOT / path).rglob("test_*.py")
    )
    for file in files[int(worker["workerid"][2:]) :: worker["workercount"]]:
        # What a file raises is reported when it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle if asked to.

    Where coverage traces, untraced tests come last, for after them no thread is traced.
    """
    if (seed := config.getoption("--shuffle")) is not None:
        items[:] = shuffle(items, random.Random(seed))  # noqa: S311 - an order is no secret
    if config.getoption("cov_source", None):
        items.sort(key=lambda item: item.get_closest_marker("no_cover") is not None)


def pytest_collection_finish() -> None:
    """Keep what all tests share out of each collection of garbage, and collect more seldom.

    That takes a tenth of the time, and another twentieth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def shuffle(items: list[pytest.Item], chance: random.Random) -> list[pytest.Item]:
    """Shuffle the files, and the tests in each: what a file sets up is set up once."""
    files = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    shuffled = [chance.sample(tests, len(tests)) for tests in files.values()]
    return [item for tests in chance.sample(shuffled, len(shuffled)) for item in tests]


@pytest.fixture(autouse=True)
def _read_no_certificates(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let HTTP clients read no certificates, which takes each 40 ms: no test uses TLS."""
    if not request.node.get_closest_marker("live"):
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        monkeypatch.setenv("SSL_CERT_DIR", str(ROOT / "requirements"))  # there are none in it


@pytest.fixture(autouse=True)
def _keep_untraced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the processes of an untraced test untraced as well."""
    if request.node.get_closest_marker("no_cover"):
        monkeypatch.delenv(TRACED, raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Replace what UTF-8 cannot hold in captured text, for the workers send it."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


@pytest.fixture(scope="session", autouse=True)
def _open_stdin() -> Iterator[None]:
    """Open a standard input where there is none: IPython needs its encoding."""
    with pytest.MonkeyPatch.context() as monkeypatch, Path(os.devnull).open() as nothing:
        if sys.__stdin__ is None:
            monkeypatch.setattr(sys, "__stdin__", nothing)
        yield


@pytest.fixture(scope="session", autouse=True)
def _take_proxies() -> Iterator[dict[str, str]]:
    """Take the developer's proxies out of the environment."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = {name: os.environ[name] for name in os.environ if name.lower() in PROXIES}
        for name in found:
            monkeypatch.delenv(name)
        yield found


@pytest.fixture(autouse=True)
def _clear_environment(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _take_proxies: dict[str, str]
) -> None:
    """Keep the developer's keys, endpoints, tracing and proxies out of the tests."""
    for name in os.environ:
        if name.startswith(
            ("ASI_ONE_", "ASI1_", "ASI_API_KEY", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LC_")
        ):
            monkeypatch.delenv(name)
    if request.node.get_closest_marker("live"):
        for name, value in _take_proxies.items():  # it may be the only way to the API
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _keep_idle_connections() -> None:
    """Keep them for more than the 4 s of a client, for some tests count connections.

    Less than the 60 s after which the stand-in closes one, or a request might meet that.
    """
    from langchain_asi_one._transport import clients

    clients.LIMITS.keepalive_expiry = 30


@pytest.fixture(scope="session")
def _server() -> Iterator[LocalASIOne]:
    from langchain_asi_one.testing import local_asi_one

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
    from langchain_asi_one import ChatASIOne
    from tests.support.model import API_KEY

    def make(**arguments: Any) -> ChatASIOne:
        given = {"base_url": server.base_url, "api_key": API_KEY, "max_retries": 0, **arguments}
        return ChatASIOne(**given)

    return make


@pytest.fixture
def model(make_model: MakeModel) -> ChatASIOne:
    """A model that asks the stand-in."""
    return make_model()
