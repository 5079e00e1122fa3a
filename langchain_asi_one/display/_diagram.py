"""A LangGraph graph as a drawing: its own Mermaid text with marks, and the same as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._json.printable import one_line
from langchain_asi_one.display._agent_status import STATUSES, Agent
from langchain_asi_one.display._layout import Box, Way, laid_out
from langchain_asi_one.display._markdown import escaped

if TYPE_CHECKING:
    from langchain_core.runnables.graph import Edge, Graph

_LONGEST: Final = 28
_SHORT_HEAD: Final = 10
_SHORT_TAIL: Final = 6
_MERMAID_CLASSES: Final = {
    "named": "stroke-dasharray:4",
    "allowed": "stroke:#2da44e,stroke-width:2px",
    "refused": "stroke:#cf222e,stroke-width:2px,stroke-dasharray:4",
    "pending": "stroke:#bf8700,stroke-width:2px",
    "failed": "stroke:#cf222e,stroke-width:3px",
}
_LETTER: Final = 7.6
_PILL_PADDING: Final = 26.0
_PILL_HEIGHT: Final = 26
_PILL_GAP: Final = 8
_BESIDE: Final = 56
_LOOP: Final = 32


@dataclass(frozen=True, slots=True)
class Diagram:
    """A graph and the agents of a run of it.

    Attributes:
        graph: As `get_graph()` gives it.
        workers: Names of the nodes that ask agents.
        agents: What became of the agents; none if no run is shown.
    """

    graph: Graph
    workers: tuple[str, ...] = ()
    agents: tuple[Agent, ...] = ()

    @property
    def mermaid(self) -> str:
        """LangGraph's own text, followed by the agents; nothing in it comes from the model."""
        lines = [self.graph.draw_mermaid().rstrip("\n")]
        used = dict.fromkeys(agent.status for agent in self._marked)
        for number, agent in enumerate(self._marked):
            sign, _ = STATUSES[agent.status]
            label = f"{sign} {agent.status}: {shortened(agent.identity)}"
            lines.append(f'\tasi_one_agent_{number}["{label}"]:::{_css(agent.status)}')
            lines += [f"\t{worker} -.- asi_one_agent_{number};" for worker in self.workers]
        lines += [f"\tclassDef {_css(status)} {_MERMAID_CLASSES[status]}" for status in used]
        return "\n".join(lines) + "\n"

    @property
    def svg(self) -> str:
        """The same as an image that needs no script; colours come from the card's style."""
        boxes, ways = laid_out(
            {name: _label(node.name) for name, node in self.graph.nodes.items()},
            [(edge.source, edge.target, edge.conditional) for edge in self.graph.edges],
        )
        loops = {edge.source: edge.conditional for edge in self.graph.edges if _is_loop(edge)}
        right = max(
            [box.right + (_LOOP if name in loops else 0.0) for name, box in boxes.items()]
            + [x for way in ways for x, _ in way.points],
            default=0.0,
        )
        bottom = max((box.bottom for box in boxes.values()), default=0.0)
        drawn = [_way(way) for way in ways] + [_node(name, box) for name, box in boxes.items()]
        drawn += [_loop(boxes[name], dotted=dotted) for name, dotted in loops.items()]
        hosts = [boxes[name] for name in self.workers if name in boxes]
        if self._marked:
            tall = len(self._marked) * (_PILL_HEIGHT + _PILL_GAP) - _PILL_GAP
            middle = hosts[0].y + hosts[0].height / 2 if hosts else bottom / 2
            top = max(1.0, middle - tall / 2)
            drawn += _pills(self._marked, right + _BESIDE, top, hosts)
            right += _BESIDE + max(map(_pill_width, self._marked))
            bottom = max(bottom, top + tall)
        size = f'width="{right + 2:.0f}" height="{bottom + 2:.0f}"'
        view = f'viewBox="-1 -1 {right + 2:.0f} {bottom + 2:.0f}"'
        told = escaped(self.description)
        # Where a page strips the drawing, line ends keep the names of the nodes apart.
        inside = "\n".join(drawn)
        return (
            f'<svg class="asi1-graph" role="img" aria-label="{told}" {size} {view} '
            'font-family="inherit" font-size="13" fill="none" stroke="currentColor">'
            f"{inside}</svg>"
        )

    @property
    def description(self) -> str:
        """What the drawing shows, for those who do not see it."""
        names = {name: one_line(node.name) for name, node in self.graph.nodes.items()}
        ways: dict[str, list[str]] = {}
        for edge in self.graph.edges:
            ways.setdefault(names[edge.source], []).append(names[edge.target])
        told = "; ".join(f"{source} to {' or '.join(targets)}" for source, targets in ways.items())
        return f"Graph: {told}." if told else "Graph."

    @property
    def _marked(self) -> Sequence[Agent]:
        """The agents that are identified: only checked addresses and sound handles are drawn."""
        return [agent for agent in self.agents if agent.identity]


