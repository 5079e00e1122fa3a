"""Ask all judges that are not ours, and write their figures: `make judges`.

Each judge is a process of its own. Its figures go, as tables, between the two marks of
`docs/trust.md`. What should not come ends the run with status 1, and is printed.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.trust.judges import mock_server, proxy
from tests.trust.run import PAGE, VERSIONS, write_table
from tests.trust.soak import PEERS

BEGIN, END = "<!-- judges -->\n", "<!-- end of judges -->\n"
_NPM_LOCK: Final = Path(__file__).parent / "package-lock.json"
_LOCK: Final = Path(__file__).parents[3] / "requirements" / "judges.txt"


def run(module: str, *arguments: str) -> Any:
    """Run one judge, and read the line of JSON that it prints."""
    print("asking", module, *arguments, file=sys.stderr)
    command = [sys.executable, "-m", f"tests.trust.judges.{module}", *arguments]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout.splitlines()[-1])


def measure(folder: str) -> dict[str, Any]:
    """Ask all judges.

    Args:
        folder: Has LangChain's source package, see `langchain_suite`.

    Returns:
        The figures of each judge, with versions and date.
    """
    packages = json.loads(_NPM_LOCK.read_text(encoding="utf-8"))["packages"]
    (litellm,) = re.findall(r"^litellm==(\S+)", _LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    names = {name: version(name) for name in VERSIONS}
    return {
        "date": f"{datetime.now(UTC):%d %B %Y}".lstrip("0"),
        "versions": {
            "Python": platform.python_version(),
            **names,
            "aimock": packages["node_modules/@copilotkit/aimock"]["version"],
            "LiteLLM": litellm,
        },
        "mock_server": [run("mock_server", "--peer", peer) for peer in PEERS],
        "langchain_suite": run("langchain_suite", folder),
        "proxy": [run("proxy", "--route", route) for route in proxy.ROUTES],
    }


def tabulate(figures: dict[str, Any]) -> str:
    """Write the figures as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in figures["versions"].items())
    lines = [f"Figures of {figures['date']}: {versions}.", ""]
    rows = [(f"{row['peer']}, {row['cases']} questions", row) for row in figures["mock_server"]]
    lines += [*write_table("aimock, two answers of five broken", mock_server.KINDS, rows), ""]
    for title, kinds, key in (
        ("faults behind LiteLLM", proxy.KINDS, "faults"),
        ("questions at once, 5 % faults", proxy.MIXED, "mixed"),
    ):
        found = [row for part in figures["proxy"] for row in part[key]]
        rows = [(f"{row['peer']}, {_ROUTES[row['route']]}", row) for row in found]
        lines += [*write_table(title, kinds, rows), ""]
    suite = figures["langchain_suite"]
    title = f"LangChain {suite['version']}'s tests of agents and middleware"
    lines += [f"| {title} | tests |", "|---|---|"]
    lines += [f"| passed with LangChain's fakes | {suite['fakes']:,} of {suite['tests']:,} |"]
    lines += [f"| passed with ChatASIOne | {suite['passed']:,} |"]
    lines += [f"| skipped | {suite['skipped']} |"]
    lines += [f"| failed: {why} | {count} |" for why, count in suite["reasons"].items()]
    return "\n".join(lines) + "\n"


_ROUTES: Final = {"own": "its own route", "through": "passed through"}


def list_faults(figures: dict[str, Any]) -> list[str]:
    """Return what should not have come of ChatASIOne."""
    behind = [row for part in figures["proxy"] for row in (*part["faults"], *part["mixed"])]
    rows = [*figures["mock_server"], *behind]
    examples = [one for row in rows if row["peer"] == PEERS[0] for one in row["examples"]]
    return [*examples, *figures["langchain_suite"]["unexplained"]]


def main(folder: str) -> None:
    figures = measure(folder)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tabulate(figures)}\n{END}{after}", encoding="utf-8")
    Path(folder, "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    if faults := list_faults(figures):
        sys.exit("\n".join(["ChatASIOne did what it must not:", *faults]))


if __name__ == "__main__":
    main(sys.argv[1])
