"""The notebooks run as a reader runs them, from a clean kernel, and put out what is committed."""

from __future__ import annotations

import ast
import base64
import re
import struct
from copy import deepcopy
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from typing_extensions import override

from langchain_asi_one.testing import LocalASIOne
from notebooks import outputs
from tests.support.model import API_KEY

ROOT: Final = Path(__file__).parents[2]
PATHS: Final = outputs.paths()
NAMES: Final = [path.stem for path in PATHS]
WRITERS: Final = (
    "langchain-core",
    "langchain-openai",
    "langgraph",
    "matplotlib",
    "openai",
    "pandas",
    "pydantic",
    "tqdm",
)
"""Packages whose words are in the outputs: other versions than those locked may choose others."""

each = pytest.mark.parametrize("path", PATHS, ids=NAMES)


class Elements(HTMLParser):
    """Collects the elements of an output, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def texts(notebook: nbformat.NotebookNode, cell: str) -> str:
    """All that a cell has put out, as text."""
    [found] = [one for one in notebook.cells if one.id == cell]
    made = []
    for output in found.outputs:
        data = output.get("data", {})
        made.append(output.get("text") or data.get("text/markdown") or data.get("text/plain", ""))
    return "\n".join(made)


def committed(name: str) -> nbformat.NotebookNode:
    return outputs.read(outputs.FOLDER / f"{name}.ipynb")


def errors_of(notebook: nbformat.NotebookNode) -> list[Any]:
    """What went to standard error, and failures to draw, which do not end the run."""
    found = [output for cell in outputs.code_cells(notebook) for output in cell.outputs]
    return [one for one in found if one.get("name") == "stderr" or one.output_type == "error"]


def locked_versions() -> dict[str, str]:
    lock = (ROOT / "requirements" / "dev.txt").read_text()
    return dict(re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", lock))


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave out startup files, kernels and styles of one's own; a home may not be there at all."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path))


def test_there_are_these() -> None:
    assert NAMES == [
        "01_first_answer",
        "02_tools_and_structured_output",
        "03_route_to_agents",
        "04_wait_for_agents",
        "05_experiments",
        "06_ask_agents",
    ]


@pytest.mark.no_cover
@each
def test_it_runs_and_says_what_is_committed(path: Path) -> None:
    notebook = outputs.read(path)
    ran = outputs.run(notebook)
    assert errors_of(outputs.normalised(ran)) == []
    locked = locked_versions()
    others = [name for name in WRITERS if version(name) != locked[name]]
    if not others:
        told, written = outputs.comparable(ran), outputs.comparable(notebook)
        assert told == written, f"{path.name} puts out something else now: run `make notebooks`"


def test_what_they_show() -> None:
    compared = texts(committed("01_first_answer"), "lost")
    for field in ("thought", "steps", "agents", "plan", "metadata"):
        assert f"| {field} | kept | **lost** |" in compared
    routed = committed("03_route_to_agents")
    assert "! ConnectionError: the agent is down for maintenance" in texts(routed, "fan")
    assert texts(routed, "review").count("… pending: it may be asked") == 2
    waited = committed("04_wait_for_agents")
    assert "the process ended with -9" in texts(waited, "kill")
    asked = re.findall("sent: (.+)", texts(waited, "resume"))
    assert [text.partition(" for")[0] for text in asked] == [
        "Ask the restaurant agent",
        "Any update?",
        "Any update?",
    ]
    experiment = committed("05_experiments")
    assert "120 rows, 3 of them errors" in texts(experiment, "first")
    assert "| 83/83 " in texts(experiment, "second")
    assert "ASIOneBadRequestError" in texts(experiment, "errors")
    answered = committed("06_ask_agents")
    assert "AgentRefusedError\n" in texts(answered, "fail")
    for cell in ("ask", "graph", "both", "answer"):
        [signer] = re.findall(r"signed by  (agent1\w+)\n", texts(answered, cell))
        assert f"agent         {signer}\n" in texts(answered, "facts")
    assert "! failed: it was asked, and gave no answer" in texts(answered, "both")
    assert "ask_agent > send\nask_agent > collect\nask_agent > clear\n" in texts(
        answered, "durable"
    )


@pytest.mark.no_cover
def test_with_a_key_they_ask_the_api() -> None:
    notebook = committed("01_first_answer")
    del notebook.cells[next(n for n, cell in enumerate(notebook.cells) if cell.id == "stream") :]
    with LocalASIOne(api_key=API_KEY) as server:
        environment = {"ASI_ONE_BASE_URL": server.base_url, "ASI_ONE_API_KEY": API_KEY}
        ran = outputs.run(notebook, environment)
        assert len(server.requests) == 1
        assert texts(ran, "setup") == f"Asking {server.base_url}\n"
    assert API_KEY not in nbformat.writes(ran)  # type: ignore[no-untyped-call]


@each
def test_it_starts_with_one_set_up_cell_that_needs_no_key(path: Path) -> None:
    notebook = outputs.read(path)
    first, second = notebook.cells[:2]
    assert (first.cell_type, second.cell_type, second.id) == ("markdown", "code", "setup")
    assert "**local stand-in**" in first.source
    assert "set `ASI_ONE_API_KEY`" in first.source
    assert texts(notebook, "setup").startswith(
        "ASI_ONE_API_KEY is not set: asking the local stand-in at http://127.0.0.1:PORT/v1"
    )
    assert 'if os.environ.get("ASI_ONE_API_KEY"):\n    server, ' in second.source
    assert all('ASI_ONE_API_KEY")' not in cell.source for cell in notebook.cells[2:])


@each
def test_nothing_that_changes_is_committed(path: Path) -> None:
    notebook = outputs.read(path)
    assert outputs.normalised(notebook) == notebook
    text = path.read_text(encoding="utf-8")
    assert len(text) < 600_000
    for place in (str(Path.home()), str(ROOT), "/tmp/", "site-packages"):  # noqa: S108 - a needle
        assert place not in text


@each
def test_outputs_hold_no_script_and_nothing_from_elsewhere(path: Path) -> None:
    kinds = set()
    for cell in outputs.code_cells(outputs.read(path)):
        for output in cell.outputs:
            kinds |= set(output.get("data", {}))
            html = output.get("data", {}).get("text/html", "")
            assert "url(" not in html
            assert "@import" not in html
            for tag, attributes in Elements(html).found:
                assert tag not in ("script", "iframe", "object", "embed", "img", "link", "base")
                assert [name for name in attributes if name.startswith("on")] == []
                assert {"src", "srcset", "action"}.isdisjoint(attributes)
    allowed = {"text/plain", "text/html", "text/markdown", "text/vnd.mermaid", "image/png"}
    assert kinds <= allowed


@each
def test_links_lead_to_notebooks_that_exist(path: Path) -> None:
    told = "\n".join(cell.source for cell in outputs.read(path).cells if cell.id != "setup")
    for target in re.findall(r"\]\(([^)]+)\)", told):
        assert (outputs.FOLDER / target).is_file(), target


@each
def test_cells_are_short_enough_to_read(path: Path) -> None:
    for cell in outputs.read(path).cells:
        assert len(cell.source.splitlines()) <= 45, cell.id
        if cell.cell_type == "code" and not cell.source.startswith("%"):
            ast.parse(cell.source)


def drifted(path: Path, change: Any) -> bool:
    notebook = outputs.read(path)
    other = deepcopy(notebook)
    change(other)
    assert other != notebook
    return outputs.comparable(other) != outputs.comparable(notebook)


def output_with(notebook: nbformat.NotebookNode, kind: str) -> Any:
    found = [output for cell in outputs.code_cells(notebook) for output in cell.outputs]
    return next(output for output in found if kind in output.get("data", {}) or kind in output)


def test_drift_is_noticed() -> None:
    first, last = PATHS[0], PATHS[NAMES.index("05_experiments")]  # which has a plot

    def text(notebook: nbformat.NotebookNode) -> None:
        output_with(notebook, "text").text += "!"

    def html(notebook: nbformat.NotebookNode) -> None:
        output_with(notebook, "text/html").data["text/html"] += "<p>new</p>"

    def gone(notebook: nbformat.NotebookNode) -> None:
        outputs.code_cells(notebook)[1].outputs.clear()

    def larger(notebook: nbformat.NotebookNode) -> None:
        data = output_with(notebook, "image/png").data
        image = bytearray(base64.b64decode(data["image/png"]))
        image[16:20] = struct.pack(">I", 9999)
        data["image/png"] = base64.b64encode(image).decode()

    assert [drifted(first, change) for change in (text, html, gone)] == [True] * 3
    assert drifted(last, larger)


def test_what_cannot_be_the_same_twice_is_no_drift() -> None:
    def again(notebook: nbformat.NotebookNode) -> None:
        notebook.metadata.language_info = {"name": "python", "version": "3.99.0"}
        output = output_with(notebook, "text")
        output.text = output.text.replace("127.0.0.1:PORT", "127.0.0.1:54321")
        outputs.code_cells(notebook)[0].execution_count = 7

    def slower(notebook: nbformat.NotebookNode) -> None:
        tables = [
            output.data
            for cell in outputs.code_cells(notebook)
            for output in cell.outputs
            if " latency" in output.get("data", {}).get("text/plain", "")
        ]
        for table in tables:
            table["text/plain"] = table["text/plain"].replace(" latency", "   latency")

    assert not drifted(PATHS[0], again)
    assert not drifted(PATHS[NAMES.index("05_experiments")], slower)


def test_texts_that_change_are_replaced() -> None:
    cell = nbformat.v4.new_code_cell("", id="one")  # type: ignore[no-untyped-call]
    one, two = "0b6f1f0e-1c7a-7000-8000-9f1d2c3b4a59", "1b6f1f0e-1c7a-7000-8000-9f1d2c3b4a59"
    said = (
        f"{one} {two} {one} http://127.0.0.1:40123/v1 <f at 0x7f00aa112233>   12.5 ms\n"
        "Writing /var/folders/x/asi-one-ab_12xyz/waiting.py\n"
        "100%|####| 200/200 [00:02<00:00, 91.3it/s]  \n"
    )
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=said)]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    made = outputs.normalised(notebook)
    first, second = (f"00000000-0000-4000-8000-{number:012d}" for number in (1, 2))
    assert made.cells[0].outputs[0].text == (
        f"{first} {second} {first} http://127.0.0.1:PORT/v1 <f at 0x…> … ms\n"
        "Writing FOLDER/waiting.py\n"
        "100%|####| 200/200 […]\n"
    )
    assert outputs.normalised(made) == made
