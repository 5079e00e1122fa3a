"""Run LangChain's own tests of agents and middleware, each fake model as ChatASIOne over a socket.

`python -m tests.trust.judges.langchain_suite build/judges` prints one line of JSON. The folder has
the source package of the installed LangChain, which carries its tests. They run twice: with
LangChain's fakes, and with `wired_fakes`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

REASONS: Final = {
    "a `bind_tools` of the test's own, whose form no request has": r"test_tool_selection",
    "a synchronous call in a running event loop, where LangChain's guard forbids a socket": (
        r"BlockingError: Blocking call to socket"
    ),
    "an own `_generate`, asked in the async way": (
        r"test_model_retry_async|test_create_agent_answers_invalid_tool_calls_async"
    ),
    "a call without an id, to which ChatASIOne gives one": r"test_per_call_(needs|same_tool)",
    "a refusal without a text, as another provider sends it": r"test_refusal_is_opt_in",
    "a model without a profile": r"test_summarization_middleware_initialization",
    "a stream of one event": r"test_internal_whole_message_excluded",
    "a message without metadata": r"test_create_agent_invoke",
}
"""What a test wants that no model over a network gives, and its name or its failure."""


def unpack(folder: Path) -> Path:
    """Unpack the source package, and return its folder."""
    (source,) = folder.glob("langchain-*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    return folder / source.name.removesuffix(".tar.gz")


def run_tests(sources: Path, *plugins: str) -> dict[str, str | None]:
    """Run the tests; return the failure of each, "skipped", or None for one that passed."""
    report = sources.parent / f"{'-'.join(plugins) or 'fakes'}.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "2",
        "-p",
        "no:cacheprovider",
        "--tb=line",
    ]
    command += [one for plugin in plugins for one in ("-p", plugin)]
    command += ["--allow-hosts=127.0.0.1,::1,localhost", f"--junitxml={report}"]
    places = (Path(__file__).parent, sources.parent / "plugins", Path(__file__).parents[3])
    surroundings = {"PYTHONPATH": os.pathsep.join(map(str, places)), "LANGSMITH_TRACING": "false"}
    with report.with_suffix(".log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [*command, "tests/unit_tests/agents"],
            cwd=sources,
            stdout=log,
            stderr=log,
            env={**os.environ, **surroundings},
            check=False,
        )
    outcomes: dict[str, str | None] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        child = next((one for one in case if one.tag in {"failure", "error", "skipped"}), None)
        failure = None if child is None else f"{child.get('message')}\n{child.text}"
        skipped = child is not None and child.tag == "skipped"
        outcomes[f"{case.get('classname')} {case.get('name')}"] = "skipped" if skipped else failure
    return outcomes


def explain(name: str, failure: str) -> str:
    """Return the reason of a failure, one of `REASONS`, or "unexplained"."""
    text = " ".join(f"{name} {failure}".split())
    return next((why for why, looks in REASONS.items() if re.search(looks, text)), "unexplained")


def count_outcomes(folder: Path) -> dict[str, Any]:
    """Run all, and count.

    Args:
        folder: Has the source package, and in `plugins` what its tests need beside ours.

    Returns:
        How many passed, were skipped and failed; the failures by reason; those without one.
    """
    sources = unpack(folder)
    fakes, wired = run_tests(sources), run_tests(sources, "wired_fakes")
    failed = {name: text for name, text in wired.items() if text not in {None, "skipped"}}
    reasons: Counter[str] = Counter()
    unexplained = []
    for name, text in failed.items():
        both = fakes.get(name) not in {None, "skipped"}
        why = "fails with LangChain's fakes too" if both else explain(name, str(text))
        reasons[why] += 1
        if why == "unexplained":
            unexplained.append(f"{name}: {text!s:.300}")
    skipped = [*wired.values()].count("skipped")
    return {
        "version": sources.name.rpartition("-")[2],
        "tests": len(wired),
        "fakes": [*fakes.values()].count(None),
        "passed": len(wired) - skipped - len(failed),
        "skipped": skipped,
        "failed": len(failed),
        "reasons": dict(reasons.most_common()),
        "unexplained": unexplained,
    }


if __name__ == "__main__":
    print(json.dumps(count_outcomes(Path(sys.argv[1]).resolve())))
