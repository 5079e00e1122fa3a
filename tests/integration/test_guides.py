"""Every Python snippet of the README and the guides runs, in order, as a reader would type it.

Programs that need further packages run in tests/recipes, the JavaScript client of a served graph in
langgraph/test_example.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx
import pytest

from langchain_asi_one.testing import LocalASIOne, fault
from tests.support.other_process import OtherProcess
from tests.support.patience import PATIENCE
from tests.support.service import serving
from tests.support.snippets import ROOT, read_snippets, write_programs

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES: Final = ["README.md", *sorted(f"docs/guides/{p.name}" for p in ROOT.glob("docs/guides/*"))]
KEY: Final = "sk_guides_0123456789"
# What a reader sees printed; a page that prints nothing of its own is not here.
PRINTED: Final = {
    "README.md": (
        "A stand-in has no model, so a fixed rule answers.\n\nAnswer:\n[local stand-in]",
        "'name': 'get_temperature', 'args': {'city': 'Paris'}",
        "knows the weather in Paris?\": 18 °C and light rain.'",
        "It rains, says the agent.",
        "429",
    ),
    "docs/guides/getting-started.md": ("Which agent", "Hello!", "Goodbye!"),
    "docs/guides/streaming.md": (
        "A stand-in has no model, so a fixed rule answers.\n\nAnswer:\n[local stand-in]",
        "total_tokens",
    ),
    "docs/guides/tools.md": (
        "get_temperature {'city': 'Paris'}",
        "21.5",
        "attached it for the user. image/png",
        "name=",
    ),
    "docs/guides/answers.md": ("thought = The user said", "agent Stand-in Weather agent1"),
    "docs/guides/sessions.md": ("Ada", "chat-42"),
    "docs/guides/agents.md": ("was asked: Which agent knows the weather?", "Ask the agent"),
    "docs/guides/asking.md": (
        " Weather active\nLocal agent, behaviour function.\n",
        "It rains.\nagent1q",
        "'inbox': 'mailbox'",
        "directly, the answer came by mailbox",
        "acknowledged:",
    ),
    "docs/guides/follow-up.md": ("[local stand-in]",),
    "docs/guides/display.md": ("Agents named",),
    "docs/guides/testing.md": ("[local stand-in]", "Paris.", "429", "Booked: Which agent books"),
    "docs/guides/recipes.md": ("['human', 'ai', 'tool', 'ai']",),
    "docs/guides/scale.md": ("0 failed",),
}


@pytest.mark.parametrize("page", PAGES)
def test_snippets_run(
    page: str,
    server: LocalASIOne,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    monkeypatch.setenv("ASI_ONE_API_KEY", KEY)
    namespace: dict[str, Any] = {}
    printed = ""
    for code in read_snippets(page):
        exec(compile(code, page, "exec"), namespace)  # noqa: S102
        output = capsys.readouterr().out
        assert "sent the message" not in output
        printed += output
    assert [words for words in PRINTED.get(page, ()) if words not in printed] == [], printed


def test_every_guide_is_in_the_site_and_in_the_readme() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert f"\n{page.removeprefix('docs/').removesuffix('.md')}\n" in index
        assert f"({page})" in README


def test_setup_is_two_commands_at_the_top() -> None:
    first_block = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first_block is not None
    assert [line.split("#")[0].strip() for line in first_block.group(1).splitlines()] == [
        "make demo",
        "make test",
    ]


def test_the_readme_can_be_read_in_a_few_minutes() -> None:
    assert len(README.split()) <= 900


@pytest.fixture
def environment(server: LocalASIOne) -> dict[str, str]:
    """The variables that a program runs with."""
    ours = {"ASI_ONE_BASE_URL": server.base_url, "ASI_ONE_API_KEY": KEY, "PYTHONPATH": str(ROOT)}
    return {**os.environ, **ours}


def run(program: str, folder: Path, environment: dict[str, str]) -> str:
    done = OtherProcess(program, environ=environment, folder=folder).finish()
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.no_cover
def test_another_model_when_the_first_fails(
    environment: dict[str, str], server: LocalASIOne, tmp_path: Path
) -> None:
    write_programs("docs/guides/recipes.md", tmp_path)
    server.enqueue(fault("http_500"))
    assert "Hello!" in run("fallback.py", tmp_path, environment)
    assert [one.body["model"] for one in server.requests] == ["asi1-ultra", "asi1-mini"]


@pytest.mark.no_cover
def test_a_traced_program(environment: dict[str, str], tmp_path: Path) -> None:
    """A receiver of traces gets all but the key."""
    received = bytearray()

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply()

        def do_POST(self) -> None:
            received.extend(self.rfile.read(int(self.headers["content-length"])))
            self.reply()

        def reply(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    write_programs("docs/guides/recipes.md", tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        Thread(target=receiver.serve_forever, daemon=True).start()
        environment |= {
            "LANGSMITH_TRACING": "true",
            "LANGSMITH_API_KEY": "lsv2_0123456789",
            "LANGSMITH_DISABLE_RUN_COMPRESSION": "true",
            "LANGSMITH_ENDPOINT": f"http://127.0.0.1:{receiver.server_port}",
        }
        assert "Hello!" in run("traced.py", tmp_path, environment)
        receiver.shutdown()
    for told in (b"greeting", b"guide", b"Hello!", b"asi1", b"total_tokens"):
        assert told in received
    assert KEY.encode() not in received


@pytest.mark.no_cover
def test_a_thread_goes_on_in_another_process(
    environment: dict[str, str], server: LocalASIOne, postgres_database: str, tmp_path: Path
) -> None:
    write_programs("docs/guides/scale.md", tmp_path)
    environment["DATABASE_URL"] = postgres_database
    assert run("make_tables.py", tmp_path, environment) == ""
    path = "/threads/7c9e6679-7425-40de-944b-e07fc1f90ae7"

    def ask(address: str, text: str) -> list[str]:
        answer = httpx.post(address + path, json=text, timeout=PATIENCE).raise_for_status()
        texts: list[str] = answer.json()
        return texts

    def start(port: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "service:app", "--port", port],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    with serving(start) as one, serving(start) as other:
        told = ask(one, "My name is Ada.")
        told_by_other = ask(other, "What did I say?")
        assert ask(one, "And now?")[:4] == told_by_other
    assert told_by_other[:2] == told
    assert 'Earlier in this session you said: "My name is Ada."' in told_by_other[3]
    first, second, third = server.requests
    assert first.session_id == second.session_id == third.session_id
    assert [len(one.body["messages"]) for one in server.requests] == [1, 3, 5]
