"""What `python -m langchain_asi_one` does once its arguments are read: job, screen, exit status."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from contextlib import aclosing
from typing import TYPE_CHECKING, cast

from langchain_core.messages import AIMessage

from langchain_asi_one._cli.ask import CannotAskError, Piece, Source, as_data, ask, asked
from langchain_asi_one._cli.screen import complain, screen_on
from langchain_asi_one.errors import ASIOneError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncGenerator, Callable

    from langchain_asi_one.chat_models import ChatASIOne

_FAILED, _USAGE, _BROKEN_PIPE = 1, 2, 141
_PACE = 0.02


def run(options: argparse.Namespace) -> int:
    """Ask the question and show the answer.

    Args:
        options: The arguments, as `langchain_asi_one.__main__` reads them.

    Returns:
        Exit status.
    """
    return status_of(lambda: _answer(options))


def status_of(job: Callable[[], None]) -> int:
    """Do the work of a command, and tell what went wrong in one line on stderr.

    Args:
        job: Asks and prints.

    Returns:
        Exit status, as the commands' help tells.
    """
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain("warning", str(message))
        try:
            job()
            sys.stdout.flush()
        except CannotAskError as problem:
            complain("error", str(problem))
            return _USAGE
        except BrokenPipeError:
            # Python flushes once more when it exits, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return _BROKEN_PIPE
        except (ASIOneError, OSError) as problem:
            complain("error", str(problem))
            return _FAILED
    return 0


def _answer(options: argparse.Namespace) -> None:
    fields = {
        "model": options.model,
        "session_id": options.session,
        "web_search": options.web_search or None,
        "planner_mode": options.planner or None,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    pace = _PACE if sys.stdout.isatty() and not options.json else 0
    show = _show_data if options.json else _show
    with asked(offline=options.offline, pace=pace, **given) as (source, model):
        asyncio.run(show(source, model, options.question))


async def _show_data(source: Source, model: ChatASIOne, question: str) -> None:
    items = [item async for item in ask(model, question)]
    (message,) = (item for item in items if isinstance(item, AIMessage))
    print(json.dumps(as_data(source, message), indent=2))


async def _show(source: Source, model: ChatASIOne, question: str) -> None:
    screen = screen_on(sys.stdout)
    screen.source(source)
    try:
        async with aclosing(
            cast("AsyncGenerator[Piece | AIMessage]", ask(model, question))
        ) as items:
            async for item in items:
                if isinstance(item, Piece):
                    screen.piece(item)
                else:
                    screen.message(item)
    finally:
        screen.end()
