"""Forks Python processes, so that they need not import LangChain, which takes seconds.

::

    python -m tests.support.fork_server DESCRIPTOR

The descriptor is that of a connected socket. With each byte come five descriptors: a file with an
order, the three streams of the process, and a pipe for its number and its status. The server has
imported packages of others, nothing of this package or of LangGraph. A process ends as any other:
with all that Python does then.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import sys
import warnings
from types import ModuleType
from typing import Final, Literal, cast

import coverage
import langchain_openai  # noqa: F401 - this and the next are what takes seconds
import langgraph_sdk  # noqa: F401

from tests.support.strict import STRICT

_Action = Literal["error", "ignore"]
_DESCRIPTORS: Final = 5


def main(connection: socket.socket) -> None:
    """Serve until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # or each process looks through all of that
    while True:
        byte, descriptors, *_ = socket.recv_fds(connection, 1, _DESCRIPTORS)
        if not byte:
            break
        if not os.fork():
            connection.close()
            _keep(*descriptors)
            return
        for one in descriptors:
            os.close(one)


def _keep(order: int, stdin: int, stdout: int, stderr: int, status: int) -> None:
    """Fork the process, and tell how it ended."""
    if child := os.fork():
        for one in (order, stdin, stdout, stderr):
            os.close(one)
        os.write(status, f"{child}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.write(status, f"{code}\n".encode())
        os._exit(0)
    os.close(status)
    for own, one in enumerate((stdin, stdout, stderr)):
        os.dup2(one, own)
        os.close(one)
    with os.fdopen(order, encoding="utf-8") as file:
        _run(**json.load(file))


def _run(script: str, arguments: list[str], environ: dict[str, str], folder: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    coverage.process_startup(force=True)  # if a variable says so
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for option in STRICT[1::2]:
        action, _, rest = option.partition(":")
        warnings.filterwarnings(cast("_Action", action), rest.rpartition(":")[0])
    sys.argv[1:] = arguments
    # Those of the server take a pipe for a file.
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
    if "\n" in script:
        # As with `-c`: what its names hold lives until Python has nearly ended.
        program = sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(script, "<script>", "exec"), program.__dict__)  # noqa: S102
    elif script.endswith(".py"):
        sys.path.insert(0, folder)
        runpy.run_path(script, run_name="__main__")
    else:
        runpy.run_module(script, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
