"""Count how each fault of the stand-in ends, in four ways to ask, for a peer.

`python -m tests.trust.faults --peer ChatOpenAI` prints one line of JSON. What must come for each
fault of the stand-in is the table in `tests/integration/transport/test_faults.py`. A text counts as
accepted if that table wants an error.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from typing import Any, Final

import openai

from langchain_asi_one.testing import fault, local_asi_one
from langchain_asi_one.testing._faults import list_faults
from tests.integration.transport.test_faults import OK, TABLE
from tests.support.ways import FOUR_WAYS, ask
from tests.trust.soak import PEERS, make_model

_LATE: Final = 15.0  # seconds: three tries of 1.5 s, what they wait, and room


def must_fail(name: str, way: str) -> bool:
    """Say whether the table wants an error."""
    wanted = TABLE[name]
    if isinstance(wanted, tuple):
        wanted = wanted["stream" in way]
    return wanted.error is not OK.error


def judge(peer: str, name: str, way: str) -> str:
    """Ask once while a fault lasts, and name the kind of outcome."""
    with local_asi_one() as server:
        for _ in range(4):
            server.enqueue(fault(name))
        model = make_model(peer, server.base_url)
        started = time.monotonic()
        try:
            ask(way, model)
        except openai.APIError:
            kind = "typed"
        except Exception:  # noqa: BLE001 - that is what is counted
            kind = "raw"
        else:
            kind = "accepted" if must_fail(name, way) else "right"
        return "late" if time.monotonic() - started > _LATE else kind


def count_outcomes(peer: str) -> dict[str, Any]:
    """Ask in each way for each fault.

    Args:
        peer: One of `PEERS`.

    Returns:
        The number of each kind: right, typed, accepted, raw, late; and the cases of the last three.
    """
    counts: Counter[str] = Counter()
    examples = []
    for name in list_faults():
        for way in FOUR_WAYS:
            kind = judge(peer, name, way)
            counts[kind] += 1
            if kind not in {"right", "typed"}:
                examples.append(f"{name}, {way}: {kind}")
    return {"peer": peer, "cases": counts.total(), **counts, "examples": examples}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=PEERS, default=PEERS[0])
    print(json.dumps(count_outcomes(parser.parse_args().peer)))
