"""A value made visible: one object for notebooks, terminals and files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one.display._diagram import Diagram
from langchain_asi_one.display._drawing import draw_text
from langchain_asi_one.display._html import render_card
from langchain_asi_one.display._sections import MessageView, Row, Section
from langchain_asi_one.display._text import join_sections, to_text_sections

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARGIN: Final = 2


@dataclass(frozen=True)
class Card:
    """What `card` returns: text, HTML for notebooks, and drawn by rich.

    Attributes:
        views: What is shown, message by message.
        diagram: The graph, if one is shown.
        live: The state of an answer that is being streamed; else `""`.
        folded: Whether thoughts are folded away.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> from langchain_asi_one.display import card
        >>> card(AIMessage("Hello!")).text().splitlines()
        ['Answer', '  Hello!']
    """

    views: tuple[MessageView, ...]
    diagram: Diagram | None = None
    live: str = ""
    folded: bool = True

    def list_sections(self, width: int | None) -> list[Section]:
        """Return the sections of all views, behind that of the graph.

        The graph is drawn for `width` columns.
        """
        sections: list[Section] = []
        for view in self.views:
            sections += view.sections
            # An answer says itself that it is pending.
            if view.waiting and view.speaker == "run":
                sections.append(Section("Run", "prose", (Row(((None, view.waiting),)),)))
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
