"""ASI:One from LangChain.js, as the guide writes it."""

from __future__ import annotations

import re
from pathlib import Path

from langchain_asi_one.testing import LocalASIOne
from tests.recipes.conftest import Project

PACKAGES = Path(__file__).parent / "javascript" / "node_modules"


def test_langchain_js(project: Project, server: LocalASIOne) -> None:
    (project.folder / "node_modules").symlink_to(PACKAGES)
    text, thought = project.run("node", "langchain_js.mjs").splitlines()
    assert 'You said: "Which agent knows the weather in Paris?"' in text
    assert thought.endswith("A stand-in has no model, so a fixed rule answers.")
    [request] = server.requests
    assert request.body["model"] == "asi1"
    assert re.fullmatch(r"[0-9a-f-]{36}", request.session_id or "")
