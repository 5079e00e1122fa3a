"""What is published: version, contents of the archives, dependencies and their floors."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from langchain_asi_one._version import __version__
from tests.support.other_process import run_script
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
PACKAGE = "langchain_asi_one"

# Lowest versions without a known hole that reaches our users, and the advisory that says so.
SECURITY_FLOORS = {
    "langchain-core": ("1.3.3", "CVE-2026-44843"),
    "langchain-openai": ("1.1.14", "CVE-2026-41488"),
    "langgraph": ("1.0.10", "CVE-2026-28277"),
    "langgraph-checkpoint": ("4.0.0", "CVE-2026-27794"),
    "langgraph-sdk": ("0.3.15", "CVE-2026-48776"),
    "vcrpy": ("8.2.1", "GHSA-rpj2-4hq8-938g"),
}


ADDRESS = "https://example.org/somebody/langchain-asi-one"
"""Stands for the repository's address, which is not known."""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both archives, the wheel built from the sdist, as a release would build them."""
    target = tmp_path_factory.mktemp("dist")
    build(ROOT, target)
    return target


def build(source: Path, target: Path, *options: str) -> None:
    run("-m", "build", "--no-isolation", *options, "-o", str(target), str(source))


def run(*arguments: str, **added: str) -> str:
    """Run Python, and return what it printed; a failure shows both streams."""
    finished = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
        env={**os.environ, **added},
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def find_wheel(directory: Path) -> Path:
    (wheel,) = directory.glob("*.whl")
    return wheel


def list_names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def read_floor(requirement: Requirement) -> Version:
    (floor,) = (spec.version for spec in requirement.specifier if spec.operator == ">=")
    return Version(floor)


def read_cap(requirement: Requirement) -> Version:
    (cap,) = (spec.version for spec in requirement.specifier if spec.operator == "<")
    return Version(cap)


def list_requirements(project: dict[str, Any]) -> dict[str, Requirement]:
    requirements = map(Requirement, project["project"]["dependencies"])
    return {requirement.name: requirement for requirement in requirements}


def test_version_is_the_changelogs() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^\]]+)\]", text, flags=re.MULTILINE)
    assert headings, "CHANGELOG.md has no version heading"
    released = [Version(heading) for heading in headings if heading != "Unreleased"]
    assert released == sorted(released, reverse=True)
    assert all(version <= Version(__version__) for version in released)
    assert headings[0] in {"Unreleased", __version__}


def test_version_of_the_installed_package() -> None:
    assert metadata.version("langchain-asi-one") == __version__


def test_wheel_holds_the_package_and_nothing_else(archives: Path) -> None:
    names = list_names(find_wheel(archives))
    info = f"{PACKAGE}-{__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {PACKAGE, info}
    assert f"{PACKAGE}/py.typed" in names
    assert f"{info}/licenses/LICENSE" in names
    unwanted = re.compile(r"\.(pth|pyc|so|env|ipynb)$|__pycache__|/tests?/|\.DS_Store")
    assert [name for name in names if unwanted.search(name)] == []


def test_wheel_holds_every_file_of_the_package(archives: Path) -> None:
    source = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {name for name in list_names(find_wheel(archives)) if name.startswith(f"{PACKAGE}/")}
    assert packed == source


def test_sdist_can_be_tested(archives: Path) -> None:
    (sdist,) = archives.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert {"tests/project/test_package.py", "requirements/dev.txt"} <= names
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


