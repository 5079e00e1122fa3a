"""Ask an agent from a shell: ``python -m langchain_asi_one.agents ask ADDRESS "question"``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status.

    `arguments` are by default those of the process.
    """
    from langchain_asi_one._cli import agents  # noqa: PLC0415 - commands stand above all else

    return agents.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
