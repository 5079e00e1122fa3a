"""Messages as HTML for notebooks: no script, nothing fetched, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from langchain_asi_one.display._agent_status import AGENTS, SIGNS
from langchain_asi_one.display._diagram import Diagram
from langchain_asi_one.display._markdown import escape_text, is_readable, render_markdown
from langchain_asi_one.display._sections import (
    ABOUT,
    ANSWER,
    PENDING_LABEL,
    THOUGHT,
    MessageView,
    Row,
    Section,
)
from langchain_asi_one.display._svg import draw_svg

_HEADS: Final = ("action", "tool_name", "name", "title", "type")
_MARKS: Final = {"done": ("✓", "done"), "running": ("…", "running"), "failed": ("!", "failed")}
_MAX_OPEN: Final = 3
_TOO_LONG: Final = '<div class="asi1-soft">Too long to lay out: shown as it was written.</div>'
_CODE: Final = (
    "address",
    "arguments",
    "args",
    "id",
    "session",
    "signed by",
    "as sent",
    "input",
    "output",
    "result",
)


@cache
def read_style_sheet() -> str:
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
        f'<div class="asi1 mathjax_ignore tex2jax_ignore"><style>{read_style_sheet()}</style>'
        f"{''.join(cards)}</div>"
    )


def _render_view(view: MessageView, *, folded: bool) -> str:
    inner = ""
    if view.waiting:
        text = f"{SIGNS['pending']} {escape_text(view.waiting)}"
        inner = f'<p class="asi1-waiting" role="status">{text}</p>'
    inner += "".join(_render_section(section, folded=folded) for section in view.sections)
    label = escape_text(view.label)
    return f'<section class="asi1-card asi1-{view.speaker}" aria-label="{label}">{inner}</section>'


def _render_section(section: Section, *, folded: bool) -> str:
    if section.title == THOUGHT:
        return _render_thought(section.text, folded=folded)
    if section.title == ABOUT:
        return _render_about(section)
    title = f"<h4>{escape_text(section.title)}</h4>"
    if section.form == "prose":
        return f"<div>{title}{_render_prose(section)}</div>"
    if section.form == "numbered":
        return f"<div>{title}{_render_steps(section.rows)}</div>"
    if section.form == "named":
        kind = "asi1-agents asi1-wide" if section.title == AGENTS else "asi1-agents"
        return f"<div>{title}{_render_list('ul', kind, map(_render_agent, section.rows))}</div>"
    if section.form == "pictures":
        return f"<div>{title}{''.join(map(_render_picture, section.rows))}</div>"
    return f"<div>{title}{''.join(_render_fields(row.fields) for row in section.rows)}</div>"


def _render_picture(row: Row) -> str:
    text = escape_text(row.fields[0][1])
    if not row.picture:
        return f"<div>{text}</div>"
    return f'<div><img class="asi1-picture" src="{escape_text(row.picture)}" alt="{text}"></div>'


def _render_prose(section: Section) -> str:
    markdown = render_markdown(section.text) if section.title == ANSWER else None
    if markdown is None:
        note = "" if section.title != ANSWER or is_readable(section.text) else _TOO_LONG
        return f'{note}<div class="asi1-prose" dir="auto">{escape_text(section.text)}</div>'
    return f'<div class="asi1-said" dir="auto">{markdown}</div>'


def _render_list(tag: str, kind: str, items: Iterable[str]) -> str:
    # Without a marker, browsers forget that a list is one unless the role says so.
    inner = "".join(f"<li>{item}</li>" for item in items)
    return f'<{tag} class="{kind}" role="list">{inner}</{tag}>'


def _render_steps(rows: Sequence[Row]) -> str:
    """Render numbered rows; fold away all but the first few.

    So the answer is near.
    """
    shown, hidden = rows[:_MAX_OPEN], rows[_MAX_OPEN:]
    items = [_render_step(row) for row in shown]
    if not hidden:
        return _render_list("ol", "asi1-steps", items)
    failed = sum(row.mark == "failed" for row in hidden)
    count = f"{len(hidden):,} more" + (f", {failed:,} failed" if failed else "")
    rest = _render_list("ol", "asi1-steps asi1-rest", map(_render_step, hidden))
    # The second list lies outside the first one, and goes on with its numbers.
    return (
        f'<div class="asi1-folded">{_render_list("ol", "asi1-steps asi1-rest", items)}'
        f"<details><summary>{count}</summary>{rest}</details></div>"
    )


def _render_about(section: Section) -> str:
    # That it is pending is said at the top.
    fields = [(label, text) for label, text in section.rows[0].fields if label != PENDING_LABEL]
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
    name = row.name
    if not name:
        head = next((field for field in fields if field[0] in _HEADS), None)
        if head is not None:
            fields.remove(head)
            name = head[1]
    head_line = f'<bdi class="asi1-name">{escape_text(name)}</bdi>' if name else ""
    if row.mark:
        sign, word = _MARKS[row.mark]
        status = next((field for field in fields if field[0] == row.mark_label), None)
        if status is not None:
            fields.remove(status)
            word = status[1]
        head_line += f' <span class="asi1-badge asi1-{row.mark}">{sign} {escape_text(word)}</span>'
    head_line = f"<div>{head_line}</div>" if head_line else ""
    return head_line + _render_fields(fields) + _render_problems(row)


def _render_problems(row: Row) -> str:
    sign = '<span role="img" aria-label="problem">⚠</span>'
    return "".join(
        f'<div class="asi1-problem">{sign} {escape_text(problem)}</div>' for problem in row.problems
    )


def _render_agent(row: Row) -> str:
    return "".join(_render_agent_lines(row))


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
        sign = SIGNS[row.status]
        yield f' <span class="asi1-badge asi1-{row.status}">{sign} {row.status}</span>'
    yield "</div>"
    if row.meaning:
        yield f'<div class="asi1-soft">{escape_text(row.meaning)}</div>'
    if "about" in known:
        yield f"<div><bdi>{escape_text(known.pop('about'))}</bdi></div>"
    if "address" in known:
        yield _render_address(known.pop("address"))
    if known:
        yield _render_fields(known.items())
    yield _render_problems(row)


def _render_address(address: str) -> str:
    """Render an address whole; one click selects it.

    Another address may begin and end like it.
    """
    return f'<div><code class="asi1-whole" tabindex="0">{escape_text(address)}</code></div>'


def _render_fields(fields: Iterable[tuple[str | None, str]]) -> str:
    rendered = []
    for label, text in fields:
        value = (
            f"<code>{escape_text(text)}</code>"
            if label in _CODE
            else f"<bdi>{escape_text(text)}</bdi>"
        )
        if label:
            rendered.append(f"<dt><bdi>{escape_text(label)}</bdi></dt><dd>{value}</dd>")
        else:
            rendered.append(f"<dt></dt><dd>{value}</dd>")
    if not rendered:
        return ""
    if all(not label for label, _ in fields):
        return "".join(f"<div><bdi>{escape_text(text)}</bdi></div>" for _, text in fields)
    return f"<dl>{''.join(rendered)}</dl>"


def _render_graph(diagram: Diagram) -> str:
    drawing, mermaid = draw_svg(diagram), escape_text(diagram.mermaid)
    return (
        '<section class="asi1-card asi1-drawing" aria-label="Graph"><div class="asi1-scroll" '
        f'tabindex="0" role="group" aria-label="Drawing of the graph">{drawing}</div>'
        f"<details><summary>Mermaid</summary><pre><code>{mermaid}</code></pre></details></section>"
    )
