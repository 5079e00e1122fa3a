"""Sections as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from langchain_core.messages import AIMessage

from langchain_asi_one.display._terminal import MIN_WIDTH
from langchain_asi_one.display._view import Row, Section, list_answer_sections
from langchain_asi_one.display._wrap import TextWrapper, count_columns

_MARGIN: Final = "  "
_WIDEST_LABEL: Final = 16


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a section, safe to print.

    Attributes:
        text: The text; only thought, answer and drawings hold newlines.
        label: Its label, padded so that neighbours line up; `""` for none.
        role: `"name"` begins a row, `"problem"` says what is wrong, `"drawing"` is never wrapped.
    """

    text: str
    label: str = ""
    role: Literal["text", "name", "problem", "drawing"] = "text"

    @property
    def start(self) -> str:
        """Margin and label, before the text of the first line."""
        return _MARGIN + self.label

    def wrap(self, width: int | None) -> str:
        """Return margin, label and text, wrapped to `width` columns unless that is `None`."""
        width = None if self.role == "drawing" else width
        wrapper = TextWrapper(width=width, first=self.start, rest=" " * count_columns(self.start))
        return wrapper.feed(self.text) + wrapper.close()


@dataclass(frozen=True, slots=True)
class TextSection:
    """Lines under a title, at least one."""

    title: str
    lines: tuple[Line, ...]


def format_message(message: AIMessage, *, width: int | None = None) -> str:
    """Write a message as plain text.

    Thought, steps, answer and agents stand in the order in which they happened. The thought and
    the answer are whole; a value of a step, of a tool's arguments or of its result is cut after
    400 characters, with a note of the rest.

    Args:
        message: A message of `ChatASIOne`, or of any other model.
        width: Columns to wrap to, 20 or more; `None` wraps nothing. Long words are not broken.

    Returns:
        Lines under titles; no control character but the newline, and none at the end.

    Raises:
        ValueError: If `width` is below 20.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> thought = {"thought": "A greeting."}
        >>> print(format_message(AIMessage("Hello!", additional_kwargs=thought)))
        Thought
          A greeting.
        <BLANKLINE>
        Answer
          Hello!
    """
    if width is not None and width < MIN_WIDTH:
        msg = f"width must be {MIN_WIDTH} columns or more, or None to wrap nothing; got {width!r}."
        raise ValueError(msg)
    return join_sections(to_text_sections(list_answer_sections(message)), width)


def to_text_sections(sections: Iterable[Section]) -> list[TextSection]:
    """Return sections as lines, without those that have no visible character."""
    written = (TextSection(one.title, tuple(_write_lines(one))) for one in sections)
    return [one for one in written if any(line.wrap(None).strip() for line in one.lines)]


def join_sections(sections: Iterable[TextSection], width: int | None) -> str:
    """Return sections as one text, a blank line between them."""
    return "\n\n".join(
        "\n".join([one.title, *(line.wrap(width) for line in one.lines)]).rstrip("\n")
        for one in sections
    )


def _write_lines(section: Section) -> Iterator[Line]:
    for number, row in enumerate(section.rows, start=1):
        if section.form == "drawing":
            yield from (Line(text, role="drawing") for _, text in row.fields)
        elif section.form == "numbered":
            bullet = f"{number}. "
            for place, line in enumerate(_write_fields(row)):
                yield Line(line.text, (bullet if not place else " " * len(bullet)) + line.label)
        elif section.form == "named":
            yield from _write_named(row)
        else:
            yield from _write_fields(row)


def _write_named(row: Row) -> Iterator[Line]:
    yield Line(row.name, role="name")
    for line in _write_fields(row):
        yield Line(line.text, _MARGIN + line.label)
    for problem in row.problems:
        yield Line(problem, _MARGIN + "! ", "problem")


def _write_fields(row: Row) -> Iterator[Line]:
    widths = (count_columns(label) for label, _ in row.fields if label)
    pad = min(max(widths, default=0), _WIDEST_LABEL)
    for label, text in row.fields:
        if label is None:
            yield Line(text)
        else:
            yield Line(text, label + " " * max(pad - count_columns(label), 0) + "  ")
