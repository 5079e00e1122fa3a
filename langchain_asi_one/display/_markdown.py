"""Untrusted Markdown: read without HTML, every link with its target shown, no image fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one._json.printable import printable

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_ADDRESS: Final = re.compile(r"(?:https?://[^\s/?#]|mailto:[^\s])", re.IGNORECASE)
_LONGEST: Final = 200_000
"""Characters of Markdown that are read; a longer text is shown as it is."""
_FIRST_HEADING: Final = 5  # below the titles of the card
_LAST_HEADING: Final = 6


def is_linkable(address: str) -> bool:
    """Whether an address may be made a link: web and mail only, no other scheme, none relative."""
    return _ADDRESS.match(address) is not None


def render_markdown(text: str) -> str | None:
    """Render Markdown as HTML that does nothing.

    Args:
        text: The model's text.

    Returns:
        HTML of known elements and attributes; `None` if `markdown-it-py` is missing, or the text
        is beyond 200,000 characters.
    """
    tokens = parse_markdown(text)
    if tokens is None:
        return None
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def parse_markdown(text: str) -> list[Token] | None:
    """Parse Markdown into tokens without HTML, images and unprintable characters."""
    if len(text) > _LONGEST:
        return None
    try:
        parser = _parser()
    except ImportError:
        return None
    return list(_sanitize(parser.parse(printable(text))))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - optional

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # What it refuses stays text.
    parser.validateLink = is_linkable  # type: ignore[assignment,method-assign]
    return parser


def _sanitize(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same tokens without what a renderer would take literally from the model."""
    for token in tokens:
        # Entities are decoded by now, and may stand for what `printable` took out.
        token.content = printable(token.content)
        token.info = ""
        token.meta = {}
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + _FIRST_HEADING - 1, _LAST_HEADING)}"
        if token.type == "fence":
            token.type = "code_block"
        token.attrs = _attributes(token)
        if token.children is not None:
            token.children = list(_sanitize_inline(token.children))
        yield token


def _attributes(token: Token) -> dict[str, str | int | float]:
    """Only what changes the layout of tables and lists."""
    style = token.attrs.get("style")
    if style in ("text-align:left", "text-align:center", "text-align:right"):
        return {"style": style}
    start = token.attrs.get("start")
    return {"start": start} if isinstance(start, int) else {}


def _sanitize_inline(tokens: Sequence[Token]) -> Iterator[Token]:
    targets: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "image":
            yield _text(f"[image: {_image(token)}]")
        elif token.type == "link_open":
            target = printable(str(token.attrs.get("href", "")))
            title = printable(str(token.attrs.get("title", "")))
            same = _shows_target(tokens[place + 1 : place + 3], target)
            targets.append("" if same else f" ({target}{', ' if title else ''}{title})")
            rel = "noopener noreferrer"
            token.attrs = {"href": target, "rel": rel, "target": "_blank"}
            yield token
        elif token.type == "link_close":
            yield token
            if shown := targets.pop():
                yield _text(shown)
        else:
            yield from _sanitize([token])


def _shows_target(following: Sequence[Token], target: str) -> bool:
    """Whether the text of a link is its target."""
    kinds = [token.type for token in following]
    return kinds == ["text", "link_close"] and following[0].content == target


def _image(token: Token) -> str:
    alt = printable(token.content).strip()
    source = printable(str(token.attrs.get("src", "")))
    return f"{alt}, {source}" if alt else source


def _text(content: str) -> Token:
    from markdown_it.token import Token  # noqa: PLC0415 - optional

    return Token("text", "", 0, content=content)


def escape_text(value: Any) -> str:
    """Text for an HTML element or a quoted attribute: made printable, then escape_text."""
    return escape(printable(str(value)), quote=True)
