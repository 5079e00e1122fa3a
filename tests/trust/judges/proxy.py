"""Meet the faults of the wire behind LiteLLM's proxy, and ask many questions through it at once.

`LITELLM=path python -m tests.trust.judges.proxy --route own` prints one line of JSON. The proxy
makes another answer of some faults. So each fault is first fetched by a plain request. What that
brings is what a model must make of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import openai

from langchain_asi_one import ChatASIOne
from tests.support.service import serving
from tests.support.ways import FOUR_WAYS, WAYS
from tests.trust.soak import PEERS, Soak, make_model, start_server
from tests.trust.wire_server import ROWS, Row, WireServer

ROUTES: Final = {"own": "/v1", "through": "/echo/v1"}
"""LiteLLM reads requests and answers, and writes its own; or it passes them on as they are."""

KINDS: Final = ("right", "typed", "accepted", "wrong", "raw", "late")
MIXED: Final = ("asked", "right", "typed", "lost", "mixed", "doubled", "raw", "hung")
_TOO_BIG: Final = ("F27 ", "F28 ", "F29 ", "F31 ", "N4 ", "N13 ", "N17 ", "N18 ", "N26 ")
"""Big rows: with them on their way, LiteLLM's one event loop answered nobody else."""

_FIRST: Final = {name.partition(" ")[0]: name for name in reversed(ROWS)}.values()
FAULTS: Final = [name for name in ROWS if name in _FIRST and not name.startswith(_TOO_BIG)]
"""The first row of each number."""

_PATIENCE: Final = 60.0  # seconds: a safety net
_LATE: Final = 15.0  # seconds: a limit of 3 s, or a deadline of 8 s, and the proxy
_AT_ONCE: Final = 12
_QUESTIONS: Final = 160
Told = dict[tuple[str, str], str | None]
"""What the proxy made of a fault, by its name and `invoke` or `stream`: a text, or no answer."""


