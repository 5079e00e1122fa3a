"""A value made visible: one object that notebooks, terminals and files each show their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage

from langchain_asi_one.display._diagram import Diagram, find_workers
from langchain_asi_one.display._drawing import draw_text
from langchain_asi_one.display._graph_state import is_state, read_state
from langchain_asi_one.display._html import render_card
from langchain_asi_one.display._text import join_sections, to_text_sections
from langchain_asi_one.display._view import MessageView, Row, Section, view_message

if TYPE_CHECKING:
    from rich.console import RenderableType

SHOWABLE: Final = (
    "a message, a list of messages, a graph's state (a dict with messages, or what get_state "
    "returns), a compiled graph, or a stream of a model"
)
_MARGIN: Final = 2


@dataclass(frozen=True)
class Card:
    """The result of `card`: `str()` gives text, a notebook shows HTML, and rich draws it.

    Attributes:
        views: What is shown, message by message.
        diagram: The graph, if one is shown.
        live: The state of an answer that is being streamed; else `""`.
        folded: Whether thoughts are folded away.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> card(AIMessage("Hello!")).text().splitlines()
        ['Answer', '  Hello!']
    """

    views: tuple[MessageView, ...]
    diagram: Diagram | None = None
    live: str = ""
    folded: bool = True

    def list_sections(self, width: int | None) -> list[Section]:
        """Return the graph, drawn for `width` columns, and the sections of all views."""
        sections = [section for view in self.views for section in view.sections]
        if self.diagram is None:
            return sections
        drawing = draw_text(self.diagram, None if width is None else width - _MARGIN)
        return [Section("Graph", "drawing", (Row(((None, drawing),)),)), *sections]

    def text(self, width: int | None = None) -> str:
        """Write plain text, as `format_message` does.

        Args:
            width: Columns to wrap to; `None` wraps nothing.

        Returns:
            Lines under titles.
        """
        return join_sections(to_text_sections(self.list_sections(width)), width)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def __rich__(self) -> RenderableType:
        from langchain_asi_one.display._rich import RichCard  # noqa: PLC0415 - optional

        return RichCard(self)

    def _repr_html_(self) -> str:
        return render_card(self.views, diagram=self.diagram, live=self.live, folded=self.folded)

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
        The card. Everything from the model is escape_text and nothing in it runs or is fetched.

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
        return _make_graph_card(value, state)
    if state is not None:
        kind = _describe_type(value)
        msg = f"a state is shown beside its graph: show(graph, state); got {kind} first"
        raise TypeError(msg)
    if isinstance(value, BaseMessage):
        return Card((view_message(value),))
    if isinstance(value, list | tuple) and all(isinstance(one, BaseMessage) for one in value):
        return Card(tuple(map(view_message, value)))
    if is_state(value):
        return Card(tuple(read_state(value).views))
    msg = f"show takes {SHOWABLE}; got {_describe_type(value)}"
    raise TypeError(msg)


def is_graph(value: object) -> bool:
    """Return whether a value is a compiled LangGraph graph, or what its `get_graph` returns."""
    compiled = hasattr(value, "get_graph") and hasattr(value, "get_state")
    return compiled or hasattr(value, "draw_mermaid")


def _make_graph_card(graph: Any, state: object) -> Card:
    drawing = graph.get_graph() if hasattr(graph, "get_graph") else graph
    if state is None:
        return Card((), Diagram(drawing, find_workers(graph)))
    if not is_state(state):
        msg = (
            "the state beside a graph must be what invoke or get_state returned; got "
            f"{_describe_type(state)}"
        )
        raise TypeError(msg)
    run = read_state(state)
    return Card(tuple(run.closing), Diagram(drawing, find_workers(graph), run.agents))


def _describe_type(value: object) -> str:
    if isinstance(value, Mapping):
        return f"a dict with the keys {', '.join(map(repr, value)) or '(none)'}"[:200]
    return f"{type(value).__module__}.{type(value).__qualname__}"
