"""Run the campaign and write its figures: `make trust`.

Each row is a process of its own. The figures go to `results/figures.json` and, as a table, between
the two marks of `docs/trust.md`.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.trust.soak import PEERS
from tests.trust.wire_faults import KINDS

RESULTS: Final = Path(__file__).parent / "results" / "figures.json"
PAGE: Final = Path(__file__).parents[2] / "docs" / "trust.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
VERSIONS: Final = ("langchain-core", "langchain-openai", "openai", "pydantic")
_FULL: Final = {"requests": 100_000, "restart": 20_000, "peer": 5_000}
_QUICK: Final = {"requests": 2_000, "restart": 2_000, "peer": 500}


def run(module: str, *arguments: str) -> dict[str, Any]:
    """Run one row, and read the line of JSON that it prints."""
    command = [sys.executable, "-m", f"tests.trust.{module}", *arguments]
    print("running", module, *arguments, file=sys.stderr)
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return figures


def measure(sizes: dict[str, int]) -> dict[str, Any]:
    """Run all rows.

    Args:
        sizes: Requests of the long soak, of the one with a restart, and of ChatOpenAI's.

    Returns:
        The figures of each row, with versions, machine and date.
    """
    ours, theirs = PEERS
    return {
        "date": f"{datetime.now(UTC):%d %B %Y}".lstrip("0"),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
        "wire": [run("wire_faults", "--peer", peer) for peer in PEERS],
        "lifecycle": [run("lifecycle", "--peer", peer) for peer in PEERS],
        "faults": [run("faults", "--peer", peer) for peer in PEERS],
        "soaks": [
            run("soak", "--peer", ours, "--requests", str(sizes["requests"])),
            run("soak", "--peer", ours, "--requests", str(sizes["restart"]), "--restart"),
            run("soak", "--peer", theirs, "--requests", str(sizes["peer"])),
        ],
    }


def tabulate(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    lines = [f"Figures of {figures['date']}: Python {figures['python']}, {versions}.", ""]
    lines += write_table(
        "faults of the wire, byte by byte",
        KINDS,
        [
            (f"{row['peer']}, {row['rows']} rows, {row['cases']:,} cases", row)
            for row in figures["wire"]
        ],
    )
    rows = [name for name in figures["lifecycle"][0] if name != "peer"]
    told = [
        {name: f"{row[name][0]:,} of {row[name][1]:,}" for name in rows}
        for row in figures["lifecycle"]
    ]
    names = [row["peer"] for row in figures["lifecycle"]]
    lines += [
        "",
        *write_table("life cycle: right of tried", rows, list(zip(names, told, strict=True))),
        "",
    ]
    named = [(f"{row['peer']}, {row['cases']} cases", Counter(row)) for row in figures["faults"]]
    kinds: tuple[str, ...] = ("right", "typed", "accepted", "raw", "late")
    lines += write_table("faults of the stand-in, four ways to ask", kinds, named)
    kinds = ("right", "typed", "raw", "mixed", "doubled", "lost", "hung")
    lines += ["", "| soak, 5 % faults | " + " | ".join(kinds) + " | memory, MiB | descriptors |"]
    lines += ["|---" * (len(kinds) + 3) + "|"]
    notes = ("", ", server restarted", "")
    for row, note in zip(figures["soaks"], notes, strict=True):
        row["typed"] += row["typed without a fault"]
        growth = [
            f"{max(one['before'][key] for one in row['processes'])} to "
            f"{max(one['after'][key] for one in row['processes'])}"
            for key in ("MiB", "descriptors")
        ]
        cells = [*(f"{row[kind]:,}" for kind in kinds), *growth]
        lines += [f"| {row['peer']}, {row['asked']:,}{note} | " + " | ".join(cells) + " |"]
    return "\n".join(lines) + "\n"


def write_table(
    title: str, columns: Iterable[str], rows: Iterable[tuple[str, dict[str, Any]]]
) -> list[str]:
    """Write a table: its title stands over the names of the rows."""
    columns = list(columns)
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows:
        cells = [f"{row[one]:,}" if isinstance(row[one], int) else row[one] for one in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small; writes no file")
    quick = parser.parse_args().quick
    figures = measure(_QUICK if quick else _FULL)
    if quick:
        print(tabulate(figures))
        return
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tabulate(figures)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
