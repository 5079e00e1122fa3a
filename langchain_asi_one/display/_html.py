"""Messages as HTML for notebooks: no script, nothing fetched, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from langchain_asi_one.display._agent_status import AGENTS, STATUSES
from langchain_asi_one.display._diagram import Diagram
from langchain_asi_one.display._markdown import escape_text, render_markdown
from langchain_asi_one.display._svg import draw_svg
from langchain_asi_one.display._view import (
    ABOUT,
    ANSWER,
    PENDING,
    THOUGHT,
    MessageView,
    Row,
    Section,
)

_HEADS: Final = ("action", "tool_name", "name", "title", "type")
_CODE: Final = ("arguments", "args", "id", "session", "as sent", "input", "output", "result")
_WAITING: Final = {
    "answer": "Still pending: ASI:One gives the real answer later, in this session.",
    "run": "The run has not ended: it waits, for a person or for an answer.",
}


@cache
def style_sheet() -> str:
    """Return the style sheet of a card."""
    return files(__package__).joinpath("card.css").read_text(encoding="utf-8")


def render_card(
    views: Iterable[MessageView],
    *,
    diagram: Diagram | None = None,
    live: str = "",
    folded: bool = True,
) -> str:
    """Write HTML.

    Args:
        views: What is shown.
        diagram: A graph to draw above.
        live: The state of an answer that is being streamed; else `""`.
        folded: Whether thoughts are folded away.

    Returns:
        One element with its style.
    """
    cards = [_render_view(view, folded=folded) for view in views]
    if len(cards) > 1:
        # As a list, so that a screen reader says how many there are.
        cards = [f'<div role="listitem">{card}</div>' for card in cards]
        cards = ['<div role="list" aria-label="Messages">', *cards, "</div>"]
    if diagram is not None:
        cards.insert(0, _render_graph(diagram))
    if live:
        cards.append(f'<p class="asi1-live" role="status">{escape_text(live)}</p>')
    # MathJax leaves these classes alone: it would take commands from the model.
    return (
        f'<div class="asi1 mathjax_ignore tex2jax_ignore"><style>{style_sheet()}</style>'
        f"{''.join(cards)}</div>"
    )


def _render_view(view: MessageView, *, folded: bool) -> str:
    inner = ""
    if view.pending and view.speaker in _WAITING:
        sign, _ = STATUSES["pending"]
        waiting = _WAITING[view.speaker]
        inner = f'<p class="asi1-waiting" role="status">{sign} {waiting}</p>'
    inner += "".join(_render_section(section, folded=folded) for section in view.sections)
    label = escape_text(view.label)
    return f'<section class="asi1-card asi1-{view.speaker}" aria-label="{label}">{inner}</section>'


def _render_section(section: Section, *, folded: bool) -> str:
    if section.title == THOUGHT:
        return _render_thought(section.text, folded=folded)
    title = f"<h4>{escape_text(section.title)}</h4>"
    if section.form == "prose":
        said = render_markdown(section.text) if section.title == ANSWER else None
        kind = "prose" if said is None else "said"
        said = escape_text(section.text) if said is None else said
        return f'<div>{title}<div class="asi1-{kind}" dir="auto">{said}</div></div>'
    if section.form == "fields":
        if section.title == ABOUT:
            return _render_about(section)
        return f"<div>{title}{''.join(_render_fields(row.fields) for row in section.rows)}</div>"
    tag, kind, make = ("ol", "steps", _render_step) if section.form == "numbered" else _AGENTS
    if section.title == AGENTS:
        kind += " asi1-wide"
    rows = "".join(f"<li>{make(row)}</li>" for row in section.rows)
    # Without a marker, browsers forget that a list is one unless the role says so.
    return f'<div>{title}<{tag} class="asi1-{kind}" role="list">{rows}</{tag}></div>'


def _render_about(section: Section) -> str:
    # That it is pending is said at the top.
    fields = [(label, text) for label, text in section.rows[0].fields if label != PENDING]
    return (
        f'<div class="asi1-about" role="group" aria-label="{ABOUT}">{_render_fields(fields)}</div>'
    )


def _render_thought(text: str, *, folded: bool) -> str:
    words = len(text.split())
    length = f"{words:,} word{'' if words == 1 else 's'}, {len(text):,} characters"
    opened = "" if folded else " open"
    return (
        f"<details{opened}><summary>{THOUGHT} ({length})</summary>"
        f'<div class="asi1-prose asi1-thought" dir="auto">{escape_text(text)}</div></details>'
    )


def _render_step(row: Row) -> str:
    fields = list(row.fields)
    head = ""
    for label, text in fields:
        if label in _HEADS:
            fields.remove((label, text))
            head = f'<div class="asi1-name"><bdi>{escape_text(text)}</bdi></div>'
            break
    return head + _render_fields(fields)


def _render_agent(row: Row) -> str:
    return "".join(_render_agent_lines(row))


_AGENTS: Final = ("ul", "agents", _render_agent)


def _render_agent_lines(row: Row) -> Iterator[str]:
    known = {label or "": text for label, text in row.fields}
    yield f'<div><bdi class="asi1-name">{escape_text(row.name)}</bdi>'
    if "handle" in known:
        yield f' <bdi class="asi1-soft">{escape_text(known.pop("handle"))}</bdi>'
    if "rating" in known:
        rating = escape_text(known.pop("rating"))
        spoken = f'role="img" aria-label="rating {rating}"'
        yield f' <span class="asi1-rating" {spoken}>★ {rating}</span>'
    if row.status:
        sign, _ = STATUSES[row.status]
        yield f' <span class="asi1-badge asi1-{row.status}">{sign} {row.status}</span>'
    yield "</div>"
    if row.status and "status" in known:
        told = known.pop("status")
        yield f'<div class="asi1-soft">{escape_text(told.partition(": ")[2] or told)}</div>'
    if "about" in known:
        yield f"<div><bdi>{escape_text(known.pop('about'))}</bdi></div>"
    if "address" in known:
        yield _render_address(known.pop("address"))
    if known:
        yield _render_fields(known.items())
    for problem in row.problems:
        yield (
            '<div class="asi1-problem"><span role="img" aria-label="problem">⚠</span> '
            f"{escape_text(problem)}</div>"
        )


def _render_address(address: str) -> str:
    """Render an address whole, as another may begin and end like it; one click selects it."""
    return f'<div><code class="asi1-whole" tabindex="0">{escape_text(address)}</code></div>'


def _render_fields(fields: Iterable[tuple[str | None, str]]) -> str:
    made = []
    for label, text in fields:
        value = (
            f"<code>{escape_text(text)}</code>"
            if label in _CODE
            else f"<bdi>{escape_text(text)}</bdi>"
        )
        if label:
            made.append(f"<dt><bdi>{escape_text(label)}</bdi></dt><dd>{value}</dd>")
        else:
            made.append(f"<dt></dt><dd>{value}</dd>")
    if not made:
        return ""
    if all(not label for label, _ in fields):
        return "".join(f"<div><bdi>{escape_text(text)}</bdi></div>" for _, text in fields)
    return f"<dl>{''.join(made)}</dl>"


def _render_graph(diagram: Diagram) -> str:
    drawing, mermaid = draw_svg(diagram), escape_text(diagram.mermaid)
    return (
        '<section class="asi1-card asi1-drawing" aria-label="Graph"><div class="asi1-scroll" '
        f'tabindex="0" role="group" aria-label="Drawing of the graph">{drawing}</div>'
        f"<details><summary>Mermaid</summary><pre><code>{mermaid}</code></pre></details></section>"
    )
