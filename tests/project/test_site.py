"""The site that `make docs` has built: every public name has a place, pages can be read."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from tests.support.browser.chromium import running_chromium
from tests.support.patience import PATIENCE
from tests.support.public import PUBLIC_MODULES

ROOT: Final = Path(__file__).parents[2]
SITE: Final = ROOT / "build" / "docs"


@pytest.fixture(scope="module")
def pages() -> dict[Path, str]:
    """The HTML of each page."""
    found = {page: page.read_text(encoding="utf-8") for page in SITE.rglob("*.html")}
    assert found, f"there is no page in {SITE}: make docs"
    return found


def test_every_public_name_has_a_place(pages: dict[Path, str]) -> None:
    places = set(re.findall(r'id="(langchain_asi_one[\w.]*)"', "".join(pages.values())))
    names = {place.rpartition(".")[2] for place in places}
    for module in PUBLIC_MODULES[1:]:
        assert {f"{module}.{name}" for name in import_module(module).__all__} <= places
    assert set(import_module("langchain_asi_one").__all__) <= names


def test_pages_name_no_place_of_this_machine(pages: dict[Path, str]) -> None:
    for page, text in pages.items():
        assert str(ROOT) not in text, page


def test_pages_load_nothing_from_elsewhere(pages: dict[Path, str]) -> None:
    loads = re.compile(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"')
    for page, text in pages.items():
        assert loads.findall(text) == [], page


def test_tables_are_drawn_as_tables(pages: dict[Path, str]) -> None:
    for page, text in pages.items():
        assert "<p>|" not in text, page


def test_pages_fit_a_laptop_and_a_phone(tmp_path: Path) -> None:
    names = ("genindex", "notebooks/05_experiments", "reference/agents")
    with running_chromium(tmp_path) as browser:
        for name in names:
            browser.get((SITE / f"{name}.html").as_uri())
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
    built = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning"),
            *("-c", "docs", str(tmp_path), str(tmp_path / "pages")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert built.returncode != 0
    assert "reference target not found: langchain_asi_one.gone" in built.stderr
