"""Draws the charts of the guide from `figures.json`: `python -m tests.benchmarks.chart`."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.benchmarks.rows import FLOOR, FLOOR_LIMIT, OURS, THEIRS


class Colours(NamedTuple):
    """The colours of a chart."""

    ground: str
    ink: str
    ours: str
    others: str
    part: str
    floor: str


_COLOURS: Final = {
    "light": Colours("#ffffff", "#1f2d36", "#0b7a75", "#8fa3b0", "#d5dde2", "#c0392b"),
    "dark": Colours("#131416", "#dfe6ea", "#2fb3a8", "#6f818d", "#3c474f", "#ff8a7a"),
}
_NAMED = ("langchain-asi-one", "langchain-core", "langchain-openai", "openai")


def _draw_bars(axes: Any, row: dict[str, Any], title: str, colours: Colours) -> None:
    middles = {
        label: told["wall"]["median"]
        for label, told in row["series"].items()
        if not label.startswith("floor")
    }
    labels = sorted(middles, key=lambda label: middles[label], reverse=True)
    # The slowest would squeeze all others: their bars are cut, and labelled with what they took.
    edge = 1.3 * middles.get(THEIRS, max(middles.values()))
    for place, label in enumerate(labels):
        value = middles[label]
        colour = {OURS: colours.ours, "raw HTTP": colours.part}.get(label, colours.others)
        axes.barh(place, min(value, edge), color=colour, height=0.66)
        cut = " →" if value > edge else ""
        ratio = f"  ({value / middles[OURS]:.1f}x)" if label != OURS else ""
        text = f"{value:.3g}{cut}{ratio}" if value < 1000 else f"{value:,.0f}{cut}{ratio}"
        weight = "bold" if label == OURS else "normal"
        axes.text(
            min(value, edge) + edge * 0.012,
            place,
            text,
            va="center",
            bbox={"facecolor": colours.ground, "edgecolor": "none", "pad": 0.8},
            color=colours.ink,
            fontsize=10,
            fontweight=weight,
        )
    axes.set_yticks(range(len(labels)), labels, fontsize=10)
    axes.set_xlim(0, edge * 1.3)
    axes.set_title(title, loc="left", fontsize=11, color=colours.ink)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(colours.ink)
    axes.set_facecolor(colours.ground)
    axes.tick_params(colors=colours.ink)
    axes.tick_params(axis="y", length=0)
    if FLOOR in row["series"]:
        floor = row["series"][FLOOR]["wall"]["median"]
        top = len(labels) - 0.55
        axes.plot(
            [floor, floor],
            [-0.5, top],
            color=colours.floor,
            linewidth=1.2,
            linestyle="--",
            zorder=1,
        )
        axes.text(floor, top, f"floor {floor:.3g}", color=colours.floor, fontsize=9, ha="center")


def draw(figures: dict[str, Any], folder: Path) -> None:
    """Draw microseconds per streamed chunk and milliseconds per call, one bar for each peer.

    Args:
        figures: What `report.figures` gave, with the row `stream`.
        folder: Where `chart-light.png` and `chart-dark.png` are written.
    """
    for name, colours in _COLOURS.items():
        _draw(figures, folder / f"chart-{name}.png", colours)


def _draw(figures: dict[str, Any], path: Path, colours: Colours) -> None:
    matplotlib = import_module("matplotlib")
    matplotlib.use("Agg")
    plot = import_module("matplotlib.pyplot")
    rows = figures["rows"]
    titles = {
        "stream": f"{rows['stream']['title']}: µs per chunk",
        "invoke": "invoke, answer of 1 kB: ms per call",
    }
    drawn = [name for name in titles if name in rows]
    sizes = [len(rows[name]["series"]) + 1 for name in drawn]
    figure, axes = plot.subplots(
        len(drawn),
        1,
        figsize=(9, 0.36 * sum(sizes) + 1.4),
        squeeze=False,
        facecolor=colours.ground,
        gridspec_kw={"height_ratios": sizes},
    )
    for axis, name in zip(axes[:, 0], drawn, strict=True):
        _draw_bars(axis, rows[name], titles[name], colours)
    versions = figures["versions"][0]
    named = ", ".join(f"{name} {versions[name]}" for name in _NAMED if name in versions)
    machine = figures["machine"]
    figure.suptitle(
        f"{figures['date']}, Python {figures['python']}, {machine['processor']}, "
        f"{machine['cores']} cores\n{named}; median of {figures['rounds']}, less is better",
        fontsize=9,
        color=colours.ink,
        x=0.01,
        ha="left",
    )
    figure.text(
        0.01,
        0.004,
        f"floor: raw HTTP and JSON plus LangChain's stream() over an empty model; "
        f"ours is to stay below {FLOOR_LIMIT:g} times that. Cut bars (→) are labelled.",
        fontsize=8,
        color=colours.ink,
    )
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "results"
    draw(json.loads((folder / "figures.json").read_text(encoding="utf-8")), folder)