def test_archives_are_reproducible(archives: Path, tmp_path: Path) -> None:
    build(ROOT, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        path.name: path.read_bytes() for path in archives.iterdir()
    }


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_an_archive_installs_without_a_network_and_answers(
    kind: str, archives: Path, tmp_path: Path
) -> None:
    (archive,) = archives.glob(kind)
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--no-compile", "--quiet")
    run("-m", "pip", "install", *offline, "--target", str(tmp_path), str(archive))
    program = (
        "import langchain_asi_one; from langchain_asi_one.testing import local_asi_one\n"
        "with local_asi_one() as server:\n"
        "    model = langchain_asi_one.ChatASIOne(base_url=server.base_url, api_key='any')\n"
        "    print(langchain_asi_one.__file__, model.invoke('Hello!').content, sep='\\n')"
    )
    # Before the checkout's own entry in the path.
    before = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    done = run_script(before + program, environ=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
    imported, answer = done.stdout.splitlines()
    assert imported == str(tmp_path / PACKAGE / "__init__.py")
    assert answer.startswith("[local stand-in]")


def test_runtime_dependencies(project: dict[str, Any]) -> None:
    requirements = list_requirements(project)
    ours = {"langchain-core", "langchain-openai", "langgraph", "pydantic"}
    assert set(requirements) == {*ours, "langgraph-checkpoint", "langgraph-sdk"}
    for requirement in requirements.values():
        assert read_cap(requirement) == Version(str(read_floor(requirement).major + 1))


def test_every_requirement_has_a_floor_and_is_locked(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    groups = [project["project"]["dependencies"], *extras.values()]
    groups += [project["dependency-groups"]["dev"], project["dependency-groups"]["build"]]
    groups += [project["build-system"]["requires"]]
    locked = read_lock()
    named = (text for group in groups for text in group if isinstance(text, str))
    for requirement in map(Requirement, named):
        read_floor(requirement)
        assert requirement.specifier.contains(locked[requirement.name]), requirement


def list_entries(lock: str) -> list[str]:
    """Entries of a lock without their hashes: name, version, and where it applies."""
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return re.findall(r"^([a-z0-9-]+==[^\\\n]+?) \\\n", text, flags=re.MULTILINE)


def read_lock(lock: str = "dev.txt") -> dict[str, str]:
    return {one.name: str(one.specifier)[2:] for one in map(Requirement, list_entries(lock))}


@pytest.mark.parametrize("lock", [path.name for path in (ROOT / "requirements").iterdir()])
def test_lock_has_hashes_and_names_no_place(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    assert len(entries) == len(list_entries(lock)) > 5
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"\w+://\S+|^--?\w.*", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("lock", ["build.txt", "demo.txt"])
def test_a_smaller_lock_is_a_part_of_the_whole(lock: str) -> None:
    whole = {entry.partition(" ;")[0]: entry for entry in list_entries("dev.txt")}
    for entry in list_entries(lock):
        version = entry.partition(" ;")[0]
        # What more packages ask for may apply in more places.
        assert whole[version] in {entry, version}


def test_the_lowest_lock_has_every_floor(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    groups = [project["project"]["dependencies"], *extras.values()]
    floors = {one.name: read_floor(one) for group in groups for one in map(Requirement, group)}
    lowest = read_lock("lowest.txt")
    assert {name: Version(lowest[name]) for name in floors} == floors


@pytest.mark.parametrize("name", SECURITY_FLOORS)
def test_no_version_with_a_known_hole(name: str, project: dict[str, Any]) -> None:
    floor, advisory = SECURITY_FLOORS[name]
    assert Version(read_lock()[name]) >= Version(floor), advisory
    assert Version(metadata.version(name)) >= Version(floor), advisory
    if name != "vcrpy":  # it reaches no user
        assert read_floor(list_requirements(project)[name]) >= Version(floor), advisory


def list_installed(names: Iterable[str]) -> set[str]:
    """Return installed packages with all that they need, without extras."""
    found: set[str] = set()
    pending = [*names]
    while pending:
        name = canonicalize_name(pending.pop())
        if name not in found:
            found.add(name)
            needed = map(Requirement, metadata.requires(name) or ())
            applies = (
                one for one in needed if not one.marker or one.marker.evaluate({"extra": ""})
            )
            pending += [one.name for one in applies]
    return found


def read_licence(name: str) -> str:
    about = metadata.metadata(name)
    fields = ("License-Expression", "Classifier", "License")
    values = [value for field in fields for value in about.get_all(field) or ()]
    named = [one for one in values if "::" not in one or one.startswith("License ::")]
    return next((one.splitlines()[0] for one in named if one.strip()), "")


def test_each_package_that_users_get_has_a_permissive_licence(project: dict[str, Any]) -> None:
    extras = itertools.chain(*project["project"]["optional-dependencies"].values())
    needed = {*list_requirements(project), *(Requirement(one).name for one in extras)}
    names = list_installed(needed)
    assert names > {"langchain-core", "openai", "langsmith", "starlette", "uagents-core", "ecdsa"}
    permissive = re.compile(r"MIT|BSD|Apache|Python Software Foundation|PSF|ISC")
    licences = {name: read_licence(name) for name in names}
    others = {name: text for name, text in licences.items() if not permissive.search(text)}
    # Weak copyleft by file, unchanged and not part of our archives.
    assert {name for name, text in others.items() if not re.search(r"MPL|Mozilla", text)} == set()
    assert not any("GPL" in text for text in licences.values())


def test_metadata_declares_what_pyproject_does(archives: Path, project: dict[str, Any]) -> None:
    wheel = find_wheel(archives)
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{PACKAGE}-{__version__}.dist-info/METADATA").decode()
    assert "Requires-Python: >=3.11\n" in text
    assert "License-Expression: MIT\n" in text
    plain = re.findall(r"^Requires-Dist: ([^;\n]+)$", text, flags=re.MULTILINE)
    assert {Requirement(line) for line in plain} == set(list_requirements(project).values())


def fill_in_address(text: str) -> str:
    """Fill in what pyproject.toml keeps for the day of publication."""
    return re.sub("^#: ?", "", text, flags=re.MULTILINE).replace("ADDRESS", ADDRESS)


def test_the_address_is_filled_in_nowhere_or_everywhere(project: dict[str, Any]) -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    urls = project["project"].get("urls", {})
    if urls:
        assert "#:" not in text
        assert "ADDRESS" not in text
        assert all(url.startswith(urls["Source"]) for url in urls.values())
    else:
        place = text.partition("# --- The repository's address")[2].splitlines()[2:]
        assert place[0] == "#: [project.urls]"
        assert [line for line in place if not line.startswith("#:")] == []


def test_the_pages_of_an_index_get_absolute_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    skipped = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / PACKAGE, source / PACKAGE, ignore=skipped)
    for name in ("LICENSE", "README.md"):
        shutil.copy(ROOT / name, source)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (source / "pyproject.toml").write_text(fill_in_address(text), encoding="utf-8")
    build(source, tmp_path, "--wheel")

    with zipfile.ZipFile(find_wheel(tmp_path)) as archive:
        page = archive.read(f"{PACKAGE}-{__version__}.dist-info/METADATA").decode()
    assert f"Project-URL: Source, {ADDRESS}\n" in page
    targets = re.findall(r"\]\(([^)\s]+)\)", page)
    assert f"{ADDRESS}/raw/main/docs/screenshots/answer-light.png" in targets
    assert f"{ADDRESS}/blob/main/CONTRIBUTING.md" in targets
    assert [target for target in targets if not target.startswith(("https://", "#"))] == []


def test_each_python_that_is_named_is_in_the_workflow(project: dict[str, Any]) -> None:
    named = [
        line.rpartition(" ")[2]
        for line in project["project"]["classifiers"]
        if re.search(r":: 3\.\d+$", line)
    ]
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert f"python: {json.dumps(named)}" in workflow


def test_nothing_says_that_it_can_be_had_from_an_index(project: dict[str, Any]) -> None:
    if "urls" in project["project"]:
        pytest.skip("it is published")
    kinds = ("*.py", "*.md", "*.rst", "*.ipynb")
    folders = (ROOT / PACKAGE, ROOT / "docs", ROOT / "notebooks")
    texts = [
        *ROOT.glob("*.md"),
        *(path for one in folders for kind in kinds for path in one.rglob(kind)),
    ]
    assert [
        path.name
        for path in texts
        if re.search(r"pip install[^\n]*langchain-asi-one", path.read_text(encoding="utf-8"))
    ] == []
