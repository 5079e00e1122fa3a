"""The outputs that `show` chooses from."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest
from langchain_core.messages import AIMessage

from langchain_asi_one.display._outputs import (
    NotebookOutput,
    PlainOutput,
    RichOutput,
    choose_output,
    is_notebook,
)
from langchain_asi_one.display._show import card
from tests.support.terminal import Terminal


def test_a_file_is_written_once_and_at_the_end() -> None:
    out = io.StringIO()
    output = choose_output(out)
    assert type(output) is PlainOutput
    output.update(card(AIMessage("H")))
    assert out.getvalue() == ""
    output.finish(card(AIMessage("Hi")))
    assert out.getvalue() == "Answer\n  Hi\n"


def test_a_terminal_is_coloured_unless_it_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert type(choose_output(Terminal())) is RichOutput
    monkeypatch.setenv("TERM", "dumb")
    assert type(choose_output(Terminal())) is PlainOutput


def test_a_kernel_is_a_notebook_unless_a_file_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_notebook()
    for shell, expected in [(None, False), (object(), False), (SimpleNamespace(kernel=1), True)]:
        module = SimpleNamespace(get_ipython=lambda shell=shell: shell)
        monkeypatch.setitem(sys.modules, "IPython", module)
        assert is_notebook() is expected
    assert type(choose_output(None)) is NotebookOutput
    assert type(choose_output(io.StringIO())) is PlainOutput
