"""The parts of messages as HTML for notebooks: no script, nothing fetched, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from langchain_asi_one.display._agent_status import AGENTS, STATUSES
from langchain_asi_one.display._diagram import Diagram, shortened
from langchain_asi_one.display._markdown import as_html, escaped
from langchain_asi_one.display._view import ABOUT, ANSWER, PENDING, THOUGHT, Item, Part, Turn

_HEADS: Final = ("action", "tool_name", "name", "title", "type")
_CODE: Final = ("arguments", "args", "id", "session", "as sent", "input", "output", "result")
_WAITING: Final = {
    "answer": "Still pending: ASI:One gives the real answer later, in this session.",
    "run": "The run has not ended: it waits, for a person or for an answer.",
}


@cache
def style() -> str:
    """Return the style sheet of a card."""
    return files(__package__).joinpath("card.css").read_text(encoding="utf-8")


def as_card(
    turns: Iterable[Turn], *, diagram: Diagram | None = None, live: str = "", folded: bool = True
) -> str:
    """Write HTML.

    Args:
        turns: What is told.
        diagram: A graph to draw before it.
        live: What is going on, if the answer is still being streamed.
        folded: Whether thoughts are folded away.

    Returns:
        One element with its style.
    """
    made = [_graph(diagram)] if diagram is not None else []
    cards = [_turn(turn, folded=folded) for turn in turns]
    if len(cards) > 1:
        # A list of turns, so that a screen reader tells how many there are.
        cards = [f'<div role="listitem">{card}</div>' for card in cards]
        cards = ['<div role="list" aria-label="Messages">', *cards, "</div>"]
    made += cards
    if live:
        made.append(f'<p class="asi1-live" role="status">{escaped(live)}</p>')
    # MathJax leaves these classes alone: it would take commands from the model.
    inner = "".join(made)
    return f'<div class="asi1 mathjax_ignore tex2jax_ignore"><style>{style()}</style>{inner}</div>'


def _turn(turn: Turn, *, folded: bool) -> str:
    inner = ""
    if turn.pending and turn.speaker in _WAITING:
        sign, _ = STATUSES["pending"]
        waiting = _WAITING[turn.speaker]
        inner = f'<p class="asi1-waiting" role="status">{sign} {waiting}</p>'
    inner += "".join(_part(part, folded=folded) for part in turn.parts)
    label = escaped(turn.label)
    return f'<section class="asi1-card asi1-{turn.speaker}" aria-label="{label}">{inner}</section>'


def _part(part: Part, *, folded: bool) -> str:
    if part.title == THOUGHT:
        return _thought(part.text, folded=folded)
    title = f"<h4>{escaped(part.title)}</h4>"
    if part.form == "prose":
        said = as_html(part.text) if part.title == ANSWER else None
        kind = "prose" if said is None else "said"
        said = escaped(part.text) if said is None else said
        return f'<div>{title}<div class="asi1-{kind}" dir="auto">{said}</div></div>'
    if part.form == "fields":
        if part.title == ABOUT:
            return _about(part)
        return f"<div>{title}{''.join(_fields(item.fields) for item in part.items)}</div>"
    tag, kind, make = ("ol", "steps", _step) if part.form == "numbered" else _AGENTS
    if part.title == AGENTS:
        kind += " asi1-wide"
    items = "".join(f"<li>{make(item)}</li>" for item in part.items)
    # Without a marker, browsers forget that a list is one unless the role says so.
    return f'<div>{title}<{tag} class="asi1-{kind}" role="list">{items}</{tag}></div>'


def _about(part: Part) -> str:
    # That it is pending is said at the top.
    fields = [(label, text) for label, text in part.items[0].fields if label != PENDING]
    return f'<div class="asi1-about" role="group" aria-label="{ABOUT}">{_fields(fields)}</div>'


def _thought(text: str, *, folded: bool) -> str:
    words = len(text.split())
    length = f"{words:,} word{'' if words == 1 else 's'}, {len(text):,} characters"
    opened = "" if folded else " open"
    return (
        f"<details{opened}><summary>{THOUGHT} ({length})</summary>"
        f'<div class="asi1-prose asi1-thought" dir="auto">{escaped(text)}</div></details>'
    )


def _step(item: Item) -> str:
    fields = list(item.fields)
    head = ""
    for label, text in fields:
        if label in _HEADS:
            fields.remove((label, text))
            head = f'<div class="asi1-name"><bdi>{escaped(text)}</bdi></div>'
            break
    return head + _fields(fields)


def _agent(item: Item) -> str:
    return "".join(_agent_parts(item))


_AGENTS: Final = ("ul", "agents", _agent)


def _agent_parts(item: Item) -> Iterator[str]:
    known = {label or "": text for label, text in item.fields}
    yield f'<div><bdi class="asi1-name">{escaped(item.name)}</bdi>'
    if "handle" in known:
        yield f' <bdi class="asi1-soft">{escaped(known.pop("handle"))}</bdi>'
    if "rating" in known:
        rating = escaped(known.pop("rating"))
        spoken = f'role="img" aria-label="rating {rating}"'
        yield f' <span class="asi1-rating" {spoken}>★ {rating}</span>'
    if item.status:
        sign, _ = STATUSES[item.status]
        yield f' <span class="asi1-badge asi1-{item.status}">{sign} {item.status}</span>'
    yield "</div>"
    if item.status and "status" in known:
        told = known.pop("status")
        yield f'<div class="asi1-soft">{escaped(told.partition(": ")[2] or told)}</div>'
    if "about" in known:
        yield f"<div><bdi>{escaped(known.pop('about'))}</bdi></div>"
    if "address" in known:
        yield _address(known.pop("address"))
    if known:
        yield _fields(known.items())
    for problem in item.problems:
        yield (
            '<div class="asi1-problem"><span role="img" aria-label="problem">⚠</span> '
            f"{escaped(problem)}</div>"
        )


def _address(address: str) -> str:
    """The address in short; opened, in full, where one click selects it whole."""
    return (
        f'<details><summary aria-label="address {escaped(address)}: open to select and copy">'
        f"<code>{escaped(shortened(address))}</code> copy…</summary>"
        f'<code class="asi1-whole" tabindex="0">{escaped(address)}</code></details>'
    )


def _fields(fields: Iterable[tuple[str | None, str]]) -> str:
    made = []
    for label, text in fields:
        value = f"<code>{escaped(text)}</code>" if label in _CODE else f"<bdi>{escaped(text)}</bdi>"
        if label:
            made.append(f"<dt><bdi>{escaped(label)}</bdi></dt><dd>{value}</dd>")
        else:
            made.append(f"<dt></dt><dd>{value}</dd>")
    if not made:
        return ""
    if all(not label for label, _ in fields):
        return "".join(f"<div><bdi>{escaped(text)}</bdi></div>" for _, text in fields)
    return f"<dl>{''.join(made)}</dl>"


def _graph(diagram: Diagram) -> str:
    return (
        '<section class="asi1-card" aria-label="Graph"><div class="asi1-scroll" tabindex="0" '
        f'role="group" aria-label="Drawing of the graph">{diagram.svg}</div>'
        f"<details><summary>Mermaid</summary><pre><code>{escaped(diagram.mermaid)}</code></pre>"
        "</details></section>"
    )
