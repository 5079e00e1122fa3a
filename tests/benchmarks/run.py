"""Measures all rows: `python -m tests.benchmarks.run`, or `make bench`.

One server process, one process for each peer; every round goes through all peers of a row, so that
what disturbs the machine disturbs all of them. Medians are told.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from tests.benchmarks import report
from tests.benchmarks.processes import ROOT, Worker, server, timed_import
from tests.benchmarks.rows import APART, Row, Series, all_rows

APART_ENVIRONMENT = ROOT / ".venv-bench-apart" / "bin" / "python"


class Peers:
    """The processes of the peers, started when they are needed first.

    Args:
        url: Base URL of the server.
        apart: Interpreter of the second environment.
    """

    def __init__(self, url: str, apart: str) -> None:
        self._url = url
        self._apart = apart
        self._workers: dict[str, Worker] = {}
        self._stack = ExitStack()

    def python(self, process: str) -> str:
        """The interpreter that a peer is installed for."""
        return self._apart if process in APART.values() else sys.executable

    def ask(self, series: Series, *, warm_up: bool) -> dict[str, Any]:
        """Let the process of a series do its command once."""
        python = self.python(series.process)
        if not Path(python).exists():
            return {"error": f"{python} is missing; `make bench` makes it"}
        if series.command["task"] == "import":
            return timed_import(python, series.command["statement"])
        if series.process not in self._workers:
            worker = Worker(python, self._url)
            self._workers[series.process] = self._stack.enter_context(worker)
        more = {"warm_up": True} if warm_up else {}
        return self._workers[series.process].ask(**series.command, **more)

    def end(self) -> None:
        """End the processes."""
        self._workers.clear()
        self._stack.close()


@contextmanager
def _peers(url: str, apart: str) -> Iterator[Peers]:
    peers = Peers(url, apart)
    try:
        yield peers
    finally:
        peers.end()


def measure(row: Row, peers: Peers, rounds: int) -> report.Measured:
    """Measure a row.

    Args:
        row: The row.
        peers: The processes.
        rounds: How often each series is run, after a warm-up.

    Returns:
        What each series measured in each round.
    """
    measured = report.Measured(row)
    if row.fresh:
        peers.end()
    for number in range(-1, min(rounds, row.rounds or rounds)):
        warm_up = number < 0
        if warm_up and (row.fresh or row.rounds == 1):
            continue
        for series in row.series:
            if series.label not in measured.errors and (warm_up or number % series.every == 0):
                answer = peers.ask(series, warm_up=warm_up)
                measured.add(series, answer, warm_up=warm_up)
            if row.fresh:
                peers.end()
    measured.add_floor()
    return measured


def _arguments() -> argparse.Namespace:
    names = [row.name for row in all_rows()]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.run")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, 3 rounds")
    parser.add_argument(
        "--rows", nargs="+", choices=names, metavar="NAME", default=names, help=", ".join(names)
    )
    parser.add_argument("--rounds", type=int, help="of each row; 7 if not told")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument(
        "--apart",
        default=str(APART_ENVIRONMENT),
        help="interpreter of the environment for " + ", ".join(APART),
    )
    return parser.parse_args()


def main() -> int:
    """Measure, print the table, write `figures.json` and the charts."""
    given = _arguments()
    rounds = given.rounds or (3 if given.quick else 7)
    start = monotonic()
    found = []
    with server(sys.executable) as url, _peers(url, given.apart) as peers:
        for row in all_rows(quick=given.quick):
            if row.name in given.rows:
                found.append(measure(row, peers, rounds))
                print(report.table(found[-1]), flush=True)
    figures = report.figures(found, rounds, [sys.executable, given.apart])
    figures["seconds"] = round(monotonic() - start)
    given.out.mkdir(parents=True, exist_ok=True)
    report.write(figures, given.out / "figures.json")
    print(report.summary(figures))
    if any(row.row.name == "stream" for row in found):
        from tests.benchmarks.chart import draw

        draw(figures, given.out)
    return int(any(measured.ours_failed for measured in found))


if __name__ == "__main__":
    sys.exit(main())
