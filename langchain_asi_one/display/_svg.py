"""A graph as an SVG image that needs no script.

Colours come from the card's style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from langchain_asi_one.display._agent_status import SIGNS
from langchain_asi_one.display._layout import Metrics, layout_graph
from langchain_asi_one.display._markdown import escape_text

if TYPE_CHECKING:
    from langchain_asi_one.display._agent_status import Agent
    from langchain_asi_one.display._diagram import Diagram
    from langchain_asi_one.display._layout import Box, Point, Route

METRICS: Final = Metrics(
    letter=7.4,
    padding=24,
    height=28,
    node_gap=20,
    port_gap=14,
    lead=12,
    track=8,
    tail=8,
    loop=28,
)
_DASHES: Final = ' stroke-dasharray="4 3"'
_ROUND: Final = 6.0
_TIP: Final = 6.0
_AGENT_HEIGHT: Final = 46
_AGENT_GAP: Final = 8
_AGENT_PADDING: Final = 12
_BESIDE: Final = 44
_ADDRESS_LETTER: Final = 6.3


def draw_svg(diagram: Diagram) -> str:
    """Draw a graph, and at its right the agents of a run."""
    workers = diagram.workers
    layout = layout_graph(diagram.labels, diagram.edges, METRICS, free_right=workers)
    boxes, width, height = layout.boxes, layout.width, layout.height
    parts = [_draw_route(route) for route in layout.routes]
    parts += [_draw_node(box, end=name in diagram.ends) for name, box in boxes.items()]
    parts += [_draw_loop(boxes[name], dotted=dotted) for name, dotted in layout.loops.items()]
    if agents := diagram.identified:
        hosts = [boxes[name] for name in workers if name in boxes]
        wide = max(map(_measure_agent, agents))
        tall = len(agents) * (_AGENT_HEIGHT + _AGENT_GAP) - _AGENT_GAP
        middle = hosts[0].y + hosts[0].height / 2 if hosts else height / 2
        top = max(0.0, middle - tall / 2)
        parts += _draw_agents(agents, width + _BESIDE, top, wide, hosts)
        width += _BESIDE + wide
        height = max(height, top + tall)
    # Where a page strips the drawing, line ends keep the names of the nodes apart.
    inside = "\n".join(parts)
    return (
        f'<svg class="asi1-graph" role="img" aria-label="{escape_text(diagram.description)}" '
        f'width="{width + 2:.0f}" height="{height + 2:.0f}" '
        f'viewBox="-1 -1 {width + 2:.0f} {height + 2:.0f}" '
        'font-family="inherit" font-size="13" fill="none" stroke="currentColor">'
        f"{inside}</svg>"
    )


def _draw_node(box: Box, *, end: bool) -> str:
    radius = box.height / 2 if end else 6
    return (
        f'<g class="asi1-{"end" if end else "node"}"><rect x="{box.x:.1f}" y="{box.y:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius:.0f}"/>'
        + _draw_words(box.middle, box.y + box.height / 2, box.label, anchor="middle")
        + "</g>"
    )


def _draw_words(x: float, y: float, text: str, *, anchor: str = "start", kind: str = "") -> str:
    style = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" dy="0.35em" text-anchor="{anchor}" fill="currentColor" '
        f'stroke="none"{style}>{escape_text(text)}</text>'
    )


def _draw_route(route: Route) -> str:
    """Draw the line with rounded corners, and the tip at its end."""
    points = route.points[::-1] if route.backward else route.points
    path = "M" + _write_point(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        path += f"L{_write_point(_approach(corner, before, after))}"
        path += f"Q{_write_point(corner)} {_write_point(_approach(corner, after, before))}"
    path += "L" + _write_point(points[-1])
    x, y = points[-1]
    back = y + _TIP if route.backward else y - _TIP
    tip = f"M{x - 4:.1f} {back:.1f}L{x:.1f} {y:.1f}L{x + 4:.1f} {back:.1f}z"
    return _draw_path(path, tip, dotted=route.dotted)


def _draw_path(path: str, tip: str, *, dotted: bool) -> str:
    dashes = _DASHES if dotted else ""
    return f'<path d="{path}"{dashes}/><path d="{tip}" fill="currentColor"/>'


def _approach(corner: Point, towards: Point, other: Point) -> Point:
    """Return where the rounding of a corner begins, towards a point."""
    legs = [abs(a - b) for end in (towards, other) for a, b in zip(corner, end, strict=True)]
    radius = min(_ROUND, *(leg / 2 for leg in legs if leg))
    x, y = (a + max(-radius, min(radius, b - a)) for a, b in zip(corner, towards, strict=True))
    return x, y


def _write_point(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"


def _draw_loop(box: Box, *, dotted: bool) -> str:
    """Draw the line of a node to itself, at its right side."""
    x, out = box.right, box.right + METRICS.loop - 4
    top, end = box.y + box.height * 0.25, box.y + box.height * 0.75
    line = f"M{x:.1f} {top:.1f}C{out:.1f} {top:.1f} {out:.1f} {end:.1f} {x:.1f} {end:.1f}"
    tip = f"M{x + _TIP:.1f} {end - 4:.1f}L{x:.1f} {end:.1f}L{x + _TIP:.1f} {end + 4:.1f}z"
    return _draw_path(line, tip, dotted=dotted)


def _describe_agent(agent: Agent) -> tuple[str, str]:
    """Return two lines: status and handle, and the whole address."""
    handle = f" {agent.handle}" if agent.handle else ""
    return f"{SIGNS[agent.status]} {agent.status}{handle}", agent.address


def _measure_agent(agent: Agent) -> float:
    first, second = _describe_agent(agent)
    inside = max(len(first) * METRICS.letter, len(second) * _ADDRESS_LETTER)
    return inside + 2 * _AGENT_PADDING


def _draw_agents(
    agents: Sequence[Agent], x: float, top: float, width: float, hosts: Sequence[Box]
) -> Iterator[str]:
    for number, agent in enumerate(agents):
        y = top + number * (_AGENT_HEIGHT + _AGENT_GAP)
        middle = y + _AGENT_HEIGHT / 2
        for host in hosts:
            start = host.y + host.height / 2
            half = x - _BESIDE / 2
            yield (
                f'<path d="M{host.right:.1f} {start:.1f}H{half:.1f}V{middle:.1f}H{x:.1f}" '
                'stroke-dasharray="1 3"/>'
            )
        first, second = _describe_agent(agent)
        left = x + _AGENT_PADDING
        lines = [(first, ""), (second, "asi1-address")] if second else [(first, "")]
        words = (
            _draw_words(left, middle + (place - (len(lines) - 1) / 2) * 18, text, kind=kind)
            for place, (text, kind) in enumerate(lines)
        )
        yield (
            f'<g class="asi1-agent asi1-{agent.status}"><rect x="{x:.1f}" y="{y:.1f}" '
            f'width="{width:.1f}" height="{_AGENT_HEIGHT}" rx="8"/>' + "".join(words) + "</g>"
        )
