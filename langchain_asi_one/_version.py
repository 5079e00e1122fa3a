"""The version, read by the build, and what is not installed."""

from __future__ import annotations

import sys

__version__ = "0.1.0"
"""Version of this package, as in its `CHANGELOG.md`."""


def make_missing_error(module: str, packages: str, missing: ImportError) -> ImportError:
    """Make the error of a module whose packages are not installed.

    A command (`python -m`) of that module ends here instead, with one line and exit status 2.

    Args:
        module: The module that needs them.
        packages: What to install.
        missing: The error of the import.
    """
    name = (missing.name or packages).partition(" ")[0].partition(".")[0]
    msg = f"{module} needs {name}, which is not installed; run: pip install {packages}"
    # The interpreter imports the package of a command before the command, with this as its name.
    if sys.argv[:1] == ["-m"] and module in sys.orig_argv:
        sys.stderr.write(f"error: {msg}\n")
        raise SystemExit(2)
    return ImportError(msg, name=name)