def workers_of(compiled: Any) -> tuple[str, ...]:
    """Names of the nodes of a compiled graph that `agent_worker` has made."""
    nodes = getattr(getattr(compiled, "builder", None), "nodes", {})
    functions = {
        name: getattr(spec.runnable, "func", None) or getattr(spec.runnable, "afunc", None)
        for name, spec in nodes.items()
    }
    return tuple(name for name, part in functions.items() if getattr(part, "gathers", None))


def shortened(identity: str) -> str:
    """Beginning and end of an address; a handle as it is."""
    if len(identity) <= _LONGEST:
        return identity
    return f"{identity[:_SHORT_HEAD]}…{identity[-_SHORT_TAIL:]}"


def _css(status: str) -> str:
    return f"asi1{status.title()}"


def _label(name: str) -> str:
    text = one_line(name)
    text = {"__start__": "start", "__end__": "end"}.get(text, text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _node(name: str, box: Box) -> str:
    kind = "end" if name in ("__start__", "__end__") else "node"
    radius = box.height / 2 if kind == "end" else 6
    return (
        f'<g class="asi1-{kind}"><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{radius:.0f}"/>'
        + _words(box.x + box.width / 2, box.y + box.height / 2, box.label)
        + "</g>"
    )


def _words(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" dy="0.35em" text-anchor="{anchor}" fill="currentColor" '
        f'stroke="none">{escaped(text)}</text>'
    )


def _way(way: Way) -> str:
    (x, y), *points = way.points
    path = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in points:
        half = (y + to_y) / 2
        path += f"C{x:.1f} {half:.1f} {to_x:.1f} {half:.1f} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    tip, before = (way.points[0], way.points[1]) if way.backward else way.points[-1:-3:-1]
    step = -6.0 if before[1] < tip[1] else 6.0
    head = (
        f"M{tip[0] - 4:.1f} {tip[1] + step:.1f}L{tip[0]:.1f} {tip[1]:.1f}"
        f"L{tip[0] + 4:.1f} {tip[1] + step:.1f}z"
    )
    dashes = ' stroke-dasharray="4 3"' if way.dotted else ""
    return f'<path d="{path}"{dashes}/><path d="{head}" fill="currentColor"/>'


def _is_loop(edge: Edge) -> bool:
    return edge.source == edge.target


def _loop(box: Box, *, dotted: bool) -> str:
    """The way of a node to itself, at its right side."""
    x, out = box.right, box.right + _LOOP - 4
    top, end = box.y + box.height * 0.25, box.y + box.height * 0.75
    dashes = ' stroke-dasharray="4 3"' if dotted else ""
    way = f"M{x:.1f} {top:.1f}C{out:.1f} {top:.1f} {out:.1f} {end:.1f} {x:.1f} {end:.1f}"
    head = f"M{x + 6:.1f} {end - 4:.1f}L{x:.1f} {end:.1f}L{x + 6:.1f} {end + 4:.1f}z"
    return f'<path d="{way}"{dashes}/><path d="{head}" fill="currentColor"/>'


def _pill(agent: Agent) -> str:
    sign, _ = STATUSES[agent.status]
    return f"{sign} {agent.status} {shortened(agent.identity)}"


def _pill_width(agent: Agent) -> float:
    return len(_pill(agent)) * _LETTER + _PILL_PADDING


def _pills(agents: Iterable[Agent], x: float, top: float, hosts: Sequence[Box]) -> list[str]:
    drawn = []
    for number, agent in enumerate(agents):
        y = top + number * (_PILL_HEIGHT + _PILL_GAP)
        middle = y + _PILL_HEIGHT / 2
        for host in hosts:
            start = host.y + host.height / 2
            half = (host.right + x) / 2
            drawn.append(
                f'<path d="M{host.right:.1f} {start:.1f}C{half:.1f} {start:.1f} {half:.1f} '
                f'{middle:.1f} {x:.1f} {middle:.1f}" stroke-dasharray="1 3"/>'
            )
        drawn.append(
            f'<g class="asi1-agent asi1-{agent.status}"><rect x="{x:.1f}" y="{y:.1f}" '
            f'width="{_pill_width(agent):.1f}" height="{_PILL_HEIGHT}" rx="13"/>'
            + _words(x + _PILL_PADDING / 2, middle, _pill(agent), "start")
            + "</g>"
        )
    return drawn
