"""The rooms of the package and the walls between them, read from its sources."""

from __future__ import annotations

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

import langchain_asi_one

PACKAGE: Final = Path(str(langchain_asi_one.__file__)).parent
# From the ground up: none imports one that stands after it. `__main__` is that of each folder.
ROOMS: Final = (
    *(
        "_version",
        "_agent_address",
        "_httpx_compat",
        "_model_profiles",
        "_validators",
        "_environment",
        "_json",
    ),
    *("errors", "_request", "_response", "_transport", "_follow_up", "executable_data"),
    *("_agent_identity", "_config", "_structured_output", "follow_up", "chat_models"),
    *(
        "testing",
        "display",
        "langgraph",
        "agents",
        "images",
        "middleware",
        "_cli",
        "__init__",
        "__main__",
    ),
)
_OURS: Final = r"langchain_asi_one\."
_NO_IO: Final = (
    r"(anyio|asyncio|http|httpx2?|openai|os|pathlib|shutil|socket|ssl|subprocess|threading|urllib(?!\.parse))\b"
    rf"|{_OURS}(?!_agent_address|_json|_request|_response)"
)
# What a room never imports, not even in a function.
WALLS: Final = {
    **dict.fromkeys(("_json", "_request", "_response"), _NO_IO),
    "_transport": r"langchain_core\.messages",
    "errors": rf"{_OURS}(?!_httpx_compat)",
    # These change the logging of the whole program, or write files.
    "agents": r"uagents_core\.(utils|storage|logger|events|contrib)\b|uagents\b",
    "testing": r"uagents_core\.(utils|storage|logger|events)\b|uagents\b",
    "display": rf"{_OURS}langgraph",  # what both need of agents is in `_agent_identity`
    "langgraph": rf"{_OURS}display",
}


class Import(NamedTuple):
    source: str
    target: str  # a module of ours, or the full name of what is imported
    at_once: bool  # not in a function
    place: str


def room_of(module: str) -> str:
    parts = module.split(".")
    return "__main__" if parts[-1] == "__main__" else [*parts[1:], "__init__"][0]


def list_places(imports: list[Import]) -> str:
    return "".join(dict.fromkeys(f"\n{one.place} imports {one.target}" for one in imports))


FILES: Final = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
IMPORTS: Final[list[Import]] = []
FIRST_LINES: Final[dict[str, str]] = {}  # of docstrings, by their places
for _source, _path in FILES.items():
    _nodes = [*ast.walk(ast.parse(_path.read_text(encoding="utf-8")))]
    for _named in _nodes:
        if isinstance(_named, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _line = f"{_path.relative_to(PACKAGE.parent)}:{getattr(_named, 'lineno', 1)}"
            FIRST_LINES[_line] = (ast.get_docstring(_named) or "").partition("\n")[0]
    _checks = [n for n in _nodes if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
    _typing = {inner for check in _checks for one in check.body for inner in ast.walk(one)}
    _calls = [n for n in _nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    _later = {inner for call in _calls for inner in ast.walk(call)}
    for _node in {n for n in _nodes if isinstance(n, ast.Import | ast.ImportFrom)} - _typing:
        _module = _node.module if isinstance(_node, ast.ImportFrom) else None
        _place = f"{_path.relative_to(PACKAGE.parent)}:{_node.lineno}"
        for _full in [f"{_module}.{one.name}" if _module else one.name for one in _node.names]:
            _target = _module if _module in FILES and _full not in FILES else _full
            IMPORTS.append(Import(_source, _target, _node not in _later, _place))
OWN: Final = [one for one in IMPORTS if one.target in FILES]


def test_the_root_can_be_read_at_a_glance() -> None:
    names = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(names) <= 16, f"{len(names)} files: {', '.join(names)}"


def test_no_import_runs_up() -> None:
    assert {*ROOMS} == {*map(room_of, FILES)}, "ROOMS names each file of the root and each folder"
    height = ROOMS.index
    up = [one for one in OWN if height(room_of(one.source)) < height(room_of(one.target))]
    assert not up, f"in ROOMS the one that imports stands lower:{list_places(up)}"


def test_there_are_at_most_eight_floors_and_no_circle() -> None:
    below = {name: [i for i in OWN if i.source == name and i.at_once] for name in FILES}
    floors: dict[str, int] = {}
    try:
        for name in TopologicalSorter(
            {name: [one.target for one in ones] for name, ones in below.items()}
        ).static_order():
            floors[name] = 1 + max((floors[one.target] for one in below[name]), default=0)
    except CycleError as error:
        circle = {*error.args[1]}
        closing = [i for i in OWN if i.at_once and {i.source, i.target} <= circle]
        pytest.fail(f"modules import each other:{list_places(closing)}")
    high = [one for one in OWN if one.at_once and floors[one.source] > 8 <= floors[one.target]]
    assert not high, f"above the eighth floor:{list_places(high)}"


@pytest.mark.parametrize("room", WALLS)
def test_a_wall_holds(room: str) -> None:
    wall = re.compile(WALLS[room])
    through = [one for one in IMPORTS if room_of(one.source) == room and wall.match(one.target)]
    assert not through, f"{room} is closed to this:{list_places(through)}"


def test_a_docstring_begins_with_at_most_twelve_words() -> None:
    long = [f"\n{place}: {line}" for place, line in FIRST_LINES.items() if len(line.split()) > 12]
    assert not long, f"a second sentence belongs below the first line:{''.join(long)}"


def test_the_page_of_the_architecture_names_what_is_there() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/.]+?)(?:\.py|/)?`", page))
    missing = []
    for path in sorted([*PACKAGE.glob("*.py"), *PACKAGE.glob("_*/*.py")]):
        place = path.relative_to(PACKAGE).with_suffix("").as_posix()
        whole = f"| `{path.parent.name}/`" in page or f", `{path.parent.name}/`" in page
        known = whole or bool(named & {place, path.stem})
        if path.stem not in {"__init__", "_version"} and not known:
            missing.append(place)
    assert not missing, f"docs/architecture.md does not name {', '.join(missing)}"
    gone = [name for name in re.findall(r"`([\w/]+\.(?:py|css))`", page) if name.startswith("_")]
    gone = [name for name in gone if not (PACKAGE / name).exists()]
    assert not gone, f"docs/architecture.md names {', '.join(gone)}"
