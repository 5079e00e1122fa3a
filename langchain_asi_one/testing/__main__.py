"""The stand-in as a command: ``python -m langchain_asi_one.testing``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

from langchain_asi_one.testing import local_asi_one
from langchain_asi_one.testing._faults import list_faults
from langchain_asi_one.testing._replies import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

_USAGE = """\
Local stand-in for ASI:One (not the API: fixed rules, no model)

  base URL  {url}
  key       any text

Use it:
  {base_url}
  {api_key}

Write one of these into a prompt to choose the answer (--list shows all names):
  [fault: http_429 retry_after=1 times=1]   [fault: stall seconds=5]
  [sample: asi1-mini-2025-02-stream-thought.sse]   [deferred: 2]

Stop it with Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    Args:
        arguments: Command-line arguments; those of the process by default.

    Returns:
        Exit status: 0 after an interrupt, 2 if the server may not or cannot listen.
    """
    options = _build_parser().parse_args(arguments)
    if options.list:
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `--list | head` ends quietly
        print(_list_names())
        return 0
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    try:
        with local_asi_one(
            host=options.host,
            port=options.port,
            allow_remote=options.allow_remote,
            chunk_delay=options.chunk_delay,
        ) as server:
            print(describe_use(server.base_url, sys.platform), flush=True)
            interrupted.wait()
    except (ValueError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    return 0


def describe_use(url: str, platform: str) -> str:
    """Describe what runs, with lines to paste into a shell."""
    form = '$env:{} = "{}"' if platform == "win32" else "export {}={}"
    base_url = form.format("ASI_ONE_BASE_URL", url)
    return _USAGE.format(
        url=url, base_url=base_url, api_key=form.format("ASI_ONE_API_KEY", "any-text")
    )


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langchain_asi_one.testing", description="A local stand-in for ASI:One."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="TCP port (default: a free one)")
    parser.add_argument(
        "--allow-remote", action="store_true", help="permit a host that others can reach"
    )
    parser.add_argument(
        "--chunk-delay",
        type=float,
        default=0.02,
        help="seconds between the pieces of a stream (default: %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="list faults and samples, then exit")
    return parser


def _list_names() -> str:
    found = [f"  {name:<27} {text}" for name, text in list_faults().items()]
    samples = sorted(f"  {path.name}" for path in SAMPLES.iterdir() if path.suffix != ".md")
    return "\n".join(["Faults:", *found, "", "Samples:", *samples])


if __name__ == "__main__":
    sys.exit(main())
