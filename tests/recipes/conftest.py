"""A folder like a reader's project, and a stand-in for it. `make recipes` runs these tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from langchain_asi_one.testing import LocalASIOne, local_asi_one
from tests.support.patience import PATIENCE
from tests.support.snippets import ROOT, write_programs

GUIDES = ("docs/guides/recipes.md", "docs/guides/scale.md", "docs/guides/web-apps.md")
FOREIGN = ("ASI_ONE_", "ASI1_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "RAY_")


@pytest.fixture
def server() -> Iterator[LocalASIOne]:
    """A stand-in of the test's own."""
    with local_asi_one() as running:
        yield running


@dataclass
class Project:
    """A folder with the programs of the guides, outside the checkout.

    Attributes:
        folder: Where they are.
        environment: The variables that they run with.
    """

    folder: Path
    environment: dict[str, str]

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command, such as ``python -m uvicorn app:app``."""
        return subprocess.Popen(
            [sys.executable if part == "python" else part for part in command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> str:
        """Run a command, and return what it has printed."""
        with self.start(*command) as process:
            try:
                out, err = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        assert process.returncode == 0, err
        return out


@pytest.fixture
def project(server: LocalASIOne, tmp_path: Path) -> Project:
    """The programs of the guides, which ask the stand-in."""
    for page in GUIDES:
        write_programs(page, tmp_path)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    ours = {"ASI_ONE_BASE_URL": server.base_url, "ASI_ONE_API_KEY": "sk_recipes_0123456789"}
    return Project(tmp_path, {**inherited, **ours, "PYTHONPATH": str(ROOT)})
