"""The options of the commands. Importing this is fast, so that `--help` answers at once."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._model_profiles import PROFILES
from langchain_asi_one._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPILOG: Final = """\
Without --offline the live API is asked, with the key in ASI_ONE_API_KEY and at ASI_ONE_BASE_URL
if that is set. {more}Exit status: 0 answered, 1 the request failed, 2 wrong usage or no key,
130 interrupted, 141 nobody reads the output."""
_FIELDS: Final = ("model", "session_id", "web_search", "planner_mode")


def make_parser(program: str, description: str, *, more: str = "") -> argparse.ArgumentParser:
    """Return a parser of the shared options; `more` is a sentence for the end of the help."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=_EPILOG.format(more=more),
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
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


def parse_question(text: str) -> str:
    """Return a question that is not empty."""
    if not text.strip():
        msg = "the question is empty"
        raise argparse.ArgumentTypeError(msg)
    return text


def read_question_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options of `python -m langchain_asi_one`."""
    parser = make_parser(
        "python -m langchain_asi_one", "Ask ASI:One a question, through a LangGraph graph."
    )
    parser.add_argument("question", type=parse_question, help="what to ask")
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
        "--json", action="store_true", default=False, help="print one JSON object, nothing else"
    )
    return parser.parse_args(arguments)


def list_model_fields(options: argparse.Namespace) -> dict[str, Any]:
    """Return the given options that are fields of `ChatASIOne`."""
    return {name: value for name, value in vars(options).items() if name in _FIELDS}
