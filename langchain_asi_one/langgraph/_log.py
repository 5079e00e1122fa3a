"""Errors of a developer's function in logs and results: they may quote an agent or a model."""

import logging
import traceback
from typing import Final

from langchain_asi_one._json.printable import one_line
from langchain_asi_one._json.safe import safe_text

_MAX_TEXT: Final = 500


def describe_error(error: BaseException) -> str:
    """Return the class and the message of an error as one printable line, cut if long."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - an exception of a stranger may not even print
        message = ""
    text = f"{type(error).__name__}: {message[: 2 * _MAX_TEXT]}".removesuffix(": ")
    line = one_line(safe_text(text))
    return line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}…"


def log_places(logger: logging.Logger, error: BaseException) -> None:
    """Log at level DEBUG where an error was raised, without its message."""
    logger.debug("%s", "".join(traceback.format_tb(error.__traceback__)))
