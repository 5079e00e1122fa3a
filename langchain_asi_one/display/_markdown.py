"""Untrusted Markdown: no HTML, each link's target shown, no image fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._json.printable import make_printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# No user part: what stands before an @ is taken for the host by people, and is none.
_ADDRESS: Final = re.compile(r"(?:https?://[^\s/?#@\\]+(?:[/?#]|\Z)|mailto:[^\s])", re.IGNORECASE)
_MAX_LENGTH: Final = 200_000
_MAX_MARKUP: Final = 25_000
"""Characters that may be Markdown: reading so many takes a second at most."""
_MARKUP: Final = re.compile(r"[^\w .,;:?'\"()-]", re.ASCII)
_FIRST_HEADING: Final = 5  # below the titles of the card
_LAST_HEADING: Final = 6
_BOXES: Final = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


def is_linkable(address: str) -> bool:
    """Return whether an address may become a link.

    Web and mail addresses may, unless they are relative or name a user.
    """
    return _ADDRESS.match(address) is not None


def is_readable(text: str) -> bool:
    """Return whether a text is short enough to be read as Markdown."""
    if len(text) > _MAX_LENGTH:
        return False
    return len(text) <= _MAX_MARKUP or len(_MARKUP.findall(text)) <= _MAX_MARKUP


def render_markdown(text: str) -> str | None:
    """Render Markdown as HTML that does nothing.

    Args:
        text: The model's text.

    Returns:
        HTML of known elements and attributes; `None` if `markdown-it-py` is missing or the text is
        not readable.
    """
    tokens = parse_markdown(text)
    if tokens is None:
        return None
    parser = _make_parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def parse_markdown(text: str) -> list[Token] | None:
    """Parse Markdown into tokens without HTML, images and unprintable characters."""
    if not is_readable(text):
        return None
    try:
        parser = _make_parser()
    except ImportError:
        return None
    return list(_sanitize(parser.parse(make_printable(text))))


@cache
def _make_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - optional

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # What it refuses stays text.
    parser.validateLink = is_linkable  # type: ignore[assignment,method-assign]
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    return parser


def _open_table(*_: Any) -> str:
    """Let a wide table scroll, instead of breaking its words."""
    return '<div class="asi1-scroll" tabindex="0" role="group" aria-label="Table"><table>'


def _close_table(*_: Any) -> str:
    return "</table></div>"


def _sanitize(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens without what HTML would take from the model."""
    level = ""
    for place, token in enumerate(tokens):
        # Entities are decoded by now, and may stand for what `make_printable` took out.
        token.content = make_printable(token.content)
        token.info = ""
        token.meta = {}
        if token.type == "heading_open":
            level = token.tag
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + _FIRST_HEADING - 1, _LAST_HEADING)}"
        if token.type == "fence":
            token.type = "code_block"
        token.attrs = _list_attributes(token)
        if token.type == "heading_open":
            token.attrs = {"class": f"asi1-{level}"}
        if token.children is not None:
            if place >= 2 and tokens[place - 2].type == "list_item_open":
                _draw_box(token.children)
            token.children = list(_sanitize_inline(token.children))
        yield token


def _draw_box(tokens: Sequence[Token]) -> None:
    """Draw the box with which a task in a list begins."""
    first = tokens[0] if tokens else None
    if first is not None and first.type == "text" and first.content[:4] in _BOXES:
        first.content = _BOXES[first.content[:4]] + first.content[4:]


def _list_attributes(token: Token) -> dict[str, str | int | float]:
    """Return what changes the layout of tables and lists."""
    style = token.attrs.get("style")
    if style in ("text-align:left", "text-align:center", "text-align:right"):
        return {"style": style}
    start = token.attrs.get("start")
    return {"start": start} if isinstance(start, int) else {}


def _sanitize_inline(tokens: Sequence[Token]) -> Iterator[Token]:
    targets: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "image":
            yield _make_text(f"[image: {_name_image(token)}]")
        elif token.type == "link_open":
            target = make_printable(str(token.attrs.get("href", "")))
            title = make_printable(str(token.attrs.get("title", "")))
            same = _shows_target(tokens[place + 1 : place + 3], target)
            targets.append("" if same else f" ({target}{', ' if title else ''}{title})")
            rel = "noopener noreferrer"
            token.attrs = {"href": target, "rel": rel, "target": "_blank"}
            yield token
        elif token.type == "link_close":
            yield token
            if shown := targets.pop():
                yield _make_text(shown)
        else:
            yield from _sanitize([token])


def _shows_target(following: Sequence[Token], target: str) -> bool:
    """Return whether the text of a link is its target."""
    kinds = [token.type for token in following]
    return kinds == ["text", "link_close"] and following[0].content == target


def _name_image(token: Token) -> str:
    alt = make_printable(token.content).strip()
    source = make_printable(str(token.attrs.get("src", "")))
    return f"{alt}, {source}" if alt else source


def _make_text(content: str) -> Token:
    from markdown_it.token import Token  # noqa: PLC0415 - optional

    return Token("text", "", 0, content=content)


def escape_text(value: Any) -> str:
    """Make text printable, and escape it for HTML.

    It fits into an element or a quoted attribute.
    """
    return escape(make_printable(str(value)), quote=True)
