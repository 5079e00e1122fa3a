"""A web server of a guide, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from tests.support.patience import PATIENCE


@contextmanager
def serving(start: Callable[[str], subprocess.Popen[str]], path: str = "/") -> Iterator[str]:
    """Run a web server, and give its address.

    Args:
        start: Starts it on a port.
        path: A path to ask for, to see whether it runs.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = start(str(port))
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                httpx.get(f"{address}{path}")
            except httpx.ConnectError:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                break
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
