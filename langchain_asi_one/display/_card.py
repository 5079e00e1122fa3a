"""A value made visible: one object that notebooks, terminals and files each show their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage

from langchain_asi_one._json.printable import printable
from langchain_asi_one.display._diagram import Diagram, workers_of
from langchain_asi_one.display._graph_state import is_state, run_of
from langchain_asi_one.display._html import as_card
from langchain_asi_one.display._text import Section, as_text, laid_out, turn_sections
from langchain_asi_one.display._view import Turn, prose, turn_of

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWABLE: Final = (
    "a message, a list of messages, a graph's state (a dict with messages, or what get_state "
    "returns), a compiled graph, or a stream of a model"
)


@dataclass(frozen=True)
class Card:
    """What `card` returns: `str()` gives text, a notebook shows HTML, and rich draws it.

    Attributes:
        turns: What is told, message by message.
        diagram: The graph, if one is shown.
        live: What is going on while an answer is streamed; else `""`.
        folded: Whether thoughts are folded away.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> made = card(AIMessage("Hello!"))
        >>> [section.title for section in made.sections]
        ['Answer']
        >>> made.text().splitlines()
        ['Answer', '  Hello!']
    """

    turns: tuple[Turn, ...]
    diagram: Diagram | None = None
    live: str = ""
    folded: bool = True

    @property
    def sections(self) -> list[Section]:
        """The same in sections."""
        made = turn_sections(self.turns)
        if self.diagram is None:
            return made
        return [*laid_out([prose("Graph", printable(self.diagram.mermaid.strip()))]), *made]

    def text(self, width: int | None = None) -> str:
        """Write plain text, as `format_message` does.

        Args:
            width: Columns to wrap to; `None` wraps nothing.

        Returns:
            Lines under titles.
        """
        return as_text(self.sections, width)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def __rich__(self) -> RenderableType:
        from langchain_asi_one.display._rich import drawn  # noqa: PLC0415 - optional

        return drawn(self)

    def _repr_html_(self) -> str:
        return as_card(self.turns, diagram=self.diagram, live=self.live, folded=self.folded)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": self.text(), "text/html": self._repr_html_()}
        if self.diagram is not None:
            bundle["text/vnd.mermaid"] = self.diagram.mermaid
        kept = set(include or bundle) - set(exclude or ())
        return {kind: data for kind, data in bundle.items() if kind in kept}


def card(value: object, state: object = None) -> Card:
    """Make a value visible, for a notebook's last line, `print`, or a report of your own.

    Args:
        value: A message; a list of messages; the state of a graph as a dict or as `get_state`
            returns it; or a compiled graph.
        state: Only with a graph: the state of a run of it, whose agents are marked.

    Returns:
        The card. Everything from the model is escaped and nothing in it runs or is fetched.

    Raises:
        TypeError: If the value is none of these, or `state` is given without a graph.

    Example:
        >>> from langchain_core.messages import AIMessage, HumanMessage
        >>> print(card([HumanMessage("Hi"), AIMessage("Hello!")]))
        You
          Hi
        <BLANKLINE>
        Answer
          Hello!
    """
    if is_graph(value):
        return _graph_card(value, state)
    if state is not None:
        msg = f"a state is shown beside its graph: show(graph, state); got {_kind(value)} first"
        raise TypeError(msg)
    if isinstance(value, BaseMessage):
        return Card((turn_of(value),))
    if isinstance(value, list | tuple) and all(isinstance(one, BaseMessage) for one in value):
        return Card(tuple(map(turn_of, value)))
    if is_state(value):
        return Card(tuple(run_of(value).turns))
    msg = f"show takes {SHOWABLE}; got {_kind(value)}"
    raise TypeError(msg)


def is_graph(value: object) -> bool:
    """Whether a value is a compiled LangGraph graph, or the drawing of one."""
    compiled = hasattr(value, "get_graph") and hasattr(value, "get_state")
    return compiled or hasattr(value, "draw_mermaid")


def _graph_card(graph: Any, state: object) -> Card:
    drawing = graph.get_graph() if hasattr(graph, "get_graph") else graph
    if state is None:
        return Card((), Diagram(drawing, workers_of(graph)))
    if not is_state(state):
        msg = (
            "the state beside a graph must be what invoke or get_state returned; got "
            f"{_kind(state)}"
        )
        raise TypeError(msg)
    run = run_of(state)
    return Card(tuple(run.closing), Diagram(drawing, workers_of(graph), run.agents))


def _kind(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a dict with the keys {', '.join(map(repr, value)) or '(none)'}"[:200]
    return f"{type(value).__module__}.{type(value).__qualname__}"
