"""Commands and modules whose packages are not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_asi_one._version import make_missing_error

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name in ("uagents_core", "starlette"):
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Block())
"""
NEEDS = {
    "langchain_asi_one.agents": "uagents_core, which is not installed; run: pip install uagents-",
    "langchain_asi_one.testing": "starlette, which is not installed; run: pip install starlette ",
}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(BLOCK)
    places = [str(folder), str(Path(__file__).parents[2])]
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("module", "needs"), NEEDS.items())
def test_a_command_without_its_packages_says_so_in_one_line(
    tmp_path: Path, module: str, needs: str
) -> None:
    ended = run(tmp_path, "-m", module, "--help")
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"error: {module} needs {needs}")


def test_an_import_without_its_packages_is_an_error_that_names_them(tmp_path: Path) -> None:
    program = "from langchain_asi_one.agents import AgentChat"
    ended = run(tmp_path, "-c", program, "-m", "langchain_asi_one.agents")
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: langchain_asi_one.agents needs {NEEDS[program[5:29]]}")


def test_a_cause_without_a_name_is_named_by_what_to_install() -> None:
    error = make_missing_error("a.b", "one two", ImportError("broken"))
    assert str(error) == "a.b needs one, which is not installed; run: pip install one two"
