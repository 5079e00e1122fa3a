"""Fixtures of all tests: a clean environment, and the local stand-in over a real socket."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from langchain_asi_one import ChatASIOne
from langchain_asi_one.testing import LocalASIOne, local_asi_one

API_KEY = "sk_test_0123456789abcdef"
SAMPLES = Path(__file__).parent / "samples"


# How long an example takes on a busy machine is not what these tests are about.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep captured text sendable: tests of hostile text log what UTF-8 cannot hold."""
    report = yield
    report.sections = [
        (title, text.encode("utf-8", "backslashreplace").decode())
        for title, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's keys, endpoints and tracing out of the tests."""
    for name in os.environ:
        if name.startswith(("ASI_ONE_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "LC_")):
            monkeypatch.delenv(name)


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
def make_model(server: LocalASIOne) -> Callable[..., ChatASIOne]:
    """Make a model that asks the stand-in."""

    def make(**arguments: Any) -> ChatASIOne:
        given = {"base_url": server.base_url, "api_key": API_KEY, "max_retries": 0, **arguments}
        return ChatASIOne(**given)

    return make


@pytest.fixture
def model(make_model: Callable[..., ChatASIOne]) -> ChatASIOne:
    """A model that asks the stand-in."""
    return make_model()
