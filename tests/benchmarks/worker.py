"""The process of a peer: reads commands, one JSON object a line, and answers each with another."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

from tests.benchmarks.tasks import Tasks


def _answer(tasks: Tasks, command: dict[str, Any]) -> dict[str, Any]:
    try:
        return tasks.run(**command)
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Answer commands until standard input ends."""
    # What a peer prints must not come between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    tasks = Tasks(sys.argv[1])
    for line in sys.stdin:
        answers.write(json.dumps(_answer(tasks, json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
