"""`python -m langchain_asi_one` as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

COMMAND = (sys.executable, "-m", "langchain_asi_one")
_ROOT = Path(__file__).parents[2]


def environment(added: Mapping[str, str]) -> dict[str, str]:
    ours = {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}
    return {**os.environ, **ours, **added}


def run(*arguments: str, **added: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env=environment(added),
    )
