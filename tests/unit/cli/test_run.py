"""Exit statuses and complaints of the commands."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

import pytest

from langchain_asi_one._cli.ask import CannotAskError
from langchain_asi_one._cli.run import complain, run_command
from langchain_asi_one.errors import ASIOneConnectionError


def fail_with(error: BaseException) -> Callable[[], NoReturn]:
    def work() -> NoReturn:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "status", "complaint"),
    [
        (CannotAskError("no\nkey"), 2, "error: no key\n"),
        (KeyboardInterrupt(), 130, "error: interrupted.\n"),
        (OSError("disk \x1b full"), 1, "error: disk \\x1b full\n"),
        (ASIOneConnectionError("no way"), 1, "error: no way\n"),
    ],
)
def test_a_failure_is_one_line_and_a_status(
    error: BaseException, status: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(fail_with(error)) == status
    assert capsys.readouterr() == ("", complaint)


def test_a_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        warnings.warn("old\nmodel", UserWarning, stacklevel=1)
        sys.stdout.write("out\n")

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert run_command(work) == 0
    assert capsys.readouterr() == ("out\n", "warning: old model\n")


def test_without_a_standard_error_nothing_is_written_to_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    complain("error", "text")
    assert capsys.readouterr().out == ""
