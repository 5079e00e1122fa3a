"""Run a script in another process that does not import LangChain again, which takes seconds.

A server forks it, which has imported packages of others, nothing of this package or of LangGraph.
What Python itself does as a process ends is left out: a test of that starts a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final, Literal, cast

from tests.support.patience import PATIENCE
from tests.support.strict import STRICT

_Action = Literal["error", "ignore"]
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["langchain_openai", "langgraph_sdk"])


class OtherProcess:
    """A running script, in which warnings are errors.

    Args:
        script: The name of a module, or Python code of more than one line.
        *arguments: What it finds in `sys.argv`.
        environ: Its variables.
    """

    def __init__(self, script: str, *arguments: str, environ: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        streams = [str(Path(self._folder.name, name)) for name in ("printed", "complaint")]
        self._process = _FORKS.Process(
            target=_run, args=(script, arguments, dict(environ), *streams)
        )
        self._process.start()

    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.is_alive()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.kill()

    def finish(self) -> CompletedProcess[str]:
        """Wait for its end; returns its status, negative for a signal, and what it printed."""
        self._process.join(PATIENCE)
        assert self._process.exitcode is not None, "it did not end"
        with self._folder as folder:
            streams = [Path(folder, name) for name in ("printed", "complaint")]
            printed, complaint = [one.read_text(encoding="utf-8") for one in streams]
        return CompletedProcess([], self._process.exitcode, printed, complaint)


def run_script(script: str, *arguments: str, environ: Mapping[str, str]) -> CompletedProcess[str]:
    """Run a script to its end, see `OtherProcess`."""
    return OtherProcess(script, *arguments, environ=environ).finish()


def _run(
    script: str, arguments: tuple[str, ...], environ: dict[str, str], out: str, err: str
) -> None:
    for path, stream in ((out, 1), (err, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, stream)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments
    for option in STRICT[1::2]:
        action, _, rest = option.partition(":")
        warnings.filterwarnings(cast("_Action", action), rest.rpartition(":")[0])
    if "\n" in script:
        exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as `-c` does
    else:
        runpy.run_module(script, run_name="__main__", alter_sys=True)
