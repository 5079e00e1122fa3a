"""Run Python in another process that does not import LangChain again, which takes seconds."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final

from tests.support.patience import PATIENCE

_ROOT: Final = Path(__file__).parents[2]
_TRACED: Final = "COVERAGE_PROCESS_CONFIG"


@cache
def _connect() -> socket.socket:
    """Start the server that forks."""
    ours, its = socket.socketpair()
    # A process is traced from its own start.
    environ = {name: value for name, value in os.environ.items() if name != _TRACED}
    command = [sys.executable, "-m", "tests.support.fork_server", str(its.fileno())]
    server = subprocess.Popen(
        command,
        cwd=_ROOT,
        env=environ,
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    its.close()

    @atexit.register
    def end() -> None:
        ours.close()
        server.wait()

    return ours


class OtherProcess:
    """A running script, in which warnings are errors.

    Args:
        script: The name of a module or of a file, or Python code of more than one line.
        *arguments: What it finds in `sys.argv`.
        environ: Its variables.
        folder: Its working directory.
        stdin: Descriptor of its standard input; by default there is nothing to read.
        stdout: Descriptor of its standard output; by default `finish` returns it.
        stderr: The same for its standard error.
    """

    def __init__(
        self,
        script: str,
        *arguments: str,
        environ: Mapping[str, str],
        folder: Path = _ROOT,
        stdin: int | None = None,
        stdout: int | None = None,
        stderr: int | None = None,
    ) -> None:
        order = {"script": script, "arguments": arguments, "environ": {**environ}}
        self._printed, self._complaint = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - `finish` closes both
        reading, writing = os.pipe()
        self._status = os.fdopen(reading, "rb", buffering=0)
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8") as file,
            Path(os.devnull).open() as nothing,
        ):
            json.dump({**order, "folder": str(folder)}, file)
            file.seek(0)
            given = (stdin, nothing), (stdout, self._printed), (stderr, self._complaint)
            streams = [other.fileno() if own is None else own for own, other in given]
            socket.send_fds(_connect(), [b"."], [file.fileno(), *streams, writing])
        os.close(writing)
        self._number = int(self._status.readline())

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return not select.select([self._status], [], [], 0)[0]

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self._number, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def finish(self) -> CompletedProcess[str]:
        """Wait for its end; returns its status, negative for a signal, and what it printed."""
        assert select.select([self._status], [], [], PATIENCE)[0], "it did not end"
        with self._status, self._printed as printed, self._complaint as complaint:
            status = int(self._status.readline())
            for file in (printed, complaint):
                file.seek(0)
            texts = [file.read().decode("utf-8") for file in (printed, complaint)]
        return CompletedProcess([], status, *texts)


def run_script(script: str, *arguments: str, environ: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a script to its end, see `OtherProcess`."""
    return OtherProcess(script, *arguments, environ=environ).finish()
