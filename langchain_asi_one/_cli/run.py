"""How a command runs, and the command that asks one question.

It owns the streams, the complaints and the exit status.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from contextlib import aclosing
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final, cast

from langchain_core.messages import AIMessage

from langchain_asi_one._cli.ask import (
    CannotAskError,
    Endpoint,
    Model,
    PlanUpdate,
    TextDelta,
    ask,
    open_model,
    to_data,
    wait_for_answers,
)
from langchain_asi_one._cli.options import collect_model_arguments
from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one.display._printer import Printer, choose_printer
from langchain_asi_one.display._sections import ANSWER, THOUGHT
from langchain_asi_one.errors import ASIOneError

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncGenerator, Callable

_FAILED, _USAGE, _INTERRUPTED, _BROKEN_PIPE = 1, 2, 130, 141
_PACE: Final = 0.02
_TITLES: Final = {"thought": THOUGHT, "answer": ANSWER}


def run_question(options: argparse.Namespace) -> int:
    """Ask the question, show the answer and return the exit status."""
    return run_command(lambda: _answer(options))


def run_command(work: Callable[[], None]) -> int:
    """Do the work of a command and return the exit status.

    A failure is reported in one line.
    """
    if sys.stdout is None:
        complain("error", "standard output is closed, so the answer could not be written.")
        return _USAGE
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not an exception.
            stream.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain("warning", str(message))
        try:
            work()
            sys.stdout.flush()
        except KeyboardInterrupt:
            complain("error", "interrupted.")
            return _INTERRUPTED
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


def complain(kind: str, text: str) -> None:
    """Write an error or a warning to stderr, in one line.

    It may quote the API.
    """
    if sys.stderr is not None:  # `print` would write to stdout
        print(f"{kind}: {make_one_line(text)}", file=sys.stderr, flush=True)


def print_endpoint(printer: Printer, endpoint: Endpoint) -> None:
    """Print where requests go: the API in green, the stand-in in yellow."""
    printer.print_notice(str(endpoint), "bold green" if endpoint.kind == "live" else "bold yellow")


def _answer(options: argparse.Namespace) -> None:
    pace = _PACE if sys.stdout.isatty() and not options.json else 0
    show = _show_data if options.json else _show
    arguments = collect_model_arguments(options)
    with open_model(offline=options.offline, pace=pace, **arguments) as (endpoint, model):
        asking = model if options.wait is None else wait_for_answers(model, options.wait)
        asyncio.run(show(endpoint, asking, options.question))


async def _show_data(endpoint: Endpoint, model: Model, question: str) -> None:
    items = [item async for item in ask(model, question)]
    (message,) = (item for item in items if isinstance(item, AIMessage))
    print(json.dumps(to_data(endpoint, message), indent=2))


async def _show(endpoint: Endpoint, model: Model, question: str) -> None:
    printer = choose_printer(sys.stdout)
    print_endpoint(printer, endpoint)
    try:
        async with aclosing(
            cast("AsyncGenerator[TextDelta | PlanUpdate | AIMessage]", ask(model, question))
        ) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    printer.print_delta(_TITLES[item.kind], item.text)
                elif isinstance(item, PlanUpdate):
                    printer.print_plan(item.plan_state)
                else:
                    printer.print_message(item)
    finally:
        printer.end_section()
