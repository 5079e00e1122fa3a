"""What `python -m langchain_asi_one` shows: untrusted text, and the coloured form on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from dataclasses import dataclass
from threading import Timer
from typing import Any

import pytest

from langchain_asi_one.testing import LocalASIOne, answer, stream
from tests.support.command import COMMAND, environment, pieces, run, run_on_terminal
from tests.support.model import API_KEY
from tests.support.patience import PATIENCE

QUESTION = "Which bad agent can tell me the weather in Paris?"
SESSION = "4f3c2b1a-0d9e-4c8b-9a7f-6e5d4c3b2a10"
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u200b\U000e0041\x9b31m\rover [bold red]:bug:"
TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"}
HARMLESS = r"\x1b[2J\x1b]0;owned\x07\u202egnp.exe\U000e0041\x9b31mover [bold red]:bug:"


@pytest.fixture
def live(server: LocalASIOne) -> dict[str, str]:
    """The environment of a user whose API is at the stand-in's address."""
    return {"ASI_ONE_BASE_URL": server.base_url, "ASI_ONE_API_KEY": API_KEY}


def hostile_body() -> dict[str, Any]:
    message = {"role": "assistant", "content": HOSTILE, "reasoning_content": HOSTILE}
    return {
        "id": "1",
        "model": HOSTILE,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "intermediate_steps": [{HOSTILE: HOSTILE}],
        "executable_data": [{"name": HOSTILE, "handle": HOSTILE, "description": HOSTILE}],
    }


def test_untrusted_text_does_nothing(server: LocalASIOne, live: dict[str, str]) -> None:
    server.enqueue(answer(hostile_body()), answer(hostile_body()))
    finished = run("Hello", **live)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert [c for c in finished.stdout if c != "\n" and not c.isprintable()] == []
    assert finished.stdout.count(HARMLESS) == 7
    printed = run("Hello", "--json", **live)
    assert json.loads(printed.stdout)["answer"] == HOSTILE
    assert printed.stdout.isascii()
    assert [c for c in printed.stdout if c != "\n" and not c.isprintable()] == []


def test_untrusted_text_of_an_error_does_nothing(server: LocalASIOne, live: dict[str, str]) -> None:
    server.enqueue(stream([{"error": {"message": HOSTILE, "code": 400}}]))
    finished = run("Hello", **live)
    assert finished.returncode == 1
    assert r"\x1b[2J" in finished.stderr
    assert [c for c in finished.stderr if c != "\n" and not c.isprintable()] == []


def test_an_output_without_unicode_gets_escapes(server: LocalASIOne, live: dict[str, str]) -> None:
    body = hostile_body()
    body["choices"][0]["message"] = {"role": "assistant", "content": "Ünï 東"}
    server.enqueue(answer(body))
    finished = run("Hello", **live, PYTHONIOENCODING="ascii")
    assert finished.returncode == 0
    assert r"\xdcn\xef \u6771" in finished.stdout


@dataclass
class Shown:
    status: int
    raw: str

    @property
    def text(self) -> str:
        """What a person reads: without styles and without the rules beside titles."""
        return re.sub(r" ─+(?=\n)", "", re.sub(r"\x1b\[[\d;]*m", "", self.raw))


def shown(status: int, received: bytes) -> Shown:
    return Shown(status, received.decode().replace("\r\n", "\n"))


def on_terminal(*arguments: str, **added: str) -> Shown:
    return shown(*run_on_terminal(*arguments, **{**TERMINAL, **added}))


def process_on_terminal(*arguments: str, **added: str) -> Shown:
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.STDOUT,
        env=environment({**TERMINAL, **added}),
    )
    os.close(terminal)
    guard = Timer(PATIENCE, process.kill)
    guard.start()
    try:
        received = b"".join(pieces(controller))
        status = process.wait(PATIENCE)
    finally:
        guard.cancel()
        process.kill()
        process.wait()
        os.close(controller)
    return shown(status, received)


@pytest.mark.no_cover
def test_both_forms_tell_the_same(server: LocalASIOne, live: dict[str, str]) -> None:
    arguments = (QUESTION, "--session", SESSION)
    plain = run(*arguments, **live).stdout
    for width, start in ((60, on_terminal), (80, process_on_terminal), (120, on_terminal)):
        server.clear()
        coloured = start(*arguments, COLUMNS=str(width), **live)
        assert coloured.status == 0
        assert "\x1b[1;36m" in coloured.raw
        assert coloured.text.split() == plain.split()
        longest = max(len(line) for line in coloured.text.splitlines() if "agent1q" not in line)
        assert min(width, 100) - 20 < longest <= min(width, 100)


def test_no_color_and_a_terminal_that_can_do_nothing(live: dict[str, str]) -> None:
    without_colour = on_terminal("Hello", NO_COLOR="1", **live)
    assert without_colour.status == 0
    assert re.findall(r"\x1b\[[\d;]*3\d", without_colour.raw) == []
    dumb = on_terminal("Hello", TERM="dumb", **live)
    assert dumb.status == 0
    assert "\x1b" not in dumb.raw
    assert "Thought\n  The user said" in dumb.raw


def test_untrusted_text_does_nothing_on_a_terminal(
    server: LocalASIOne, live: dict[str, str]
) -> None:
    server.enqueue(answer(hostile_body()))
    shown = on_terminal("Hello", **live)
    assert shown.status == 0
    assert [c for c in shown.text if c != "\n" and not c.isprintable()] == []
    assert " ".join(shown.text.split()).count(HARMLESS) == 7
