"""The pictures of the README are current."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from docs.screenshots.make import LARGEST, main, missing_programs
from docs.screenshots.scenes import Picture, pictures

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "docs" / "screenshots"
_SHOWS: Final = re.compile(rb"tEXtShows\0([0-9a-f]{64})")


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
