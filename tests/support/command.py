"""The commands of this package: in this process, or as processes of their own."""

from __future__ import annotations

import io
import logging
import os
import pty
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TextIO
from unittest.mock import patch

import langchain_asi_one.__main__ as question
from tests.support.other_process import OtherProcess
from tests.support.patience import PATIENCE

COMMAND: Final = (sys.executable, "-m", "langchain_asi_one")
_ROOT: Final = Path(__file__).parents[2]
# What Python ignores unless it is told to show it.
_IGNORED: Final = (
    DeprecationWarning,
    PendingDeprecationWarning,
    ImportWarning,
    ResourceWarning,
)

Main = Callable[[Sequence[str]], int]
Finished = subprocess.CompletedProcess[str]


def environment(added: Mapping[str, str]) -> dict[str, str]:
    ours = {"PYTHONPATH": str(_ROOT), "PYTHONIOENCODING": "utf-8"}
    return {**os.environ, **ours, **added}


def run_process(*command: str, **added: str) -> Finished:
    """Run a command as a user does; each start takes seconds, nearly all of them imports."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
        env=environment(added),
    )


def run_unread(module: str, *arguments: str, **added: str) -> Finished:
    """Run a command in another process, with an output that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        other = OtherProcess(module, *arguments, environ=environment(added), stdout=writer)
    finally:
        os.close(writer)
    return other.finish()


@contextmanager
def start_read(
    module: str, *arguments: str, **added: str
) -> Iterator[tuple[OtherProcess, IO[bytes]]]:
    """Start a command in another process; give it, and what it prints, as that comes."""
    input_end, kept = os.pipe()
    reader, writer = os.pipe()
    environ = environment(added)
    process = OtherProcess(module, *arguments, environ=environ, stdin=input_end, stdout=writer)
    os.close(input_end)
    os.close(writer)
    guard = threading.Timer(PATIENCE, process.kill)  # or what does not come is waited for
    guard.start()
    try:
        with os.fdopen(reader, "rb", buffering=0) as printed:
            yield process, printed
            printed.read()  # until its end
    finally:
        guard.cancel()
        os.close(kept)


def run(*arguments: str, **added: str) -> Finished:
    """Ask a question in this process, see `run_main`."""
    return run_main(question.main, arguments, added)


def run_main(
    main: Main, arguments: Sequence[str], added: Mapping[str, str], typed: str = ""
) -> Finished:
    """Run a command in this process, with streams, variables and warnings of its own."""
    encoding = added.get("PYTHONIOENCODING", "utf-8")
    out, err = io.BytesIO(), io.BytesIO()
    streams = (
        io.TextIOWrapper(io.BytesIO(typed.encode(encoding)), encoding),
        io.TextIOWrapper(out, encoding),
        io.TextIOWrapper(err, encoding, errors="backslashreplace"),
    )
    status = _status(main, arguments, streams, added)
    printed, complaint = out.getvalue().decode(encoding), err.getvalue().decode(encoding)
    return subprocess.CompletedProcess(arguments, status, printed, complaint)


def run_on_terminal(*arguments: str, **added: str) -> tuple[int, bytes]:
    """Ask a question in this process, on a terminal of its own."""
    controller, terminal = pty.openpty()
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.extend(pieces(controller)))
    reader.start()
    try:
        with (
            open(terminal, encoding="utf-8", closefd=False) as stdin,
            open(terminal, "w", encoding="utf-8", closefd=False) as stdout,
        ):
            status = _status(question.main, arguments, (stdin, stdout, stdout), added)
    finally:
        os.close(terminal)
        reader.join(PATIENCE)
        os.close(controller)
    return status, b"".join(received)


def pieces(controller: int) -> Iterator[bytes]:
    """What is written to a terminal, until the last process has closed it."""
    while True:
        try:
            data = os.read(controller, 65536)
        except OSError:  # so it ends on Linux
            return
        if not data:
            return
        yield data


def _status(
    main: Main,
    arguments: Sequence[str],
    streams: tuple[TextIO, TextIO, TextIO],
    added: Mapping[str, str],
) -> int:
    stdin, stdout, stderr = streams
    with (
        patch.multiple(sys, stdin=stdin, stdout=stdout, stderr=stderr),
        patch.dict(os.environ, added),
        # Without pytest's: what is logged goes to stderr, as where nobody has set it up.
        patch.object(logging.root, "handlers", []),
        warnings.catch_warnings(),
    ):
        warnings.resetwarnings()
        for category in _IGNORED:
            warnings.simplefilter("ignore", category)
        try:
            status = main(arguments)
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        stdout.flush()
        stderr.flush()
    return status
