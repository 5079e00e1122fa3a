"""Medians, ratios and bars of what was measured: as a table, and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.processes import versions
from tests.benchmarks.rows import FLOOR, OURS, Bar, Row, Series

_TIMES = ("wall", "cpu", "rest")
_PARTS = ("floor: HTTP and JSON", "floor: empty stream()")


@dataclass
class Measured:
    """What the series of a row measured: by label, by measure, round by round."""

    row: Row
    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def add(self, series: Series, answer: dict[str, Any], *, warm_up: bool) -> None:
        """Note what a series answered in one round."""
        if "error" in answer:
            self.errors[series.label] = answer["error"]
            self.values.pop(series.label, None)
        elif not warm_up:
            held = self.values.setdefault(series.label, defaultdict(list))
            for name, value in answer.items():
                held[name].append(value / series.per if name in _TIMES else value)

    def add_floor(self) -> None:
        """Add the parts of the floor, which were measured round by round."""
        first, second = _PARTS
        for label in [label for label in self.values if label.startswith(first)]:
            suffix = label.removeprefix(first)
            parts = [self.values[label], self.values.get(second + suffix, {})]
            self.values[FLOOR + suffix] = {
                name: [sum(pair) for pair in zip(*(part[name] for part in parts), strict=True)]
                for name in ("wall", "cpu")
                if all(name in part for part in parts)
            }

    @property
    def ours_failed(self) -> bool:
        """Whether our own series could not be measured."""
        return any(label.startswith((OURS, FLOOR)) for label in self.errors)

    def middle(self, label: str, measure: str) -> float | None:
        """The median of a measure; of what must never happen, the worst round."""
        values = self.values.get(label, {}).get(measure)
        if not values:
            return None
        return max(values) if measure == "wrong" else median(values)

    def ratio(self, over: str, under: str, measure: str) -> float | None:
        """The median of the ratios of two series in each round, which ran one after the other.

        Rounds differ by more than that on a machine that does other work too.
        """
        ones, others = (self.values.get(label, {}).get(measure, []) for label in (over, under))
        if not ones or not all(others):
            return None
        if len(ones) != len(others):
            return median(ones) / median(others) if others else None
        return median(one / other for one, other in zip(ones, others, strict=True))


def judged(measured: Measured, bar: Bar) -> dict[str, Any]:
    """Compare a value with its bar."""
    told: dict[str, Any] = {"text": bar.text, "measure": bar.measure}
    if bar.under is None:
        value = measured.middle(bar.over, bar.measure)
    else:
        value = measured.ratio(bar.over, bar.under, bar.measure)
        if bar.measure == "wall":
            told["value_by_cpu_time"] = measured.ratio(bar.over, bar.under, "cpu")
    told["value"] = value
    if bar.limit is not None:
        good = value is not None and (
            value >= bar.limit if bar.kind == "at least" else value <= bar.limit
        )
        told |= {"kind": bar.kind, "limit": bar.limit, "passed": good}
    return told


def _series(measured: Measured, label: str) -> dict[str, Any]:
    told = {}
    for name, values in measured.values[label].items():
        scale = measured.row.scale if name in _TIMES else 1
        told[name] = {
            "median": median(values) * scale,
            "min": min(values) * scale,
            "max": max(values) * scale,
            "rounds": len(values),
        }
    return told


def _number(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def table(measured: Measured) -> str:
    """One row as text: each series with its ratio to ours, then the bars."""
    row = measured.row
    lines = [f"\n{row.title} [{row.name}]"]
    for label in measured.values:
        told = _series(measured, label)
        if "wall" in told:
            wall = told["wall"]
            times_ours = measured.ratio(label, OURS, "wall")
            ratio = f"{times_ours:8.2f}x" if times_ours else ""
            span = f"{_number(wall['min'])}-{_number(wall['max'])}"
            times = f"{_number(wall['median']):>10} {row.unit:<10} {ratio:>9}  ({span}"
            lines.append(f"  {label:<30} {times}; CPU {_number(told['cpu']['median'])})")
        rest = [
            f"{k} {_number(v['median'])}" for k, v in told.items() if k not in (*_TIMES, "calls")
        ]
        if rest:
            lines.append(f"  {label:<30} {', '.join(rest)}")
    lines += [f"  {label:<30} not measured: {why}" for label, why in measured.errors.items()]
    lines += [f"  {_told(judged(measured, bar))}" for bar in row.bars]
    return "\n".join(lines)


def _told(bar: dict[str, Any]) -> str:
    value = _number(bar["value"])
    if bar.get("value_by_cpu_time"):
        value += f" (CPU {_number(bar['value_by_cpu_time'])})"
    if "limit" not in bar:
        return f"      {bar['text']}: {value}"
    word = "pass" if bar["passed"] else "FAIL"
    return f"{word}  {bar['text']}: {value}, {bar['kind']} {bar['limit']:,g}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1] for line in text.splitlines() if line.startswith("model name")]
    return names[0].strip() if names else platform.machine()


def figures(found: list[Measured], rounds: int, pythons: list[str]) -> dict[str, Any]:
    """All that was measured, for `figures.json`."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "rounds": rounds,
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
        },
        "python": platform.python_version(),
        "versions": [versions(python) for python in pythons if Path(python).exists()],
        "rows": {
            measured.row.name: {
                "title": measured.row.title,
                "unit": measured.row.unit,
                "series": {label: _series(measured, label) for label in measured.values},
                "not_measured": measured.errors,
                "bars": [judged(measured, bar) for bar in measured.row.bars],
            }
            for measured in found
        },
    }


def write(told: dict[str, Any], path: Path) -> None:
    """Write the figures as JSON."""
    text = json.dumps(told, indent=1, ensure_ascii=False, default=float)
    path.write_text(text + "\n", encoding="utf-8")


def summary(told: dict[str, Any]) -> str:
    """Which bars were not reached, and how long it all took."""
    bars = [
        (name, bar) for name, row in told["rows"].items() for bar in row["bars"] if "limit" in bar
    ]
    missed = [f"  {name}: {_told(bar)}" for name, bar in bars if not bar["passed"]]
    head = f"\n{len(bars) - len(missed)} of {len(bars)} bars reached, in {told['seconds']} s"
    return "\n".join([head, *missed])
