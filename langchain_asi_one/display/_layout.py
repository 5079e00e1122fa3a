"""Where the nodes and ways of a graph are drawn: in ranks from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]

_HEIGHT: Final = 30.0
_RANK_GAP: Final = 34.0
_NODE_GAP: Final = 22.0
_LETTER: Final = 7.6
_PADDING: Final = 26.0
_SWEEPS: Final = 4
_BOW: Final = 9.0


@dataclass(slots=True)
class Box:
    """A node.

    Attributes:
        label: What it is called.
        x: Left edge in pixels.
        y: Top edge in pixels.
        width: In pixels.
        height: In pixels.
    """

    label: str
    x: float
    y: float
    width: float
    height: float = _HEIGHT

    @property
    def right(self) -> float:
        """Right edge in pixels."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Bottom edge in pixels."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The middle from left to right, in pixels."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Way:
    """An edge.

    Attributes:
        points: From the upper to the lower end.
        dotted: Whether it is taken only sometimes.
        backward: Whether it leads upwards.
    """

    points: tuple[Point, ...]
    dotted: bool
    backward: bool


def laid_out(
    labels: Mapping[str, str], edges: Sequence[tuple[str, str, bool]]
) -> tuple[dict[str, Box], list[Way]]:
    """Place a graph.

    Args:
        labels: What each node is called.
        edges: Source, target, and whether it is taken only sometimes.

    Returns:
        The box of each node, and the ways.
    """
    backward = _backward(labels, edges)
    down = [(b, a) if (a, b) in backward else (a, b) for a, b, _ in edges if a != b]
    ranks = _ranks(labels, down)
    chains = {pair: _chain(*pair, ranks) for pair in down}
    rows = _rows(ranks, chains)
    _ordered(rows, chains)
    boxes = _placed(rows, labels)
    pairs = {(source, target) for source, target, _ in edges}
    ways = []
    for source, target, dotted in edges:
        if source == target:
            continue
        up = (source, target) in backward
        pair = (target, source) if up else (source, target)
        # Two nodes that lead to each other have two ways, side by side.
        aside = (_BOW if up else -_BOW) if (target, source) in pairs else 0.0
        ways.append(Way(_points(pair, chains[pair], boxes, aside), dotted, up))
    return {name: boxes[name] for name in labels}, ways


def _backward(
    labels: Mapping[str, str], edges: Sequence[tuple[str, str, bool]]
) -> set[tuple[str, str]]:
    """The edges that close a loop when followed from the first node."""
    targets: dict[str, list[str]] = {name: [] for name in labels}
    for source, target, _ in edges:
        targets[source].append(target)
    done: set[str] = set()
    found: set[tuple[str, str]] = set()
    for first in labels:
        path = [(first, iter(targets[first]))] if first not in done else []
        open_nodes = {first}
        while path:
            node, ways = path[-1]
            target = next(ways, "")
            if not target:
                path.pop()
                open_nodes.discard(node)
                done.add(node)
            elif target in open_nodes:
                found.add((node, target))
            elif target not in done:
                open_nodes.add(target)
                path.append((target, iter(targets[target])))
    return found


def _ranks(labels: Mapping[str, str], down: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many edges lie above each node at most."""
    ranks = dict.fromkeys(labels, 0)
    for _ in labels:
        changed = False
        for source, target in down:
            if ranks[target] <= ranks[source]:
                ranks[target] = ranks[source] + 1
                changed = True
        if not changed:
            break
    return ranks


def _chain(source: str, target: str, ranks: Mapping[str, int]) -> list[str]:
    """The node, a place in each row that an edge passes, and the other node."""
    # A blank cannot be in the name of a node that LangGraph draws and of such a place alike.
    passed = [f"{source} {target} {rank}" for rank in range(ranks[source] + 1, ranks[target])]
    return [source, *passed, target]


def _rows(
    ranks: Mapping[str, int], chains: Mapping[tuple[str, str], Sequence[str]]
) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for name, rank in ranks.items():
        rows[rank].append(name)
    for chain in chains.values():
        for place, name in enumerate(chain[1:-1], start=ranks[chain[0]] + 1):
            rows[place].append(name)
    return rows


def _ordered(rows: list[list[str]], chains: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Put each row into the order of its neighbours, down and up in turn."""
    beside: dict[str, list[str]] = {}
    for chain in chains.values():
        for upper, lower in pairwise(chain):
            beside.setdefault(upper, []).append(lower)
            beside.setdefault(lower, []).append(upper)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place = {name: number / len(one) for one in rows for number, name in enumerate(one)}
            row.sort(
                key=lambda name: (
                    sum(place[other] for other in beside.get(name, [name]))
                    / len(beside.get(name, [name]))
                )
            )


def _placed(rows: Sequence[Sequence[str]], labels: Mapping[str, str]) -> dict[str, Box]:
    wide = {
        name: len(labels[name]) * _LETTER + _PADDING if name in labels else 1.0
        for row in rows
        for name in row
    }
    widths = [sum(wide[name] for name in row) + _NODE_GAP * (len(row) - 1) for row in rows]
    widest = max(widths, default=0.0)
    boxes = {}
    for rank, (row, width) in enumerate(zip(rows, widths, strict=True)):
        x = (widest - width) / 2
        for name in row:
            boxes[name] = Box(labels.get(name, ""), x, rank * (_HEIGHT + _RANK_GAP), wide[name])
            x += wide[name] + _NODE_GAP
    return boxes


def _points(
    pair: tuple[str, str], chain: Sequence[str], boxes: Mapping[str, Box], aside: float
) -> tuple[Point, ...]:
    first, last = boxes[pair[0]], boxes[pair[1]]
    points = [(first.middle + aside, first.bottom)]
    for name in chain[1:-1]:
        # Straight through the row, so that the way keeps clear of its nodes.
        points += [(boxes[name].middle, boxes[name].y), (boxes[name].middle, boxes[name].bottom)]
    return (*points, (last.middle + aside, last.y))
