"""The text of HTML."""

from __future__ import annotations

from html.parser import HTMLParser


class _Text(HTMLParser):
    """The text of HTML, and its elements, all of which must be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("hr", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data.split()


def words(html: str) -> list[str]:
    """Return the words of HTML, whose elements must be closed in order."""
    parser = _Text()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.words
