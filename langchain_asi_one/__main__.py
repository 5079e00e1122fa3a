"""Ask ASI:One from a shell: ``python -m langchain_asi_one "question"``."""

from __future__ import annotations

import argparse
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING

from langchain_asi_one._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130
_EPILOG = """\
Without --offline the live API is asked, with the key in ASI_ONE_API_KEY and at ASI_ONE_BASE_URL
if that is set. Exit status: 0 answered, 1 the call failed, 2 wrong usage or no key,
130 interrupted, 141 nobody reads the output."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask the question.

    Args:
        arguments: Command-line arguments; those of the process by default.

    Returns:
        Exit status, as the help tells.
    """
    options = _options(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not an exception.
            stream.reconfigure(errors="backslashreplace")
    try:
        # Takes a second, which help and usage errors need not wait for.
        from langchain_asi_one._cli.run import run  # noqa: PLC0415

        return run(options)
    except KeyboardInterrupt:
        print("error: interrupted.", file=sys.stderr)
        return _INTERRUPTED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_asi_one",
        description="Ask ASI:One a question, through a LangGraph graph.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("question", type=_question, help="what to ask")
    parser.add_argument("--model", help="asi1, asi1-ultra or asi1-mini (default: asi1)")
    parser.add_argument(
        "--session", metavar="ID", help="go on in this session (default: a new one)"
    )
    parser.add_argument("--web-search", action="store_true", help="let ASI:One search the web")
    parser.add_argument(
        "--planner", action="store_true", help="let ASI:One plan and ask agents of Agentverse"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, nothing else")
    parser.add_argument(
        "--offline", action="store_true", help="ask the local stand-in (extra `testing`), no key"
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser.parse_args(arguments)


def _question(text: str) -> str:
    if not text.strip():
        msg = "the question is empty"
        raise argparse.ArgumentTypeError(msg)
    return text


if __name__ == "__main__":
    sys.exit(main())
