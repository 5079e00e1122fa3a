"""What is published: version, contents of the archives, dependencies and their floors."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from langchain_asi_one._version import __version__

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
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "-o", str(target)]
    finished = subprocess.run(
        [*command, str(source)], capture_output=True, text=True, check=False, timeout=60
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def wheel_in(directory: Path) -> Path:
    (wheel,) = directory.glob("*.whl")
    return wheel


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def floor_of(requirement: Requirement) -> Version:
    (floor,) = (spec.version for spec in requirement.specifier if spec.operator == ">=")
    return Version(floor)


def cap_of(requirement: Requirement) -> Version:
    (cap,) = (spec.version for spec in requirement.specifier if spec.operator == "<")
    return Version(cap)


def runtime(project: dict[str, Any]) -> dict[str, Requirement]:
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
    names = names_in(wheel_in(archives))
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
    packed = {name for name in names_in(wheel_in(archives)) if name.startswith(f"{PACKAGE}/")}
    assert packed == source


def test_sdist_can_be_tested(archives: Path) -> None:
    (sdist,) = archives.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert {"tests/unit_tests/test_package.py", "requirements-dev.lock"} <= names
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


def test_wheel_is_reproducible(archives: Path, tmp_path: Path) -> None:
    build(ROOT, tmp_path, "--wheel")
    assert wheel_in(tmp_path).read_bytes() == wheel_in(archives).read_bytes()


def test_runtime_dependencies(project: dict[str, Any]) -> None:
    requirements = runtime(project)
    assert set(requirements) == {"langchain-core", "langchain-openai", "langgraph", "pydantic"}
    for requirement in requirements.values():
        assert cap_of(requirement) == Version(str(floor_of(requirement).major + 1))


def test_every_requirement_has_a_floor_and_is_locked(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    groups = [project["project"]["dependencies"], *extras.values()]
    groups += [project["dependency-groups"]["dev"], project["build-system"]["requires"]]
    locked = locked_versions()
    for requirement in (Requirement(text) for group in groups for text in group):
        floor_of(requirement)
        assert requirement.specifier.contains(locked[requirement.name]), requirement


def locked_versions() -> dict[str, str]:
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+) ", text, flags=re.MULTILINE))


def test_lock_has_hashes_and_names_no_place() -> None:
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    assert len(entries) > len(SECURITY_FLOORS)
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"\w+://\S+|^--?\w.*", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("name", SECURITY_FLOORS)
def test_no_version_with_a_known_hole(name: str, project: dict[str, Any]) -> None:
    floor, advisory = SECURITY_FLOORS[name]
    assert Version(locked_versions()[name]) >= Version(floor), advisory
    assert Version(metadata.version(name)) >= Version(floor), advisory
    if name in runtime(project):
        assert floor_of(runtime(project)[name]) >= Version(floor), advisory


def test_metadata_declares_what_pyproject_does(archives: Path, project: dict[str, Any]) -> None:
    wheel = wheel_in(archives)
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{PACKAGE}-{__version__}.dist-info/METADATA").decode()
    assert "Requires-Python: >=3.11\n" in text
    assert "License-Expression: MIT\n" in text
    plain = re.findall(r"^Requires-Dist: ([^;\n]+)$", text, flags=re.MULTILINE)
    assert {Requirement(line) for line in plain} == set(runtime(project).values())
