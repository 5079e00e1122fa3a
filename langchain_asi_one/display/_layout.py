"""Where the boxes and lines of a graph are drawn.

The boxes stand in ranks from top to bottom.

All lines are horizontal or vertical, so that one layout serves pixels and characters. It is
Sugiyama's method: break loops, rank the nodes, order each rank, place its nodes, route the edges.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from langchain_asi_one.display._wrap import count_columns

Point: TypeAlias = tuple[float, float]
# A node by its name, or the place that an edge (by its number) passes in a rank.
_Key: TypeAlias = str | tuple[int, int]

_ORDER_SWEEPS: Final = 8
_PLACE_SWEEPS: Final = 8
# How much a line wants to be straight: next to a node, on its way, and from node to node.
_WEIGHTS: Final = (0.001, 0.03, 1.0)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Sizes of a drawing, in pixels or in characters.

    Attributes:
        letter: Width of a letter of a label.
        padding: Width of a box without its label.
        height: From the top edge of a box to its bottom edge.
        node_gap: Fewest between two boxes of a rank.
        port_gap: Fewest between two lines that end at one edge of a box.
        lead: From the bottom edge of a box to the first track of lines below it.
        track: From one track to the next.
        tail: From the last track to the next rank.
        loop: Width of the line from a node to itself.
        whole: Whether only whole numbers can be drawn.
    """

    letter: float
    padding: float
    height: float
    node_gap: float
    port_gap: float
    lead: float
    track: float
    tail: float
    loop: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A node: its label, left and top edge, width and height."""

    label: str
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The bottom edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The middle from left to right."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Route:
    """The line of an edge.

    Attributes:
        points: The corners, from the upper end to the lower end.
        dotted: Whether the edge is taken only on a condition.
        backward: Whether the edge leads upwards.
    """

    points: tuple[Point, ...]
    dotted: bool
    backward: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """A graph with places.

    Attributes:
        boxes: The box of each node, by its name.
        routes: The lines between different nodes.
        loops: The nodes that lead to themselves, and whether only on a condition.
        width: Of the whole drawing.
        height: Of the whole drawing.
    """

    boxes: dict[str, Box]
    routes: list[Route]
    loops: dict[str, bool]
    width: float
    height: float


class _Edge(NamedTuple):
    upper: str
    lower: str
    dotted: bool
    backward: bool


def layout_graph(
    labels: Mapping[str, str],
    edges: Iterable[tuple[str, str, bool]],
    metrics: Metrics,
    *,
    free_right: Collection[str] = (),
) -> Layout:
    """Place the nodes of a graph and route its edges.

    Args:
        labels: The label of each node, by its name.
        edges: Source, target, and whether the edge is taken only on a condition.
        metrics: Sizes.
        free_right: Nodes whose right side is kept free where possible.

    Returns:
        The layout. No two boxes overlap; two edges with the same ends are drawn once.
    """
    merged: dict[tuple[str, str], bool] = {}
    for source, target, dotted in edges:
        merged[source, target] = merged.get((source, target), True) and dotted
    loops = {source: dotted for (source, target), dotted in merged.items() if source == target}
    directed = _direct(
        labels, {pair: dotted for pair, dotted in merged.items() if len({*pair}) > 1}
    )
    ranks = _rank(labels, directed)
    chains = [_list_keys(number, edge, ranks) for number, edge in enumerate(directed)]
    rows = _order(_make_rows(ranks, chains), chains)
    if _count_right(rows, free_right) > _count_right([row[::-1] for row in rows], free_right):
        rows = [row[::-1] for row in rows]
    router = _Router(labels, directed, chains, loops, metrics)
    return router.route(rows)


def _direct(labels: Mapping[str, str], edges: Mapping[tuple[str, str], bool]) -> list[_Edge]:
    """Turn round the edges that close a loop.

    Edges are followed from the first node.
    """
    targets: dict[str, list[str]] = {name: [] for name in labels}
    for source, target in edges:
        targets[source].append(target)
    done: set[str] = set()
    backward: set[tuple[str, str]] = set()
    for first in labels:
        path = [(first, iter(targets[first]))] if first not in done else []
        on_path = {first}
        while path:
            node, following = path[-1]
            target = next(following, "")
            if not target:
                path.pop()
                on_path.discard(node)
                done.add(node)
            elif target in on_path:
                backward.add((node, target))
            elif target not in done:
                on_path.add(target)
                path.append((target, iter(targets[target])))
    return [
        _Edge(target, source, dotted, True)
        if (source, target) in backward
        else _Edge(source, target, dotted, False)
        for (source, target), dotted in edges.items()
    ]


def _rank(labels: Mapping[str, str], edges: Sequence[_Edge]) -> dict[str, int]:
    """Return how many edges lie above each node at most."""
    ranks = dict.fromkeys(labels, 0)
    for _ in labels:
        before = dict(ranks)
        for edge in edges:
            ranks[edge.lower] = max(ranks[edge.lower], ranks[edge.upper] + 1)
        if ranks == before:
            break
    return ranks


def _list_keys(number: int, edge: _Edge, ranks: Mapping[str, int]) -> list[_Key]:
    """Return the keys of an edge: its ends, and places between them.

    It has a place in each rank that it passes.
    """
    passed = range(ranks[edge.upper] + 1, ranks[edge.lower])
    return [edge.upper, *((number, rank) for rank in passed), edge.lower]


def _make_rows(ranks: Mapping[str, int], chains: Iterable[Sequence[_Key]]) -> list[list[_Key]]:
    rows: list[list[_Key]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for chain in chains:
        for key in chain[1:-1]:
            rows[key[1]].append(key)  # type: ignore[index]  # between the ends, no names
    for name, rank in ranks.items():
        rows[rank].append(name)
    return rows


def _order(rows: list[list[_Key]], chains: Sequence[Sequence[_Key]]) -> list[list[_Key]]:
    """Return the rows in the order in which the fewest lines cross."""
    beside: dict[_Key, list[_Key]] = {}
    for upper, lower in (pair for chain in chains for pair in pairwise(chain)):
        beside.setdefault(upper, []).append(lower)
        beside.setdefault(lower, []).append(upper)
    best, fewest = [list(row) for row in rows], _count_crossings(rows, chains)
    for sweep in range(_ORDER_SWEEPS if fewest else 0):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            place = {key: number / len(one) for one in rows for number, key in enumerate(one)}
            mean = {
                key: sum(place[one] for one in beside.get(key, [key])) / len(beside.get(key, [key]))
                for key in row
            }
            row.sort(key=mean.__getitem__)
        crossings = _count_crossings(rows, chains)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    return best


def _count_crossings(rows: Sequence[Sequence[_Key]], chains: Iterable[Sequence[_Key]]) -> int:
    place = {key: number for row in rows for number, key in enumerate(row)}
    rank = {key: number for number, row in enumerate(rows) for key in row}
    between: dict[int, list[tuple[int, int]]] = {}
    for upper, lower in (pair for chain in chains for pair in pairwise(chain)):
        between.setdefault(rank[upper], []).append((place[upper], place[lower]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for lines in between.values()
        for number, a in enumerate(lines)
        for b in lines[:number]
    )


def _count_right(rows: Iterable[Sequence[_Key]], names: Collection[str]) -> int:
    """Return how many keys stand at the right of the named nodes."""
    return sum(len(row) - row.index(key) - 1 for row in rows for key in row if key in names)


class _Router:
    """Places ordered rows from top to bottom, with the lines between them."""

    def __init__(
        self,
        labels: Mapping[str, str],
        edges: Sequence[_Edge],
        chains: Sequence[Sequence[_Key]],
        loops: Mapping[str, bool],
        metrics: Metrics,
    ) -> None:
        self._labels = labels
        self._edges = edges
        self._chains = chains
        self._loops = loops
        self._metrics = metrics
        ends = [edge.upper for edge in edges], [edge.lower for edge in edges]
        self._widths = {
            name: self._measure(label, max(one.count(name) for one in ends))
            for name, label in labels.items()
        }

    def _measure(self, label: str, ports: int) -> float:
        metrics = self._metrics
        width = max(
            count_columns(label) * metrics.letter + metrics.padding, (ports + 2) * metrics.port_gap
        )
        # A box of characters has a middle: its edges are an even number apart.
        return math.ceil(width / 2) * 2 if metrics.whole else width

    def route(self, rows: Sequence[Sequence[_Key]]) -> Layout:
        """Return the layout of ordered rows."""
        middles = self._place(rows)
        rank = {key: number for number, row in enumerate(rows) for key in row}
        points: list[list[Point]] = [[] for _ in self._edges]
        boxes: dict[str, Box] = {}
        top = 0.0
        for number, row in enumerate(rows):
            names = [key for key in row if isinstance(key, str)]
            for name in names:
                left = middles[name] - self._widths[name] / 2
                width = self._widths[name]
                boxes[name] = Box(self._labels[name], left, top, width, self._metrics.height)
            below = [
                (edge, upper, lower)
                for edge, chain in enumerate(self._chains)
                for upper, lower in pairwise(chain)
                if rank[upper] == number
            ]
            top = self._route_channel(below, middles, points, top)
        routes = [
            Route(tuple(line), edge.dotted, edge.backward)
            for line, edge in zip(points, self._edges, strict=True)
        ]
        right = [box.right + self._reach(name) for name, box in boxes.items()]
        right += [x for line in points for x, _ in line]
        bottom = max((box.bottom for box in boxes.values()), default=0.0)
        ordered = {name: boxes[name] for name in self._labels}
        return Layout(ordered, routes, dict(self._loops), max(right, default=0.0), bottom)

    def _route_channel(
        self,
        below: Sequence[tuple[int, _Key, _Key]],
        middles: dict[_Key, float],
        points: Sequence[list[Point]],
        top: float,
    ) -> float:
        """Add the lines below a rank; return where the next begins."""
        metrics = self._metrics
        bottom = top + metrics.height
        upper = self._find_upper_ports(below, middles)
        lower = self._find_lower_ports(below, middles, upper)
        self._avoid_starts(below, middles, upper, lower)
        near = metrics.port_gap / 2
        tracks = _assign_tracks([(upper[edge], lower[edge]) for edge, _, _ in below], near)
        count = 1 + max((track for track in tracks if track is not None), default=-1)
        if any(self._edges[edge].dotted for edge, _, _ in below):
            count = max(count, 1)  # or nothing is seen of a straight dotted line
        next_top = bottom + metrics.lead + count * metrics.track + metrics.tail
        for (edge, start, end), track in zip(below, tracks, strict=True):
            if isinstance(start, str):
                points[edge].append((upper[edge], bottom))
            if track is not None:
                y = bottom + metrics.lead + track * metrics.track
                points[edge].extend([(upper[edge], y), (lower[edge], y)])
            if isinstance(end, str):
                points[edge].append((lower[edge], next_top))
        return next_top

    def _find_upper_ports(
        self, below: Sequence[tuple[int, _Key, _Key]], middles: Mapping[_Key, float]
    ) -> dict[int, float]:
        """Return where each line leaves a rank.

        That is straight above its end, if it can be.
        """
        pairs: dict[tuple[_Key, _Key], list[int]] = {}
        for edge, start, end in below:
            pairs.setdefault((start, end), []).append(edge)
        wanted: dict[_Key, list[tuple[float, float, int]]] = {}
        for (start, end), edges in pairs.items():
            (low, high), (near, far) = (
                self._measure_span(start, middles),
                self._measure_span(end, middles),
            )
            middle = middles[end]
            if max(low, near) <= min(high, far):
                low, high = max(low, near), min(high, far)
                middle = middles[start] if low <= middles[start] <= high else middle
            width = (len(edges) - 1) * self._metrics.port_gap
            first = max(min(middle - width // 2, high - width), low)
            wanted.setdefault(start, []).extend(
                (middles[end], first + number * self._metrics.port_gap, edge)
                for number, edge in enumerate(edges)
            )
        return self._spread(wanted, middles)

    def _find_lower_ports(
        self,
        below: Sequence[tuple[int, _Key, _Key]],
        middles: Mapping[_Key, float],
        upper: Mapping[int, float],
    ) -> dict[int, float]:
        """Return where each line arrives at the next rank.

        That is straight below its start, if it can be.
        """
        arrivals = [end for _, _, end in below]
        wanted: dict[_Key, list[tuple[float, float, int]]] = {}
        for edge, _, end in below:
            low, high = self._measure_span(end, middles)
            x = upper[edge]
            alone = arrivals.count(end) == 1 and not low <= x <= high
            aim = middles[end] if alone else min(max(x, low), high)
            wanted.setdefault(end, []).append((x, aim, edge))
        return self._spread(wanted, middles)

    def _avoid_starts(
        self,
        below: Sequence[tuple[int, _Key, _Key]],
        middles: dict[_Key, float],
        upper: Mapping[int, float],
        lower: dict[int, float],
    ) -> None:
        """Move aside each line that would arrive below another's start.

        One of two such lines would have to go sideways above the other, which may not be possible.
        """
        step = self._metrics.port_gap / 2
        for edge, _, end in below:
            low, high = self._measure_span(end, middles)
            if isinstance(end, tuple):
                low, high = low - step, high + step
            taken = [x for other, x in upper.items() if other != edge]
            taken += [x for other, x in lower.items() if other != edge]
            if lower[edge] == upper[edge] or _is_free(lower[edge], taken, step):
                continue
            places = (
                lower[edge] + sign * number * step for number in range(1, 9) for sign in (1, -1)
            )
            free = [x for x in places if max(low, 0) <= x <= high and _is_free(x, taken, step)]
            lower[edge] = free[0] if free else lower[edge]
            if isinstance(end, tuple):
                middles[end] = lower[edge]

    def _spread(
        self, wanted: Mapping[_Key, list[tuple[float, float, int]]], middles: Mapping[_Key, float]
    ) -> dict[int, float]:
        """Return ports in the order of the lines' other ends.

        None is too near to the next.
        """
        ports: dict[int, float] = {}
        gap = self._metrics.port_gap
        for key, lines in wanted.items():
            lines.sort()
            low, high = self._measure_span(key, middles)
            places: list[float] = []
            for _, aim, _ in lines:
                places.append(max(aim, places[-1] + gap) if places else max(aim, low))
            for number in reversed(range(len(places))):
                after = places[number + 1] - gap if number + 1 < len(places) else high
                places[number] = min(places[number], after)
            ports |= {edge: place for (_, _, edge), place in zip(lines, places, strict=True)}
        return ports

    def _measure_span(self, key: _Key, middles: Mapping[_Key, float]) -> tuple[float, float]:
        """Return from where to where lines may end at a key."""
        half = self._widths[key] / 2 - self._metrics.port_gap / 2 if isinstance(key, str) else 0.0
        half = math.floor(half) if self._metrics.whole else half
        return middles[key] - half, middles[key] + half

    def _reach(self, key: _Key) -> float:
        return self._metrics.loop if key in self._loops else 0.0

    def _separate(self, left: _Key, right: _Key) -> float:
        """Return the fewest between the middles of two neighbours."""
        halves = sum(self._widths[key] / 2 for key in (left, right) if isinstance(key, str))
        return halves + self._reach(left) + self._metrics.node_gap

    def _place(self, rows: Sequence[Sequence[_Key]]) -> dict[_Key, float]:
        """Return the middle of each key.

        It is as straight below the key's neighbours as there is room.
        """
        above: dict[_Key, list[_Key]] = {}
        below: dict[_Key, list[_Key]] = {}
        for upper, lower in (pair for chain in self._chains for pair in pairwise(chain)):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
        gaps = [[self._separate(*pair) for pair in pairwise(row)] for row in rows]
        middles: dict[_Key, float] = {}
        for row, between in zip(rows, gaps, strict=True):
            x = -sum(between) / 2
            for key, gap in zip(row, [*between, 0.0], strict=True):
                middles[key] = x
                x += gap
        for sweep in range(_PLACE_SWEEPS):
            step = 1 if sweep % 2 == 0 else -1
            for row, between in [*zip(rows, gaps, strict=True)][::step]:
                first, second = (above, below) if step == 1 else (below, above)
                aims = [_aim(key, first.get(key, ()), second.get(key, ()), middles) for key in row]
                middles |= zip(row, _arrange(aims, between), strict=True)
        return self._snap(rows, middles)

    def _snap(
        self, rows: Sequence[Sequence[_Key]], middles: Mapping[_Key, float]
    ) -> dict[_Key, float]:
        """Return the middles with the leftmost edge at zero.

        They are whole numbers if the metrics are.
        """
        halves = {key: self._widths[key] / 2 if isinstance(key, str) else 0.0 for key in middles}
        left = min((x - halves[key] for key, x in middles.items()), default=0.0)
        moved = {key: max(x - left, halves[key]) for key, x in middles.items()}
        if not self._metrics.whole:
            return moved
        for row in rows:
            for key in row:
                moved[key] = math.floor(moved[key] + 0.5)
            for before, key in pairwise(row):
                moved[key] = max(moved[key], moved[before] + math.ceil(self._separate(before, key)))
        return moved


def _aim(
    key: _Key, first: Sequence[_Key], second: Sequence[_Key], middles: Mapping[_Key, float]
) -> tuple[float, float]:
    """Return where a key wants to be, and how much.

    That is the middle of its strongest neighbours.

    Of equally strong ones, those of the rank just placed count.
    """
    for strength in (2, 1, 0):
        for side in (first, second):
            places = [middles[other] for other in side if _measure_strength(key, other) == strength]
            if places:
                return sum(places) / len(places), _WEIGHTS[strength]
    return middles[key], _WEIGHTS[0] / 10


def _measure_strength(key: _Key, other: _Key) -> int:
    """Return an index of `_WEIGHTS`."""
    nodes = isinstance(key, str) + isinstance(other, str)
    return (1, 0, 2)[nodes]


def _arrange(aims: Sequence[tuple[float, float]], gaps: Sequence[float]) -> list[float]:
    """Return the places nearest to the aims, with the gaps between.

    Nearest is the least sum of squared distances.

    Neighbours that come too near are moved as one block (the pool adjacent violators algorithm).
    """
    blocks: list[tuple[float, float, int]] = []
    offset = 0.0
    offsets = []
    for (aim, strength), gap in zip(aims, [*gaps, 0.0], strict=True):
        offsets.append(offset)
        place, weight, count = aim - offset, strength, 1
        while blocks and blocks[-1][0] > place:
            other, heavy, number = blocks.pop()
            place = (place * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + number
        blocks.append((place, weight, count))
        offset += gap
    places = [place for place, _, count in blocks for _ in range(count)]
    return [place + one for place, one in zip(places, offsets, strict=True)]


def _is_free(x: float, taken: Iterable[float], gap: float) -> bool:
    return all(abs(x - other) >= gap for other in taken)


def _assign_tracks(lines: Sequence[tuple[float, float]], near: float) -> list[int | None]:
    """Return the track of each line that goes sideways, else `None`.

    A line that begins where another ends goes sideways above it. Of lines that go the same way,
    the one that begins further along goes first: then they do not cross.
    """
    tracks: list[int | None] = [None] * len(lines)
    waiting = {number for number, (upper, lower) in enumerate(lines) if upper != lower}
    order = sorted(
        waiting,
        key=lambda one: -lines[one][0] if lines[one][1] > lines[one][0] else lines[one][0],
    )
    placed: list[int] = []
    while order:
        free = [
            one
            for one in order
            if not any(
                abs(lines[other][0] - lines[one][1]) < near for other in order if other != one
            )
        ]
        one = (free or order)[0]
        order.remove(one)
        low, high = sorted(lines[one])
        meeting = [
            tracks[other] or 0
            for other in placed
            if min(lines[other]) <= high and low <= max(lines[other])
        ]
        tracks[one] = 1 + max(meeting, default=-1)
        placed.append(one)
    return tracks
