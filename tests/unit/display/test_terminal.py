"""Widths, styles and encodings of terminals and files."""

from __future__ import annotations

import io

import pytest

from langchain_asi_one.display._terminal import (
    clamp_width,
    find_width,
    fit_encoding,
    supports_rich,
)
from tests.support.terminal import Terminal


@pytest.mark.parametrize(("columns", "width"), [(0, 20), (20, 20), (80, 80), (101, 100)])
def test_lines_are_neither_too_short_nor_too_long(columns: int, width: int) -> None:
    assert clamp_width(columns) == width


def test_only_terminals_have_a_width_and_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("TERM", "xterm")
    assert (find_width(io.StringIO()), find_width(Terminal())) == (None, 70)
    assert (supports_rich(io.StringIO()), supports_rich(Terminal())) == (False, True)
    monkeypatch.setenv("TERM", "dumb")
    assert not supports_rich(Terminal())


def test_lines_become_ascii_and_other_characters_escapes_where_need_be() -> None:
    ascii_file = io.TextIOWrapper(io.BytesIO(), "ascii")
    assert fit_encoding("┌─┐ é", ascii_file) == r"+-+ \xe9"
    assert fit_encoding("┌─┐ é", io.TextIOWrapper(io.BytesIO(), "utf-8")) == "┌─┐ é"
    assert fit_encoding("┌─┐", io.StringIO()) == "┌─┐"
