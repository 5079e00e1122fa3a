"""The notebooks run as a reader runs them, in a kernel of their own, against the stand-in."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from langchain_asi_one.testing import LocalASIOne

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
FIRST_STEPS = NOTEBOOKS / "first_steps.ipynb"


def read(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert isinstance(notebook, nbformat.NotebookNode)
    return notebook


def run(path: Path) -> list[str]:
    """Run a notebook with warnings as errors; what its code cells put out, one text each."""
    notebook = read(path)
    strict = "import warnings; warnings.simplefilter('error')"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(strict))  # type: ignore[no-untyped-call]
    client = NotebookClient(
        notebook,
        timeout=60,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": str(NOTEBOOKS.parent)})
    outputs = [cell.outputs for cell in notebook.cells[1:] if cell.cell_type == "code"]
    assert [o for cell in outputs for o in cell if o.get("name") == "stderr"] == []
    return ["".join(o.get("text") or o.data["text/plain"] for o in cell) for cell in outputs]


@pytest.fixture(scope="module")
def outputs() -> list[str]:
    return run(FIRST_STEPS)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_no_outputs_are_committed(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.outputs, cell.execution_count) for cell in code] == [([], None)] * len(code)


def test_every_notebook_is_run_here() -> None:
    assert list(NOTEBOOKS.glob("*.ipynb")) == [FIRST_STEPS]


def test_it_says_whom_it_asks(outputs: list[str]) -> None:
    assert outputs[0].startswith("Asking the local stand-in at http://127.0.0.1:")


def test_what_it_shows(outputs: list[str]) -> None:
    _, first, streamed, tools, structured, sessions, graph, _ = outputs
    assert first.startswith("Thought\n  The user said 'Which city is the capital of France?'.")
    assert "\nAnswer\n  [local stand-in] You said:" in first
    assert streamed.startswith("\nThought: The user said 'Name a river in Spain.'.")
    assert '\nAnswer: [local stand-in] You said: "Name a river in Spain."' in streamed
    assert "\nTokens: {'input_tokens': " in streamed
    assert "asked for: temperature {'city': 'Paris'}" in tools
    assert "19 °C" in tools.partition("answer:")[2]
    assert structured.startswith("Trip(destination=")
    assert "days=3" in structured
    assert "My name is Ada." in sessions
    assert sessions.endswith("same session: True\n")
    assert "\nAgents named\n  Stand-in Weather\n    handle   @stand-in-weather\n" in graph
    assert graph.endswith("\nmay be asked: ['Stand-in Weather']\n")


def test_with_a_key_it_asks_the_api(server: LocalASIOne, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    monkeypatch.setenv("ASI_ONE_API_KEY", "sk_test_0123456789abcdef")
    assert run(FIRST_STEPS)[0] == f"Asking the live API at {server.base_url}\n"
    assert len(server.requests) == 8
