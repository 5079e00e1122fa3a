"""Errors of a developer's function, in logs without their text.

The text may quote an agent or a model.
"""

import logging
import traceback


def log_places(logger: logging.Logger, error: BaseException) -> None:
    """Log at level DEBUG where an error was raised, without its message."""
    logger.debug("%s", "".join(traceback.format_tb(error.__traceback__)))
