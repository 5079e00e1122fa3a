"""`make setup` installs the locks whatever is released: newer releases of everything are in reach.

Nothing is downloaded. A folder holds a small made-up wheel of each locked package, with the
requirements of the real one, and of each a made-up release 99.0; the commands are the Makefile's.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.patience import PATIENCE

ROOT: Final = Path(__file__).parents[2]
NEWER: Final = "99.0"
BUILDERS: Final = ("build.txt",)
"""Locks of programs that the set-up runs: their wheels hold what is installed here."""

_ENTRY = re.compile(r"^([a-z0-9-]+==[^\\]+) \\\n(?:    --hash=.*\n)+", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    """Versions by name that a lock has for this Python and platform."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    found = map(Requirement, _ENTRY.findall(text))
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in found
        if one.marker is None or one.marker.evaluate()
    }


def write_wheel(folder: Path, name: str, version: str, files: dict[str, bytes]) -> Path:
    path = folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    wheel = b"Wheel-Version: 1.0\nGenerator: made up\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        for place, content in files.items():
            archive.writestr(place.replace("INFO", info), content)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")
    return path


def metadata_of(name: str, version: str, installed: Distribution | None) -> bytes:
    """Metadata with the name given; what the installed package requires and offers, too."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    # `make lowest` and `make latest` have other versions, which ask for other things.
    if installed is not None and installed.version == version:
        lines += [f"Requires-Dist: {line}" for line in installed.requires or ()]
        extras = installed.metadata.get_all("Provides-Extra") or ()
        lines += [f"Provides-Extra: {extra}" for extra in extras]
    return "\n".join([*lines, "", ""]).encode()


def contents(installed: Distribution) -> dict[str, bytes]:
    """What a wheel of an installed package holds: its modules and its entry points."""
    files = {}
    for file in installed.files or ():
        place, path = file.as_posix(), Path(str(file.locate()))
        if place.startswith("..") or place.endswith(".pyc"):
            continue
        if not file.parts[0].endswith(".dist-info"):
            files[place] = path.read_bytes()
        elif file.name == "entry_points.txt":
            files["INFO/entry_points.txt"] = path.read_bytes()
    return files


def write_sdist(folder: Path, name: str, version: str) -> Path:
    path = folder / f"{name}-{version}.tar.gz"
    setup = f"from setuptools import setup\nsetup(name={name!r}, version={version!r})\n".encode()
    with tarfile.open(path, "w:gz") as archive:
        for place, content in {
            "PKG-INFO": metadata_of(name, version, None),
            "setup.py": setup,
        }.items():
            member = tarfile.TarInfo(f"{name}-{version}/{place}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def installed_here(name: str) -> Distribution | None:
    """The package in this environment, if it is there."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def release(folder: Path, name: str, version: str, *, runs: bool) -> Path:
    """Write one release, as small as can be unless it is a program that is to run."""
    if name == "forbiddenfruit":
        return write_sdist(folder, name, version)
    installed = installed_here(name)
    files = contents(installed) if runs and installed is not None else {}
    return write_wheel(
        folder, name, version, {**files, "INFO/METADATA": metadata_of(name, version, installed)}
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of releases: the locked ones, and a newer one of each."""
    folder = tmp_path_factory.mktemp("releases")
    builders = {name for lock in BUILDERS for name in locked(lock)}
    for name, version in locked("dev.txt").items():
        release(folder, name, version, runs=name in builders)
        newer = metadata_of(name, NEWER, None)
        write_wheel(folder, name, NEWER, {"INFO/METADATA": newer})
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Path:
    """This project, in a folder with a blank; its locks have the hashes of the made-up releases."""
    folder = tmp_path_factory.mktemp("a project")
    for name in ("Makefile", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "langchain_asi_one", folder / "langchain_asi_one")
    (folder / "requirements").mkdir()
    hashes = {
        path.name.removesuffix("-py3-none-any.whl").removesuffix(".tar.gz").replace("_", "-"): (
            hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in index.iterdir()
    }
    for lock in ("build.txt", "demo.txt", "dev.txt"):
        entries = (
            f"{name}=={version} --hash=sha256:{hashes[f'{name}-{version}']}"
            for name, version in locked(lock).items()
        )
        (folder / "requirements" / lock).write_text("\n".join(entries), encoding="utf-8")
    return folder


def run(project: Path, index: Path, *command: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV", "MAKE", "MFLAGS", "PIP_"))
    }
    surroundings = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(index),
    }
    return subprocess.run(
        command,
        cwd=project,
        env={**kept, **surroundings},
        capture_output=True,
        encoding="utf-8",
        timeout=2 * PATIENCE,
        check=False,
    )


def make(project: Path, index: Path, target: str) -> subprocess.CompletedProcess[str]:
    # The bytecode of programs that nobody runs is left out.
    variables = (f"PYTHON={sys.executable}", "VENV=.venv", "BYTECODE=-c pass")
    return run(project, index, "make", target, *variables)


def installed_in(project: Path) -> Iterator[tuple[str, str]]:
    [packages] = (project / ".venv").glob("lib/python3*/site-packages")
    for found in distributions(path=[str(packages)]):
        name = canonicalize_name(found.metadata["Name"])
        if name != "langchain-asi-one":
            yield name, found.version


def test_locked_versions_are_installed_although_newer_ones_are_there(
    project: Path, index: Path
) -> None:
    for target, lock in ((".venv/.demo", "demo.txt"), ("setup", "dev.txt")):
        made = make(project, index, target)
        assert made.returncode == 0, made.stdout + made.stderr
        wanted = {**locked("build.txt"), **locked(lock)}
        # Before 3.12, a new environment brings setuptools; the lock replaces it.
        assert dict(installed_in(project)) == wanted
        assert "No broken requirements found" in made.stdout

    again = make(project, index, "setup")
    assert (again.returncode, again.stdout) == (0, "")

    # The trap is there: what is asked for without a version is the newer release.
    command = ("-m", "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "langsmith")
    newest = run(project, index, str(project / ".venv/bin/python"), *command)
    assert "Would install langsmith-99.0" in newest.stdout, newest.stderr


def test_a_dry_run_makes_no_environment(tmp_path: Path) -> None:
    target = tmp_path / "environment"
    command = ["make", "-n", "demo", f"VENV={target}", f"PYTHON={sys.executable}"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert not target.exists()


def test_each_command_installs_what_is_locked_and_nothing_else(tmp_path: Path) -> None:
    targets = ("demo", "test", "lowest", "bench", "recipes", "judges")
    # Places in which nothing is installed: what is there would be left out.
    places = (f"VENV={tmp_path / 'venv'}", f"UAGENTS={tmp_path / 'uagents'}")
    command = ["make", "-n", *targets, *places, f"PYTHON={sys.executable}"]
    surroundings = {name: value for name, value in os.environ.items() if name != "UAGENTS_PYTHON"}
    finished = subprocess.run(
        command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True
    )
    told = [one.strip() for one in re.split(r"\n|;|&&", finished.stdout) if " -m pip " in one]
    installs = [one for one in told if re.search(r"(install|download) ", one)]
    locked_ones = [one for one in installs if "--require-hashes --no-deps" in one]
    assert {*installs} - {*locked_ones} == {one for one in installs if one.endswith(" -e .")}
    halved = re.findall(r'awk .* place="\S+" "(\S+\.txt)"', finished.stdout)
    whole = re.findall(r"-r \"?(\S+\.txt)", "\n".join(locked_ones))
    locks = {*halved, *(lock for lock in whole if "/half-" not in lock)}
    names = {f"requirements/{path.name}" for path in (ROOT / "requirements").iterdir()}
    # What `make judges` takes out of two locks.
    assert locks == names | {"build/judges/langchain.txt", "build/judges/pytest-mock.txt"}


@pytest.mark.parametrize(
    ("package", "lock"), [("langchain", "dev.txt"), ("pytest-mock", "judges.txt")]
)
def test_a_judge_is_taken_out_of_a_lock(package: str, lock: str) -> None:
    command = ["make", "-n", "judges", f"PYTHON={sys.executable}"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [line] = [one for one in told.splitlines() if one.endswith(f"/{package}.txt") and "sed" in one]
    taking = line.partition(" > ")[0]
    taken = subprocess.run(
        shlex.split(taking), cwd=ROOT, capture_output=True, text=True, check=True
    )
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    [entry] = [one[0] for one in _ENTRY.finditer(text) if one[1].startswith(f"{package}==")]
    assert taken.stdout == entry
