"""The package as it is imported and as a command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from types import ModuleType

import httpx
import pytest

import langchain_asi_one.testing as asi_testing
from langchain_asi_one.testing._faults import list_faults
from tests.support.patience import PATIENCE
from tests.support.stand_in_wire import SAMPLE_NAMES, request_body


def run_module(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "langchain_asi_one.testing", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_the_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "langchain_asi_one.testing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        found = re.search(r"export ASI_ONE_BASE_URL=(\S+)", printed)
        assert found
        response = httpx.post(
            f"{found[1]}/chat/completions",
            json=request_body("[fault: http_403]"),
            headers={"Authorization": "Bearer any-text"},
            timeout=PATIENCE,
            trust_env=False,
        )
        assert response.status_code == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_the_command_explains_itself() -> None:
    refused = run_module("--host", "0.0.0.0")  # noqa: S104
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: refusing to listen on '0.0.0.0'")
    assert "--allow-remote" in refused.stderr
    assert "Traceback" not in refused.stderr
    listed = run_module("--list")
    assert listed.returncode == 0
    assert all(name in listed.stdout for name in [*list_faults(), *SAMPLE_NAMES])


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_import_without_the_extra_says_what_to_install(missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import langchain_asi_one.testing"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert run.returncode == 1
    assert f"needs {missing}" in run.stderr
    assert "pip install starlette uvicorn" in run.stderr


def test_it_does_not_import_the_chat_model() -> None:
    code = (
        "import sys, langchain_asi_one.testing\n"
        "light = ['_version', '_agent_address', '_model_profiles']\n"
        "light += ['_json', '_json.numbers', '_request', '_request.fields', '_request.schemas']\n"
        "own = ['langchain_asi_one', 'langchain_asi_one.testing']\n"
        "own += ['langchain_asi_one.' + name for name in light]\n"
        "print([m for m in sys.modules if m.partition('.')[0] in "
        "('langchain_asi_one', 'langchain_core', 'langchain_openai', 'openai') "
        "and m not in own and not m.startswith('langchain_asi_one.testing.')])"
    )
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        env=environment,
    )
    assert run.stdout.strip() == "[]"


def test_public_names_are_listed() -> None:
    assert set(asi_testing.__all__) == {
        name
        for name in vars(asi_testing)
        if not name.startswith("_") and not isinstance(getattr(asi_testing, name), ModuleType)
    }
