"""The API reference builds without a warning and has every public name; pictures are current."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import pydantic
import pytest

from docs.screenshots.make import LARGEST, main, missing_programs
from docs.screenshots.scenes import Picture, pictures
from tests.support.browser.chromium import running_chromium
from tests.support.patience import PATIENCE
from tests.support.public import PUBLIC_MODULES

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "docs" / "screenshots"
_SHOWS: Final = re.compile(rb"tEXtShows\0([0-9a-f]{64})")


def build(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Sphinx, untraced: all that it imports is imported in this process as well."""
    environ = {
        name: value for name, value in os.environ.items() if name != "COVERAGE_PROCESS_CONFIG"
    }
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built as `make docs` does."""
    if tuple(map(int, pydantic.VERSION.split(".")[:3])) < (2, 10, 6):
        pytest.skip("Sphinx sets TYPE_CHECKING; pydantic before 2.10.6 fails on LangGraph then")
    target = tmp_path_factory.mktemp("reference")
    options = ("--fresh-env", "--keep-going", "-d", str(target / "doctrees"))
    built = build(*options, "docs", str(target / "pages"))
    assert built.returncode == 0, built.stdout + built.stderr
    return target / "pages"


def anchors(pages: Path) -> set[str]:
    html = "".join(page.read_text(encoding="utf-8") for page in pages.rglob("*.html"))
    return set(re.findall(r'id="(langchain_asi_one[\w.]*)"', html))


def test_every_public_name_has_a_place(reference: Path) -> None:
    places = anchors(reference)
    names = {place.rpartition(".")[2] for place in places}
    for module in PUBLIC_MODULES[1:]:
        assert {f"{module}.{name}" for name in import_module(module).__all__} <= places
    assert set(import_module("langchain_asi_one").__all__) <= names


def test_pages_name_no_place_of_this_machine(reference: Path) -> None:
    for page in reference.rglob("*.html"):
        assert str(ROOT) not in page.read_text(encoding="utf-8"), page


def test_pages_load_nothing_from_elsewhere(reference: Path) -> None:
    loads = re.compile(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"')
    for page in reference.rglob("*.html"):
        assert loads.findall(page.read_text(encoding="utf-8")) == [], page


def test_tables_are_drawn_as_tables(reference: Path) -> None:
    for page in reference.rglob("*.html"):
        assert "<p>|" not in page.read_text(encoding="utf-8"), page


def test_pages_fit_a_laptop_and_a_phone(reference: Path, tmp_path: Path) -> None:
    names = ("genindex", "notebooks/05_experiments", "reference/agents")
    with running_chromium(tmp_path) as browser:
        for name in names:
            browser.get((reference / f"{name}.html").as_uri())
            for width in (1200, 390):
                browser.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
                )
                root = "document.documentElement"
                inner, outer = browser.execute_script(
                    f"return [{root}.scrollWidth, {root}.clientWidth]"
                )
                assert inner <= outer, f"{name} is {inner} px wide in a window of {width}"


def test_a_name_that_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "index.rst").write_text("Page\n====\n\n:func:`langchain_asi_one.gone`\n")
    built = build("-c", "docs", str(tmp_path), str(tmp_path / "pages"))
    assert built.returncode != 0
    assert "reference target not found: langchain_asi_one.gone" in built.stderr


@pytest.fixture(scope="module")
def shown() -> list[Picture]:
    return pictures()


def test_pictures_show_what_is_shown_now(shown: list[Picture]) -> None:
    for picture in shown:
        data = (SCREENSHOTS / picture.name).read_bytes()
        found = _SHOWS.search(data)
        assert found is not None, f"{picture.name} is not by `make screenshots`"
        assert found[1].decode() == picture.fingerprint, (
            f"{picture.name} is out of date: make screenshots"
        )
        assert len(data) <= LARGEST


def test_there_is_no_other_picture(shown: list[Picture]) -> None:
    assert {path.name for path in SCREENSHOTS.glob("*.png")} == {one.name for one in shown}


def test_missing_programs_are_named_by_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main() == 1
    needed = "bash chromium chromium-driver fontconfig imagemagick xterm xvfb"
    assert f"apt install {needed}" in capsys.readouterr().out
    assert missing_programs() == needed.split()
