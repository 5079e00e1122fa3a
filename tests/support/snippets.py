"""The code in the guides. A snippet whose first line names a file is a program of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_SNIPPET: Final = re.compile(r"^```(python|js)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"(?:#|//) ([a-z_]+\.(?:py|mjs))\n")


def read_snippets(page: str) -> list[str]:
    """Read what a reader types into one Python session, in order."""
    found = _SNIPPET.findall((ROOT / page).read_text(encoding="utf-8"))
    return [code for language, code in found if language == "python" and not _FILE.match(code)]


def read_programs(page: str) -> dict[str, str]:
    """Read the programs of a page, by the file names that their first lines give."""
    found = _SNIPPET.findall((ROOT / page).read_text(encoding="utf-8"))
    return {name[1]: code for _, code in found if (name := _FILE.match(code))}


def write_programs(page: str, folder: Path) -> None:
    """Put the programs of a page into a folder, as a reader would."""
    for name, code in read_programs(page).items():
        (folder / name).write_text(code, encoding="utf-8")
