"""Watch the example graph route agents: ``python -m langchain_asi_one.langgraph --offline``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return the exit status.

    `arguments` are by default those of the process.
    """
    from langchain_asi_one._cli import route  # noqa: PLC0415 - commands stand above all else

    return route.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
