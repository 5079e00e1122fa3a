"""Shows what the time of a stream is spent on: `python -m tests.benchmarks.flame`.

A flame graph by py-spy; where the system does not let it look into a process, a table by cProfile.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import pstats
import subprocess
import sys
from pathlib import Path
from shutil import which
from time import monotonic

from tests.benchmarks.peers import make_peer
from tests.benchmarks.processes import ROOT, clean_environment, server
from tests.benchmarks.wire import Prompt

_PROMPT = str(Prompt("text", 2_000))


def _work(url: str, seconds: float) -> None:
    """Stream again and again: this is what is looked into."""
    peer = make_peer("ours", url)
    end = monotonic() + seconds
    while monotonic() < end:
        peer.stream(_PROMPT)


def _py_spy() -> str | None:
    beside = Path(sys.executable).with_name("py-spy")
    return str(beside) if beside.exists() else which("py-spy")


def _flame_graph(url: str, seconds: float, path: Path) -> str | None:
    """Let py-spy draw; returns why it could not."""
    program = _py_spy()
    if program is None:
        return "py-spy is not installed"
    done = subprocess.run(
        [
            program,
            "record",
            "--output",
            str(path),
            "--format",
            "flamegraph",
            "--function",
            "--rate",
            "250",
            "--",
            sys.executable,
            "-m",
            "tests.benchmarks.flame",
            "--work",
            url,
            "--seconds",
            str(seconds),
        ],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not path.exists():
        return done.stderr.strip()[-400:]
    # The graph's title is the command: without the places of this machine.
    text = path.read_text(encoding="utf-8")
    for place, name in ((program, "py-spy"), (sys.executable, "python"), (str(path), path.name)):
        text = text.replace(place, name)
    path.write_text(text, encoding="utf-8")
    return None


def _table(url: str, path: Path) -> None:
    peer = make_peer("ours", url)
    peer.stream(_PROMPT)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(10):
        peer.stream(_PROMPT)
    profile.disable()
    told = io.StringIO()
    pstats.Stats(profile, stream=told).strip_dirs().sort_stats("tottime").print_stats(40)
    path.write_text(told.getvalue(), encoding="utf-8")


def main() -> None:
    """Write `stream.svg`, or `stream.txt` where there is no py-spy or it is not permitted."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.flame")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--seconds", type=float, default=8.0, help="of streaming that are watched")
    parser.add_argument("--work", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        _work(given.work, given.seconds)
        return
    given.out.mkdir(parents=True, exist_ok=True)
    graph, table = given.out / "stream.svg", given.out / "stream.txt"
    with server(sys.executable) as url:
        refused = _flame_graph(url, given.seconds, graph)
        if refused is None:
            print(f"flame graph: {graph}")
            return
        print(f"no flame graph ({refused}); a table instead: {table}")
        _table(url, table)


if __name__ == "__main__":
    main()
