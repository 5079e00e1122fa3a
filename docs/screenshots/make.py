"""Make the screenshots of the README: `make screenshots`.

The cards are drawn by a real Chromium, light and dark. The terminal is a real xterm on a virtual X
server; what runs in it is the command that its first line shows, and its window is captured. Each
file names what it shows by a fingerprint, so that a test notices when it is no longer current.
"""
# ruff: noqa: INP001, S603, S607 - no package; it runs the programs that `_PROGRAMS` names

from __future__ import annotations

import os
import shlex
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from docs.screenshots.scenes import COLUMNS, COMMAND, Picture, cards, pictures
from langchain_asi_one.display._card import Card
from tests.support.browser.chromium import running_chromium

FOLDER: Final = Path(__file__).parent
LARGEST: Final = 300_000
"""Most bytes of a file: a README is loaded often."""

_PROGRAMS: Final = {
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
    "Xvfb": "xvfb",
    "xterm": "xterm",
    "bash": "bash",
    "convert": "imagemagick",
    "import": "imagemagick",
    "fc-match": "fontconfig",
}
_FONT: Final = "DejaVu Sans Mono"
_SECONDS: Final = 60
_PAGE: Final = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ margin: 0; color-scheme: light dark; background: #ffffff; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #0d1117; }} }}
main {{ width: 740px; padding: 8px 12px; }}</style><main>{card}</main></html>"""
_COLOURS: Final = {
    "color3": "#d29922",
    "color11": "#e3b341",
    "color6": "#39c5cf",
    "color14": "#56d4dd",
}
_TERMINAL: Final = [
    *("-u8", "+sb", "-b", "14", "-bg", "#0d1117", "-fg", "#e6edf3", "-fa", _FONT, "-fs", "12"),
    *(part for name, colour in _COLOURS.items() for part in ("-xrm", f"XTerm*{name}: {colour}")),
]


def missing_programs() -> list[str]:
    """Name the Debian packages of the programs that are not there."""
    missing = {package for program, package in _PROGRAMS.items() if not shutil.which(program)}
    if shutil.which("fc-match"):
        found = subprocess.run(["fc-match", _FONT], capture_output=True, text=True, check=True)
        missing |= set() if "DejaVuSansMono" in found.stdout else {"fonts-dejavu-core"}
    return sorted(missing)


def shoot_cards(shown: dict[str, Card], folder: Path) -> None:
    """Draw each card in the browser, its thought unfolded by a click, light and dark."""
    with running_chromium(folder / "profile") as browser:
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 780, "height": 2000, "deviceScaleFactor": 1.5, "mobile": False},
        )
        for name, card in shown.items():
            page = folder / f"{name}.html"
            html = _PAGE.format(title=name, card=card._repr_html_())
            page.write_text(html, encoding="utf-8")
            for scheme in ("light", "dark"):
                feature = {"name": "prefers-color-scheme", "value": scheme}
                browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
                browser.get(page.as_uri())
                for summary in browser.find_elements("css selector", "summary"):
                    if summary.text.startswith("Thought"):
                        summary.click()
                browser.execute_script("document.activeElement.blur()")
                main = browser.find_element("css selector", "main")
                main.screenshot(str(folder / f"{name}-{scheme}.png"))


@contextmanager
def running_display() -> Iterator[str]:
    """Start a virtual X server on a free display."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1600x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            msg = "Xvfb ended before it named a display; run it by hand to see why: Xvfb :99"
            raise RuntimeError(msg)
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def shoot_terminal(folder: Path) -> None:
    """Run the command in a terminal and capture the terminal's window."""
    done = folder / "window"
    # The shell itself writes the command that it runs, as `set -x` does.
    script = (
        f"PS4='$ '; set -x; {shlex.join(['python', *COMMAND])}; {{ set +x; }} 2>/dev/null; "
        "printf '\\033[?25l'; "  # no cursor in the picture
        f'printf %s "$WINDOWID" > {shlex.quote(f"{done}.part")}; '
        f"mv {shlex.quote(f'{done}.part')} {shlex.quote(str(done))}; sleep {_SECONDS}"
    )
    interpreter = Path(sys.executable).parent
    with running_display() as display:
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment = {
            **kept,
            "DISPLAY": display,
            "LANG": "C.UTF-8",
            "PATH": f"{interpreter}:{os.environ['PATH']}",
        }
        geometry = ["-geometry", f"{COLUMNS}x48+0+0"]
        terminal = subprocess.Popen(
            ["xterm", *_TERMINAL, *geometry, "-e", "bash", "-c", script], env=environment
        )
        try:
            _wait_for(done, terminal)
            time.sleep(0.5)  # what the program has written is drawn a moment later
            target = str(folder / "terminal.png")
            window = ["import", "-window", done.read_text(), target]
            subprocess.run(window, env=environment, check=True, timeout=_SECONDS)
        finally:
            terminal.terminate()
            terminal.wait()
    trimmed = ["-bordercolor", "#0d1117", "-trim", "+repage", "-border", "14"]
    subprocess.run(["convert", target, *trimmed, target], check=True)


def _wait_for(done: Path, terminal: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _SECONDS
    while not done.exists():
        if terminal.poll() is not None or time.monotonic() > end:
            msg = f"the terminal did not finish within {_SECONDS} s, or was closed"
            raise RuntimeError(msg)
        time.sleep(0.1)


def keep(picture: Picture, folder: Path) -> int:
    """Put a picture into place with few colours and its fingerprint; give its size in bytes."""
    made = folder / picture.name
    subprocess.run(["convert", made, "+dither", "-colors", "255", "-strip", made], check=True)
    chunk = b"tEXt" + b"Shows\0" + picture.fingerprint.encode()
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = made.read_bytes()
    header = 8 + 25  # signature and IHDR
    data = data[:header] + framed + data[header:]
    if len(data) > LARGEST:
        msg = f"{picture.name} has {len(data)} bytes, more than {LARGEST}: show less in it"
        raise RuntimeError(msg)
    (FOLDER / picture.name).write_bytes(data)
    return len(data)


def main() -> int:
    """Make all pictures."""
    if missing := missing_programs():
        told = f"apt install {' '.join(missing)}"
        print(f"error: screenshots need programs that are not here; on Debian: {told}")  # noqa: T201
        return 1
    with TemporaryDirectory() as name:
        folder = Path(name)
        shoot_terminal(folder)
        shoot_cards(cards(), folder)
        for picture in pictures():
            print(f"{keep(picture, folder):>7} bytes  docs/screenshots/{picture.name}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
