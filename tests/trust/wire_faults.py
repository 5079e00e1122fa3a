"""Meet every fault of the wire in every way to ask, and count how it ends, for a peer.

`python -m tests.trust.wire_faults --peer ChatOpenAI` prints one line of JSON. Each row of
`wire_server.ROWS` is asked in four ways and in three forms: plain, with a tool, for structured
output.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import openai
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage

from tests.support.patience import PATIENCE
from tests.support.ways import FOUR_WAYS, STRUCTURED_WAYS, WAYS
from tests.trust.soak import PEERS, make_model
from tests.trust.wire_server import ROWS, Cell, Row, WireServer

FORMS: Final = ("plain", "tools", "structured")
KINDS: Final = ("right", "typed", "accepted", "wrong", "raw", "late", "tries", "held")
_LATE: Final = 20.0  # seconds: three tries of 3 s, what they wait, and room
_SCHEMA: Final = {
    "title": "Said",
    "description": "What is said.",
    "type": "object",
    "properties": {"say": {"type": "string"}},
    "required": ["say"],
}
_PROMPT: Final = "the prompt"


@dataclass(frozen=True)
class Case:
    """A row, a form and a way."""

    row: str
    form: str
    way: str

    @property
    def name(self) -> str:
        return f"{list(ROWS).index(self.row)}-{self.form}-{self.way}"


def list_cases(rows: Iterable[str], forms: Iterable[str]) -> list[Case]:
    """Return the cases of some rows in some forms."""
    return [
        Case(row, form, way)
        for row in rows
        for form in forms
        for way in FOUR_WAYS
        if form == "plain" or not ROWS[row].heavy
    ]


def ask(peer: str, url: str, case: Case) -> Any:
    """Ask once; return the text of the answer, or what it was parsed to."""
    waits = ROWS[case.row].waits
    model: Any = make_model(peer, f"{url}/{case.name}/v1", 3.0 if waits else PATIENCE)
    if waits and peer == PEERS[0]:
        model.deadline = 8.0  # ChatOpenAI has none
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if case.form == "structured":
            chain = model.with_structured_output(_SCHEMA, method="json_schema")
            return STRUCTURED_WAYS[case.way](chain)[-1]
        if case.form == "tools":
            function = {"name": "f", "description": "F.", "parameters": _SCHEMA}
            model = model.bind_tools([{"type": "function", "function": function}])
        message = WAYS[case.way](model, _PROMPT)
    assert isinstance(message, AIMessage)
    return message.text


def judge(case: Case, row: Row, outcome: Any, seconds: float, cell: Cell) -> str:
    """Name the kind of outcome, one of `KINDS`.

    Args:
        case: What was asked.
        row: How it must end.
        outcome: A value, or the error that came.
        seconds: How long it took.
        cell: What came at the server.

    Returns:
        The first that applies: raw; late, where a limit of time must end it; wrong, another answer;
        accepted, an answer where there is none; tries, not the number of requests that it should
        be; held, the connection was not let go; typed or right.
    """
    streamed = case.way.endswith("stream")
    requests = row.stream if streamed else row.whole
    failed = isinstance(outcome, openai.APIError | OutputParserException)
    if isinstance(outcome, Exception) and not failed:
        return "raw"
    if row.waits and seconds > _LATE:
        return "late"
    if not failed and not requests:
        return "accepted"
    wanted = json.loads(row.text) if case.form == "structured" else row.text
    if failed != (not requests) or (not failed and outcome != wanted):
        return "wrong"
    if cell.requests != (requests or row.tries[streamed]):
        return "tries"
    if cell.open:
        return "held"
    return "typed" if failed else "right"


def run_case(peer: str, server: WireServer, url: str, case: Case) -> tuple[str, str]:
    """Ask one case, and return its kind and what came."""
    begun = time.monotonic()
    outcome: Any
    try:
        outcome = ask(peer, url, case)
    except Exception as error:  # noqa: BLE001 - whatever comes is what is judged
        outcome = error.with_traceback(None)
    seconds = time.monotonic() - begun
    cell = server.cells.get(case.name, Cell())
    if cell.open:
        gc.collect()  # takes long where much is loaded
    while cell.open and time.monotonic() - begun < seconds + 15:
        time.sleep(0.02)
    kind = judge(case, ROWS[case.row], outcome, seconds, cell)
    return kind, f"{outcome!r:.150} ({cell.requests} requests, {seconds:.1f} s)"


def count_outcomes(
    peer: str,
    rows: Iterable[str] = ROWS,
    *,
    forms: Iterable[str] = FORMS,
    at_once: int = 12,
) -> dict[str, Any]:
    """Ask all cases of some rows.

    Args:
        peer: One of `PEERS`.
        rows: Names of rows.
        forms: Some of `FORMS`.
        at_once: How many cases are asked at a time. Most of their time is spent waiting.

    Returns:
        The number of cases, of each of `KINDS`, and what is neither right nor typed.
    """
    cases = list_cases(rows, tuple(forms))
    server = WireServer({case.row for case in cases})
    with server.run() as urls, ThreadPoolExecutor(at_once) as pool:
        results = list(pool.map(lambda case: run_case(peer, server, urls[case.row], case), cases))
    counts = Counter(kind for kind, _ in results)
    examples = [
        f"{case.row}, {case.form}, {case.way}: {kind}: {said}"
        for case, (kind, said) in zip(cases, results, strict=True)
        if kind not in {"right", "typed"}
    ]
    return {
        "peer": peer,
        "rows": len({case.row for case in cases}),
        "cases": len(cases),
        **{kind: counts[kind] for kind in KINDS},
        "examples": examples,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, default=PEERS[0])
    parser.add_argument("--rows", nargs="*", help="beginnings of names; all without")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=FORMS)
    parser.add_argument("--at-once", type=int, default=24)
    options = parser.parse_args()
    chosen = [name for name in ROWS if not options.rows or name.startswith(tuple(options.rows))]
    outcomes = count_outcomes(options.peer, chosen, forms=options.forms, at_once=options.at_once)
    print(json.dumps(outcomes))