@contextmanager
def run_proxy(wire: dict[str, str], echo: str) -> Iterator[str]:
    """Run LiteLLM's proxy between the clients and the servers, and give its address."""
    targets = {f"/wire/{FAULTS.index(row)}": url for row, url in wire.items()} | {"/echo": echo}
    routes = [
        {"path": path, "target": target, "include_subpath": True, "forward_headers": True}
        for path, target in targets.items()
    ]
    asi_one = {"model": "openai/asi1", "api_base": f"{echo}/v1", "api_key": "any"}
    settings = {
        "model_list": [{"model_name": "asi1", "litellm_params": asi_one}],
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {
            "allow_client_side_credentials": True,  # a request names the address of its fault
            "forward_client_headers_to_llm_api": True,
            "pass_through_endpoints": routes,
        },
    }
    alone = {
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # no list is fetched
        "PYTHONPATH": "",
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "litellm.yaml"
        path.write_text(json.dumps(settings), encoding="utf-8")  # which is YAML
        command = [os.environ["LITELLM"], "--config", str(path), "--host", "127.0.0.1"]
        command += ["--telemetry", "False", "--port"]
        with (
            (Path(folder) / "log").open("w", encoding="utf-8") as log,
            serving(
                lambda port: subprocess.Popen(
                    [*command, port],
                    stdout=log,
                    stderr=log,
                    text=True,
                    cwd=folder,
                    env={**os.environ, **alone},
                ),
                "/health/liveliness",
            ) as url,
        ):
            yield url


def read_answer(body: str, *, streamed: bool) -> str | None:
    """Return the text of a whole answer, as anyone reads it; None if it is none."""
    try:
        if not streamed:
            choice = json.loads(body)["choices"][0]
            return choice["message"]["content"] or ""
        lines = [line.removeprefix("data: ") for line in body.splitlines() if line.strip()]
        events = [json.loads(line) for line in lines if line[0] == "{"]
        choices = [choice for one in events for choice in one["choices"]]
        assert any(choice.get("finish_reason") for choice in choices)
        return "".join((choice["delta"] or {}).get("content") or "" for choice in choices)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return None


def fetch_answer(url: str, added: dict[str, Any], *, streamed: bool) -> str | None:
    """Ask by a plain request, without a model, and read the answer."""
    message = {"role": "user", "content": "the prompt"}
    body = {"model": "asi1", "messages": [message], "stream": streamed, **added}
    try:
        response = httpx.post(f"{url}/chat/completions", json=body, timeout=_PATIENCE)
    except httpx.HTTPError:
        return None
    text = response.content.decode("utf-8", "replace")
    return read_answer(text, streamed=streamed) if response.status_code == 200 else None


def judge(row: Row, way: str, told: str | None, outcome: Any, seconds: float) -> str:
    """Name the kind of outcome, one of `KINDS`.

    Args:
        row: What the server did.
        way: How it was asked.
        told: The answer that the proxy made of it, if one.
        outcome: A text, or the error that came.
        seconds: How long it took.
    """
    answers = row.stream if "stream" in way else row.whole
    failed = isinstance(outcome, Exception)
    if failed and not isinstance(outcome, openai.APIError):
        return "raw"
    if row.waits and seconds > _LATE:
        return "late"
    if failed:
        return "wrong" if answers and told is not None else "typed"
    if outcome == told or (answers and outcome == row.text):
        return "right"
    return "accepted" if told is None else "wrong"


def ask(peer: str, url: str, row: Row, way: str, added: dict[str, Any]) -> Any:
    """Ask once, without retries; return the text, or the error that came."""
    model = make_model(peer, url, 3 if row.waits else _PATIENCE, retries=0)
    if row.waits and isinstance(model, ChatASIOne):
        model.deadline = 8.0  # ChatOpenAI has none
    options = {"extra_body": added} if added else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return WAYS[way](model, "the prompt", **options).text
    except Exception as error:  # noqa: BLE001 - whatever comes is what is judged
        return error.with_traceback(None)


@dataclass(frozen=True)
class Route:
    """One of `ROUTES`, from the proxy to a `WireServer`."""

    name: str
    proxy: str
    wire: dict[str, str]

    def reach(self, row: str, cell: str) -> tuple[str, dict[str, Any]]:
        """Return the address of a fault, and what a request adds."""
        number = FAULTS.index(row)
        place = f"{number}-{cell}/v1"
        if self.name == "through":
            return f"{self.proxy}/wire/{number}/{place}", {}
        return f"{self.proxy}/v1", {"api_base": f"{self.wire[row]}/{place}", "api_key": "any"}

    def fetch(self, case: tuple[str, str]) -> str | None:
        """Return what a plain request brings."""
        row, way = case
        if ROWS[row].waits:
            return None
        return fetch_answer(*self.reach(row, way), streamed=way == "stream")

    def meet(self, peer: str, told: Told, case: tuple[str, str]) -> tuple[str, str]:
        """Ask a model, and return the kind of outcome and what came."""
        row, way = case
        begun = time.monotonic()
        url, added = self.reach(row, f"{peer}-{way}")
        outcome = ask(peer, url, ROWS[row], way, added)
        seconds = time.monotonic() - begun
        answer = told[row, way.removeprefix("a")]
        kind = judge(ROWS[row], way, answer, outcome, seconds)
        return kind, f"{row}, {way}: {kind}: {outcome!r:.150}, told {answer!r:.50}, {seconds:.0f} s"


def count_faults(route: Route) -> list[dict[str, Any]]:
    """Ask in four ways for each fault.

    Args:
        route: The way to the faults.

    Returns:
        Of each peer: the number of cases, of each of `KINDS`, what is neither right nor typed, and
        the faults of which the proxy made an answer.
    """
    plain = [(row, way) for row in FAULTS for way in ("invoke", "stream")]
    cases = [(row, way) for row in FAULTS for way in FOUR_WAYS]
    figures = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = dict(zip(plain, pool.map(route.fetch, plain), strict=True))
        hidden = [
            f"{row}, {way}: {answer!r:.40}"
            for (row, way), answer in told.items()
            if answer is not None and not (ROWS[row].stream if way == "stream" else ROWS[row].whole)
        ]
        for peer in PEERS:
            results = [*pool.map(partial(route.meet, peer, told), cases)]
            counts = Counter(kind for kind, _ in results)
            figures.append(
                {
                    "peer": peer,
                    "route": route.name,
                    "cases": len(cases),
                    **{kind: counts[kind] for kind in KINDS},
                    "hidden": hidden,
                    "examples": [said for kind, said in results if kind not in {"right", "typed"}],
                }
            )
    return figures


def count_mixed(peer: str, route: str, url: str) -> dict[str, Any]:
    """Ask many questions at once, one in twenty with a fault; see `Soak`."""
    soak = Soak(peer, url, _QUESTIONS, seed=0)
    soak.model = make_model(peer, url, _PATIENCE)
    outcomes = soak.run()
    outcomes["typed"] += outcomes["typed without a fault"]
    return {"peer": peer, "route": route, **{kind: outcomes[kind] for kind in (*MIXED, "examples")}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--route", choices=ROUTES, default="own")
    route = parser.parse_args().route
    echo, port = start_server()
    try:
        server = WireServer(FAULTS)
        with server.run() as wire, run_proxy(wire, f"http://127.0.0.1:{port}") as proxy:
            faults = count_faults(Route(route, proxy, wire))
            mixed = [count_mixed(peer, route, f"{proxy}{ROUTES[route]}") for peer in PEERS]
    finally:
        echo.kill()
        echo.wait()
    print(json.dumps({"faults": faults, "mixed": mixed}), flush=True)
    os._exit(0)  # what hangs is counted, not waited for


if __name__ == "__main__":
    main()
