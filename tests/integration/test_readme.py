"""Every Python snippet of the README runs, in order, as a reader would type it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from langchain_asi_one.testing import LocalASIOne

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^## ([^\n]+)$|^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _snippets() -> list[tuple[str, str]]:
    section, found = "", []
    for heading, code in _BLOCK.findall(README):
        section = heading or section
        if code:
            found.append((section, code))
    return found


def test_snippets_run(
    server: LocalASIOne, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_readme_0123456789")
    namespace: dict[str, Any] = {}
    printed: dict[str, str] = {}
    for section, code in _snippets():
        exec(compile(code, f"README.md, {section}", "exec"), namespace)  # noqa: S102
        printed[section] = printed.get(section, "") + capsys.readouterr().out

    assert "Stand-in Weather" in printed["First call"]
    assert "A stand-in has no model" in printed["Streaming the thought"]
    assert printed["Tools"] == "get_temperature {'city': 'Paris'}\n"
    assert isinstance(namespace["city"], namespace["City"])
    assert namespace["first"].response_metadata["session_id"] == "chat-42"
    assert "Ada" in namespace["second"].content
    assert "agent Stand-in Weather agent1" in printed["What comes back"]
    routes = printed["Route to agents"]
    assert "'result': 'Stand-in Weather was asked.'" in routes
    assert "Flights" not in routes
    assert "executable_data -.-> ask_agent" in routes.replace("&nbsp;", "")
    deferred, in_a_graph = printed["Wait for an agent's answer"].splitlines()
    assert "sent the message" not in deferred + in_a_graph
    assert "429" in printed["Testing without a key"]


def test_sections_that_a_reader_needs_are_there() -> None:
    headings = set(re.findall(r"^## (.+)$", README, re.MULTILINE))
    assert headings >= {
        "First call",
        "Streaming the thought",
        "Tools",
        "Structured output",
        "Sessions",
        "What comes back",
        "Route to agents",
        "Wait for an agent's answer",
        "Errors",
        "Testing without a key",
    }


def test_setup_is_two_commands_at_the_top() -> None:
    first_block = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first_block is not None
    assert [line.split("#")[0].strip() for line in first_block.group(1).splitlines()] == [
        "make demo",
        "make test",
    ]
