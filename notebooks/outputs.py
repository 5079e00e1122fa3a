"""Runs the notebooks and writes their outputs: `make notebooks`, or `python -m notebooks.outputs`.

What is committed is what a run without a key put out, except for what no two runs share. All of
that is replaced here and nowhere else: see `_CHANGING`, `_Identifiers` and `normalised`.
"""

from __future__ import annotations

import base64
import os
import re
import struct
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient

FOLDER: Final = Path(__file__).parent
STRICT: Final = r"""\
import warnings
warnings.simplefilter("error")
# How other packages use each other is not for a reader of the notebooks to mend.
for other in ("ipykernel", "matplotlib", "pandas", "pyparsing"):
    warnings.filterwarnings("ignore", module=other)
warnings.filterwarnings("ignore", r"\s*Pyarrow will become")  # pandas 2.2.0, on import
warnings.filterwarnings("ignore", r"'asyncio.iscoroutinefunction' is")  # langsmith, Python 3.14
"""
LONGEST: Final = 600
"""Seconds that one cell may take."""

_METADATA: Final = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_CHANGING: Final = (
    # The port that the stand-in was given.
    (re.compile(r"\b127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    # A folder of `tempfile.mkdtemp(prefix="asi-one-")`.
    (re.compile(r"[^\s\"'<>]*[/\\]asi-one-\w{8}"), "FOLDER"),
    # Where an object lies in memory.
    (re.compile(r"\b0x[0-9a-f]{6,16}\b"), "0x…"),
    # Milliseconds, and the blanks that align them in a table.
    (re.compile(r" *\b\d+(?:\.\d+)? ms\b"), " … ms"),
    # What a progress bar says of the time, and blanks over a longer text before.
    (re.compile(r"\[\d\d:\d\d<[^\]\n]*\] *"), "[…]"),
    # Said once on a machine, by the first program that draws.
    (re.compile(r"Matplotlib is building the font cache.*\n?"), ""),
)
_IDENTIFIER: Final = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_DRAWN: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"pHYs")


class _Identifiers:
    """Numbers the UUIDs of a notebook in order, so that one that comes twice is still seen to."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def replaced(self, text: str) -> str:
        return _IDENTIFIER.sub(self._numbered, text)

    def _numbered(self, found: re.Match[str]) -> str:
        number = self._numbers.setdefault(found[0], len(self._numbers) + 1)
        return f"00000000-0000-4000-8000-{number:012d}"


def paths() -> list[Path]:
    """The notebooks in the order in which they are read."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> nbformat.NotebookNode:
    """Read a notebook, and check that it is one."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    assert isinstance(notebook, nbformat.NotebookNode)  # noqa: S101 - for the type checker
    return notebook


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells that are run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(
    notebook: nbformat.NotebookNode, environment: Mapping[str, str] | None = None
) -> nbformat.NotebookNode:
    """Run a notebook in a kernel of its own, with warnings as errors.

    Args:
        notebook: It is left as it is.
        environment: Variables beside those of this process.

    Returns:
        The notebook with all that the run put out.

    Raises:
        CellExecutionError: If a cell fails.
    """
    ran = deepcopy(notebook)
    ran.cells.insert(0, nbformat.v4.new_code_cell(STRICT))  # type: ignore[no-untyped-call]
    client = NotebookClient(
        ran,
        timeout=LONGEST,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(FOLDER)}},
    )
    given = {**os.environ, "PYTHONPATH": str(FOLDER.parent), **(environment or {})}
    client.execute(env=given)
    del ran.cells[0]
    return ran


def normalised(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what changes from run to run.

    Beside the replaced texts these are the version of Python, times, and the numbers of cells that
    were run more than once; of a plot it is the text within the PNG, such as the program's version.

    Args:
        notebook: It is left as it is.
    """
    made = deepcopy(notebook)
    made.metadata = nbformat.from_dict(_METADATA)  # type: ignore[no-untyped-call]
    identifiers = _Identifiers()
    for number, cell in enumerate(code_cells(made), start=1):
        cell.metadata = nbformat.NotebookNode()  # type: ignore[no-untyped-call]
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
            if output.output_type == "stream":
                output.text = _stable(output.text, identifiers)
            for kind, data in output.get("data", {}).items():
                output.data[kind] = _stable_data(kind, data, identifiers)
        cell.outputs = [output for output in cell.outputs if output.get("text") != ""]
    return made


def _stable(text: str, identifiers: _Identifiers) -> str:
    text = identifiers.replaced(text)
    for pattern, replacement in _CHANGING:
        text = pattern.sub(replacement, text)
    return text


def _stable_data(kind: str, data: Any, identifiers: _Identifiers) -> Any:
    if kind == "image/png":
        return base64.b64encode(_bare(base64.b64decode(data))).decode()
    return _stable(data, identifiers) if isinstance(data, str) else data


def _bare(image: bytes) -> bytes:
    """A PNG with nothing but its picture."""
    return _PNG + b"".join(chunk for kind, chunk in _chunks(image) if kind in _DRAWN)


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = len(_PNG)
    while start < len(image):
        length, kind = struct.unpack(">I4s", image[start : start + 8])
        end = start + length + 12
        yield kind, image[start:end]
        start = end


def comparable(notebook: nbformat.NotebookNode) -> list[list[dict[str, Any]]]:
    """What two runs must have in common, for each cell: texts, and of plots the size in pixels.

    How many blanks stand in a table depends on the widest time in it.
    """
    return [[_told(output) for output in cell.outputs] for cell in code_cells(normalised(notebook))]


def _told(output: nbformat.NotebookNode) -> dict[str, Any]:
    told = dict(output.get("data", {}))
    if "image/png" in told:
        told["image/png"] = struct.unpack(">II", base64.b64decode(told["image/png"])[16:24])
    if "text/plain" in told:
        told["text/plain"] = re.sub(" +", " ", told["text/plain"])
    return {"kind": output.get("name", output.output_type), "text": output.get("text"), **told}


def main() -> None:
    """Run every notebook and write it, unless what it says is written already."""
    for path in paths():
        before = read(path)
        ran = run(before)
        # Plots of measured times never come out the same twice: no reason to commit new ones.
        changed = normalised(before) != before or comparable(ran) != comparable(before)
        if changed:
            nbformat.write(normalised(ran), path)  # type: ignore[no-untyped-call]
        sys.stdout.write(f"{path.name}: {'written' if changed else 'is as it was'}\n")


if __name__ == "__main__":
    main()
