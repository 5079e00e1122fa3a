"""The rooms of the package and the walls between them, read from its sources."""

from __future__ import annotations

import ast
import re
from functools import cache
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
# Modules whose tests have another name.
TESTED_BY: Final = {
    "_cli/asker": "integration/cli/test_agents",
    "_response/fields": "unit/response/test_reader",
    "agents/_loop": "integration/agents/test_conversations",
    "display/_show": "unit/display/test_card",
    "testing/_agentverse/app": "integration/testing/agentverse/test_server",
    "testing/_agentverse/state": "integration/testing/agentverse/test_server",
    "testing/_faults/broken_responses": "integration/testing/test_faults",
    "testing/_faults/http_errors": "integration/testing/test_faults",
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


@cache
def read_package() -> tuple[list[Import], dict[str, str]]:
    """Return all imports, and the first lines of all docstrings by their places."""
    imports: list[Import] = []
    first_lines = {}
    for source, path in FILES.items():
        place = path.relative_to(PACKAGE.parent)
        nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
        for named in nodes:
            if isinstance(
                named, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            ):
                line = f"{place}:{getattr(named, 'lineno', 1)}"
                first_lines[line] = (ast.get_docstring(named) or "").partition("\n")[0]
        checks = [n for n in nodes if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test)]
        typing = {inner for check in checks for one in check.body for inner in ast.walk(one)}
        functions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        later = {inner for function in functions for inner in ast.walk(function)}
        for node in {n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)} - typing:
            module = node.module if isinstance(node, ast.ImportFrom) else None
            for full in [f"{module}.{one.name}" if module else one.name for one in node.names]:
                target = module if module in FILES and full not in FILES else full
                imports.append(Import(source, target, node not in later, f"{place}:{node.lineno}"))
    return imports, first_lines


def list_own() -> list[Import]:
    return [one for one in read_package()[0] if one.target in FILES]


def test_the_root_can_be_read_at_a_glance() -> None:
    names = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(names) <= 16, f"{len(names)} files: {', '.join(names)}"


def test_no_import_runs_up() -> None:
    assert {*ROOMS} == {*map(room_of, FILES)}, "ROOMS names each file of the root and each folder"
    height = ROOMS.index
    up = [one for one in list_own() if height(room_of(one.source)) < height(room_of(one.target))]
    assert not up, f"in ROOMS the one that imports stands lower:{list_places(up)}"


def test_there_are_at_most_eight_floors_and_no_circle() -> None:
    below = {name: [i for i in list_own() if i.source == name and i.at_once] for name in FILES}
    floors: dict[str, int] = {}
    try:
        for name in TopologicalSorter(
            {name: [one.target for one in ones] for name, ones in below.items()}
        ).static_order():
            floors[name] = 1 + max((floors[one.target] for one in below[name]), default=0)
    except CycleError as error:
        circle = {*error.args[1]}
        closing = [i for i in list_own() if i.at_once and {i.source, i.target} <= circle]
        pytest.fail(f"modules import each other:{list_places(closing)}")
    high = [
        one for one in list_own() if one.at_once and floors[one.source] > 8 <= floors[one.target]
    ]
    assert not high, f"above the eighth floor:{list_places(high)}"


@pytest.mark.parametrize("room", WALLS)
def test_a_wall_holds(room: str) -> None:
    wall = re.compile(WALLS[room])
    through = [
        one for one in read_package()[0] if room_of(one.source) == room and wall.match(one.target)
    ]
    assert not through, f"{room} is closed to this:{list_places(through)}"


def test_a_docstring_begins_with_at_most_twelve_words() -> None:
    long = [
        f"\n{place}: {line}" for place, line in read_package()[1].items() if len(line.split()) > 12
    ]
    assert not long, f"a second sentence belongs below the first line:{''.join(long)}"


def test_each_module_has_tests_of_its_name() -> None:
    tests = PACKAGE.parent / "tests"
    missing = []
    for path in FILES.values():
        *rooms, name = path.relative_to(PACKAGE).with_suffix("").parts
        own = "/".join([*(room.strip("_") for room in rooms), f"test_{name.strip('_')}"])
        there = TESTED_BY.get("/".join([*rooms, name]))
        places = [there] if there else [f"unit/{own}", f"integration/{own}"]
        if name not in {"__init__", "__main__", "_version"} and not any(
            (tests / f"{place}.py").exists() for place in places
        ):
            missing.append(f"{path.name}: {' or '.join(places)}")
    assert not missing, f"no tests: {', '.join(missing)}"


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
