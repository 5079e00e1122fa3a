"""Ask ASI:One from a shell: ``python -m langchain_asi_one "question"``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from langchain_asi_one._cli.options import read_question_options

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask the question and return the exit status.

    `arguments` are by default those of the process.
    """
    options = read_question_options(arguments)
    try:
        # Takes a second, which help and usage errors need not wait for.
        from langchain_asi_one._cli.run import run_question  # noqa: PLC0415
    except KeyboardInterrupt:
        print("error: interrupted.", file=sys.stderr)
        return 130
    return run_question(options)


if __name__ == "__main__":
    sys.exit(main())
