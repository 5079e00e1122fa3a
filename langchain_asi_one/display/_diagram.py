"""A graph and a run's agents, as all drawings need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one.display._agent_status import SIGNS, Agent

if TYPE_CHECKING:
    from langchain_core.runnables.graph import Graph

_MAX_LABEL: Final = 28
_MAX_AGENTS: Final = 20  # the card lists more
_ENDS: Final = {"__start__": "start", "__end__": "end"}
_MERMAID_CLASSES: Final = {
    "named": "stroke-dasharray:4",
    "answered": "stroke:#2da44e,stroke-width:2px",
    "refused": "stroke:#cf222e,stroke-width:2px,stroke-dasharray:4",
    "pending": "stroke:#bf8700,stroke-width:2px",
    "failed": "stroke:#cf222e,stroke-width:3px",
}


@dataclass(frozen=True, slots=True)
class Diagram:
    """A graph and the agents of a run of it.

    Attributes:
        graph: As `get_graph()` returns it.
        workers: Names of the nodes that ask agents.
        agents: The agents of the run; none if no run is shown.
    """

    graph: Graph
    workers: tuple[str, ...] = ()
    agents: tuple[Agent, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """The label of each node, by its name in the graph."""
        return {name: _shorten_label(node.name) for name, node in self.graph.nodes.items()}

    @property
    def edges(self) -> list[tuple[str, str, bool]]:
        """Source, target, and whether the edge is taken only on a condition."""
        return [(edge.source, edge.target, edge.conditional) for edge in self.graph.edges]

    @property
    def ends(self) -> frozenset[str]:
        """The nodes that only mark start and end."""
        return frozenset(self.graph.nodes.keys() & _ENDS.keys())

    @property
    def identified(self) -> list[Agent]:
        """The agents that are drawn: the first ones with an identity."""
        return [agent for agent in self.agents if agent.identity][:_MAX_AGENTS]

    @property
    def mermaid(self) -> str:
        """LangGraph's own text, followed by the agents.

        Nothing in it is text of the model.
        """
        lines = [self.graph.draw_mermaid().rstrip("\n")]
        used = dict.fromkeys(agent.status for agent in self.identified)
        for number, agent in enumerate(self.identified):
            label = f"{SIGNS[agent.status]} {agent.status}: {' '.join(agent.identifiers)}"
            lines.append(f'\tasi_one_agent_{number}["{label}"]:::{_name_class(agent.status)}')
            lines += [f"\t{worker} -.- asi_one_agent_{number};" for worker in self.workers]
        lines += [f"\tclassDef {_name_class(status)} {_MERMAID_CLASSES[status]}" for status in used]
        return "\n".join(lines) + "\n"

    @property
    def description(self) -> str:
        """The edges in words, for those who do not see the drawing."""
        names = {name: make_one_line(node.name) for name, node in self.graph.nodes.items()}
        targets: dict[str, list[str]] = {}
        for edge in self.graph.edges:
            targets.setdefault(names[edge.source], []).append(names[edge.target])
        words = "; ".join(f"{source} to {' or '.join(ends)}" for source, ends in targets.items())
        return f"Graph: {words}." if words else "Graph."


def find_workers(compiled: Any) -> tuple[str, ...]:
    """Return the names of a graph's nodes that `agent_worker` made."""
    nodes = getattr(getattr(compiled, "builder", None), "nodes", {})
    functions = {
        name: getattr(spec.runnable, "func", None) or getattr(spec.runnable, "afunc", None)
        for name, spec in nodes.items()
    }
    contracts = {name: getattr(node, "contract", None) for name, node in functions.items()}
    return tuple(name for name, one in contracts.items() if getattr(one, "gathers", None))


def _name_class(status: str) -> str:
    return f"asi1{status.title()}"


def _shorten_label(name: str) -> str:
    text = _ENDS.get(name) or make_one_line(name)
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 1]}…"
