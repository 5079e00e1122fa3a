"""A graph drawn with characters, for terminals and files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from langchain_asi_one.display._layout import Metrics, layout_graph
from langchain_asi_one.display._wrap import count_columns

if TYPE_CHECKING:
    from langchain_asi_one.display._diagram import Diagram
    from langchain_asi_one.display._layout import Box, Layout, Route

METRICS: Final = Metrics(
    letter=1,
    padding=3,  # a blank and the distance to the edge at either side
    height=2,
    node_gap=2,
    port_gap=2,
    lead=1,
    track=1,
    tail=0,
    loop=2,
    whole=True,
)
_STRAIGHT: Final = {False: ("─", "│"), True: ("┄", "┆")}
_BOXES: Final = {False: ("┌─┐", "│ │", "└─┘"), True: ("╭─╮", "│ │", "╰─╯")}
# From which side a line comes and to which side it goes on.
_CORNERS: Final = {"NE": "╰", "NW": "╯", "SE": "╭", "SW": "╮"}


def draw_text(diagram: Diagram, width: int | None) -> str:
    """Draw a graph; list its edges if that is too wide."""
    layout = layout_graph(diagram.labels, diagram.edges, METRICS)
    if width is not None and layout.width + 1 > width:
        return "\n".join(
            f"{diagram.labels[source]} {'┄' if dotted else '─'}▶ {diagram.labels[target]}"
            for source, target, dotted in diagram.edges
        )
    return _Canvas(layout, diagram.ends).text


class _Canvas:
    """Characters by column and row."""

    def __init__(self, layout: Layout, ends: frozenset[str]) -> None:
        self._cells: dict[tuple[int, int], str] = {}
        for direction in (0, 1):  # where lines cross, the vertical one is drawn through
            for route in layout.routes:
                self._draw_line(route, direction)
        for route in layout.routes:
            self._draw_corners(route)
        for name, box in layout.boxes.items():
            self._draw_box(box, rounded=name in ends)
        for route in layout.routes:
            self._draw_tips(route)
        for name, dotted in layout.loops.items():
            self._draw_loop(layout.boxes[name], dotted=dotted)

    @property
    def text(self) -> str:
        """The rows, without blanks at their ends."""
        columns = 1 + max((x for x, _ in self._cells), default=-1)
        rows = 1 + max((y for _, y in self._cells), default=-1)
        lines = ("".join(self._join_row(y, columns)).rstrip() for y in range(rows))
        return "\n".join(lines)

    def _join_row(self, y: int, columns: int) -> Iterator[str]:
        return (self._cells.get((x, y), " ") for x in range(columns))

    def _draw_line(self, route: Route, direction: int) -> None:
        character = _STRAIGHT[route.dotted][direction]
        for start, end in pairwise(route.points):
            if start[direction] != end[direction]:
                fixed = int(start[1 - direction])
                low, high = sorted((int(start[direction]), int(end[direction])))
                for place in range(low, high + 1):
                    cell = (place, fixed) if direction == 0 else (fixed, place)
                    self._cells[cell] = character

    def _draw_corners(self, route: Route) -> None:
        for before, corner, after in zip(
            route.points, route.points[1:], route.points[2:], strict=False
        ):
            sideways = after if before[0] == corner[0] else before
            vertical = "N" if before[0] == corner[0] else "S"
            horizontal = "E" if sideways[0] > corner[0] else "W"
            self._cells[int(corner[0]), int(corner[1])] = _CORNERS[vertical + horizontal]

    def _draw_box(self, box: Box, *, rounded: bool) -> None:
        left, top, right = int(box.x), int(box.y), int(box.right)
        for row, line in enumerate(_BOXES[rounded]):
            first, middle, last = tuple(line)
            for x in range(left, right + 1):
                character = first if x == left else last if x == right else middle
                self._cells[x, top + row] = character
        x = left + 1 + (right - left - 1 - count_columns(box.label)) // 2
        for character in box.label:
            width = count_columns(character)
            if not width:
                self._cells[x - 1, top + 1] += character
            for place in range(width):
                self._cells[x + place, top + 1] = "" if place else character
            x += width

    def _draw_tips(self, route: Route) -> None:
        (x, y), (end_x, end_y) = route.points[0], route.points[-1]
        self._cells[int(x), int(y)] = "▲" if route.backward else "┬"
        self._cells[int(end_x), int(end_y)] = "┴" if route.backward else "▼"

    def _draw_loop(self, box: Box, *, dotted: bool) -> None:
        right, top = int(box.right), int(box.y)
        across, down = _STRAIGHT[dotted]
        cells = ("┬", across, "╮"), ("│", " ", down), ("◀", across, "╯")
        for row, characters in enumerate(cells):
            for column, character in enumerate(characters):
                self._cells[right + column, top + row] = character
