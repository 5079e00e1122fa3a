"""Change the pure modules in a drawn sample of places, and count what no test notices.

`python -m tests.trust.mutants` has mutmut make all changes that it knows (`[tool.mutmut]` in
`pyproject.toml`), draws some of each module by a fixed seed, runs the tests that reach each of
them, and prints a table and what survived. `--each 0` tries all.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

_SEED: Final = 1
_MUTANTS: Final = Path("mutants")
# The exit codes of mutmut: a test failed, or the change ran without end.
_KILLED: Final = {1, 3, 24, -24, 36, 152, 255}


def run_mutmut(*names: str) -> None:
    """Make the mutants, and try those whose names end so."""
    print("trying", len(names), "names", file=sys.stderr)
    command = [sys.executable, "-m", "mutmut", "run", *(f"*{name}" for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-4_000:] + done.stderr)


def read_outcomes() -> dict[str, dict[str, int | None]]:
    """Return the exit code of each mutant, by module."""
    return {
        str(path.relative_to(_MUTANTS)).removesuffix(".py.meta"): codes
        for path in sorted(_MUTANTS.rglob("*.meta"))
        if (codes := json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"])
    }


def draw(outcomes: dict[str, dict[str, int | None]], each: int) -> dict[str, list[str]]:
    """Draw up to `each` mutants of every module, 0 for all; the same ones in each run."""
    drawn = {}
    for module, codes in outcomes.items():
        names = sorted(codes)
        count = min(each or len(names), len(names))
        drawn[module] = random.Random(f"{_SEED} {module}").sample(names, count)
    return drawn


def tabulate(outcomes: dict[str, dict[str, int | None]], drawn: dict[str, list[str]]) -> str:
    """Write what became of the drawn mutants as Markdown, and list the survivors."""
    lines = ["| module | changes | tried | noticed |", "|---|---|---|---|"]
    total: Counter[str] = Counter()
    survivors = []
    for module, names in drawn.items():
        tried = [name for name in names if outcomes[module][name] is not None]
        left = [name for name in tried if outcomes[module][name] not in _KILLED]
        survivors += left
        total.update(made=len(outcomes[module]), tried=len(tried), left=len(left))
        cells = (len(outcomes[module]), len(tried), len(tried) - len(left))
        lines.append(f"| `{module}` | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    noticed = total["tried"] - total["left"]
    lines.append(f"| all | {total['made']:,} | {total['tried']:,} | {noticed:,} |")
    return "\n".join([*lines, "", *survivors])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=15, help="mutants of a module; 0: all")
    each = parser.parse_args().each
    shutil.rmtree(_MUTANTS, ignore_errors=True)  # no outcome of older code counts
    run_mutmut("langchain_asi_one._agent_address.x_is_agent_address__mutmut_1")  # makes all
    drawn = draw(read_outcomes(), each)
    run_mutmut(*(name for names in drawn.values() for name in names))
    print(tabulate(read_outcomes(), drawn))


if __name__ == "__main__":
    main()
