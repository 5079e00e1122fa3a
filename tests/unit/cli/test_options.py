"""Options of the commands."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import langchain_asi_one.__main__ as asked
from langchain_asi_one._cli import agents, route
from langchain_asi_one._cli.ask import CannotAskError, open_model
from langchain_asi_one._cli.options import (
    SHORT_NAME,
    collect_model_arguments,
    make_parser,
    read_options,
    read_question_options,
)

ROOT = Path(__file__).parents[3]


def test_only_what_is_given_becomes_a_field_of_the_model() -> None:
    assert collect_model_arguments(read_question_options(["Hi"])) == {}
    options = read_question_options(
        ["--model", "asi1", "--session", "s", "--web-search", "Hi", "--planner", "--json"]
    )
    assert collect_model_arguments(options) == {
        "model": "asi1",
        "session_id": "s",
        "web_search": True,
        "planner_mode": True,
    }
    assert (options.question, options.json, options.offline) == ("Hi", True, False)


@pytest.mark.parametrize(
    ("main", "command"),
    [(asked.main, []), (route.main, []), (agents.main, []), (agents.main, ["ask"])],
)
@pytest.mark.parametrize("columns", [80, 100])
def test_help_fits_the_terminal(
    main: Callable[[list[str]], int],
    command: list[str],
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    lines = capsys.readouterr().out.splitlines()
    assert "Exit status" in " ".join(lines)
    assert [line for line in lines if len(line) > columns] == []


def test_a_default_question_is_asked_if_there_is_none() -> None:
    parser = make_parser("p", "d", question="Default?")
    assert read_options(parser, []).question == "Default?"
    assert read_options(parser, ["Other?"]).question == "Other?"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--modle", "asi1"], "unrecognized argument: --modle. Did you mean --model?"),
        (["--web-seach=1"], "unrecognized argument: --web-seach=1. Did you mean --web-search?"),
        (["-q", "x"], "unrecognized argument: -q. A question that begins with - goes after --."),
        (["--sess", "x"], "Did you mean --session?"),
        (["--", " "], "the question is empty"),
    ],
)
def test_wrong_usage_says_what_is_meant(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        read_question_options(arguments)
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_terminal_is_not_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stdin in (Terminal("never read"), None):
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit):
            read_question_options([])
        assert "there is no question: write it after the options" in capsys.readouterr().err


def test_what_is_no_text_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), "utf-8"))
    with pytest.raises(SystemExit):
        read_question_options(["-"])
    assert "the question is not text in utf-8" in capsys.readouterr().err


def test_the_short_name_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"][SHORT_NAME].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys; from langchain_asi_one._cli.options import read_question_options as read\n"
        "try: read(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('langchain_core', 'openai', 'langgraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_option_that_nothing_knows_is_refused_by_its_name() -> None:
    parser = make_parser("p", "d")
    parser.add_argument("--temprature", type=float)
    options = read_options(parser, ["--temprature", "1", "Hi"])
    with (
        pytest.raises(CannotAskError, match="temprature"),
        open_model(offline=True, **collect_model_arguments(options)),
    ):
        pass
