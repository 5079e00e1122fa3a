"""What the stand-in's command prints as it starts."""

from __future__ import annotations

import pytest

from langchain_asi_one.testing.__main__ import describe_use


@pytest.mark.parametrize(
    ("platform", "lines"),
    [
        ("linux", ["export ASI_ONE_BASE_URL=http://a", "export ASI_ONE_API_KEY=any-text"]),
        ("win32", ['$env:ASI_ONE_BASE_URL = "http://a"', '$env:ASI_ONE_API_KEY = "any-text"']),
    ],
)
def test_the_lines_to_paste_fit_the_shell(platform: str, lines: list[str]) -> None:
    told = describe_use("http://a", platform).splitlines()
    assert [line.strip() for line in told if "ASI_ONE" in line] == lines
