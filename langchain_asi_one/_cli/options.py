"""The options of the commands.

Importing this is fast, so `--help` answers at once.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._model_profiles import PROFILES
from langchain_asi_one._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

SHORT_NAME: Final = "asi-one"
"""The installed command; it does the same as `python -m langchain_asi_one`."""

_EPILOG: Final = (
    "The question is all other words. {default} it is read from standard input. "
    "Without --offline the API is asked, with the key in ASI_ONE_API_KEY and at ASI_ONE_BASE_URL "
    "if that is set. {more}Exit status: 0 answered, 1 the request failed, 2 wrong usage or no key, "
    "130 interrupted, 141 nobody reads the output."
)
_NO_ARGUMENTS: Final = ("question", "offline", "json", "wait", "allow", "review", "direct")


def make_parser(
    program: str, description: str, *, question: str = "", more: str = ""
) -> argparse.ArgumentParser:
    """Return a parser of the shared options.

    Args:
        program: Name of the command.
        description: What it does.
        question: The question if none is given; `""` to read it from standard input.
        more: A sentence for the end of the help.
    """
    default = f"By default it is {question!r}; for -," if question else "Without one, or for -,"
    parser = argparse.ArgumentParser(
        prog=program,
        usage="%(prog)s [options] [question ...]",
        description=description,
        epilog=_EPILOG.format(default=default, more=more),
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    parser.set_defaults(question=question)
    parser.add_argument("--model", help=f"{', '.join(PROFILES)} (default: asi1)")
    parser.add_argument(
        "--session",
        dest="session_id",
        metavar="ID",
        help="go on in this session (default: a new one)",
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        default=False,
        help="ask the local stand-in (extra `testing`), no key",
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def read_options(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None
) -> argparse.Namespace:
    """Read the options and the question.

    `None` stands for the arguments of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    options, words = parser.parse_known_args(given[:end])
    for word in words:
        # Text that begins with a dash is a question if it has several words or is a number.
        if word.startswith("-") and word != "-" and not word[1].isdigit() and " " not in word:
            parser.error(_describe_unknown(parser, word))
    words += given[end + 1 :]
    if words == ["-"] or not (words or options.question):
        options.question = _read_stdin(parser)
    elif words:
        options.question = " ".join(words)
    if not options.question.strip():
        parser.error("the question is empty")
    return options


def read_question_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options of `python -m langchain_asi_one`."""
    name = PurePath(sys.argv[0]).stem
    parser = make_parser(
        name if name == SHORT_NAME else "python -m langchain_asi_one",
        "Ask ASI:One a question, through a LangGraph graph.",
    )
    parser.add_argument(
        "--web-search",
        action="store_true",
        default=argparse.SUPPRESS,
        help="let ASI:One search the web",
    )
    parser.add_argument(
        "--planner",
        dest="planner_mode",
        action="store_true",
        default=argparse.SUPPRESS,
        help="let ASI:One plan and ask agents of Agentverse",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=None,
        metavar="SECONDS",
        help="if the answer comes later, ask for it each SECONDS, such as 20; 15 times at most",
    )
    parser.add_argument(
        "--json", action="store_true", default=False, help="print one JSON object, nothing else"
    )
    return read_options(parser, arguments)


def collect_model_arguments(options: argparse.Namespace) -> dict[str, Any]:
    """Collect the options for `ChatASIOne`, which refuses unknown ones."""
    return {name: value for name, value in vars(options).items() if name not in _NO_ARGUMENTS}


def _describe_unknown(parser: argparse.ArgumentParser, word: str) -> str:
    known = [name for action in parser._actions for name in action.option_strings]  # noqa: SLF001
    option = word.partition("=")[0]
    near = difflib.get_close_matches(option, known, n=1)
    advice = f"Did you mean {near[0]}?" if near else "A question that begins with - goes after --."
    return f"unrecognized argument: {word}. {advice}"


def _read_stdin(parser: argparse.ArgumentParser) -> str:
    if sys.stdin is None or sys.stdin.isatty():
        parser.error("there is no question: write it after the options, or pipe it in")
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as problem:
        parser.error(f"the question is not text in {problem.encoding}")
