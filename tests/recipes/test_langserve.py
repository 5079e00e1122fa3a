"""The model behind LangServe, asked by its own client over sockets."""

from __future__ import annotations

import pytest

from langchain_asi_one.testing import LocalASIOne, fault
from tests.recipes.conftest import Project
from tests.support.service import serving


def test_thought_agents_and_session_pass_through(project: Project, server: LocalASIOne) -> None:
    with serving(
        lambda port: project.start("python", "-m", "uvicorn", "serve_model:app", "--port", port),
        "/openapi.json",
    ) as address:
        program = project.folder / "ask_served.py"
        program.write_text(program.read_text().replace("http://127.0.0.1:8000", address))
        *told, searched = project.run("python", "ask_served.py").splitlines()
        server.enqueue(fault("http_401"))
        with pytest.raises(AssertionError, match="HTTPStatusError"):
            project.run("python", "ask_served.py")
    assert "A stand-in has no model, so a fixed rule answers.[local stand-in] You said" in told[-1]
    assert "'tool_name': 'web_search'" in searched
    first, second, failed = server.requests
    assert first.session_id == second.session_id == failed.session_id != "chat-42"
    assert second.body["web_search"] is True
