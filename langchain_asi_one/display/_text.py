"""Sections as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from langchain_asi_one.display._agent_status import SIGNS
from langchain_asi_one.display._sections import Row, Section
from langchain_asi_one.display._wrap import TextWrapper, count_columns

_MARGIN: Final = "  "
_WIDEST_LABEL: Final = 16

Role: TypeAlias = Literal["text", "name", "problem", "drawing"]


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
    role: Role = "text"

    @property
    def start(self) -> str:
        """Margin and label, before the text of the first line."""
        return _MARGIN + self.label

    def wrap(self, width: int | None) -> str:
        """Return margin, label and text, wrapped to `width` columns.

        `None` wraps nothing.
        """
        width = None if self.role == "drawing" else width
        wrapper = TextWrapper(width=width, first=self.start, rest=" " * count_columns(self.start))
        return wrapper.feed(self.text) + wrapper.close()


@dataclass(frozen=True, slots=True)
class TextSection:
    """Lines under a title, at least one."""

    title: str
    lines: tuple[Line, ...]


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
            yield from _write_numbered(row, f"{number}. ")
        elif section.form == "named":
            yield from _write_named(row)
        else:
            yield from _write_fields(row)


def _write_numbered(row: Row, bullet: str) -> Iterator[Line]:
    lines = [Line(row.name, role="name")] if row.name else []
    lines += _write_fields(row)
    lines += (Line(problem, "! ", "problem") for problem in row.problems)
    for place, line in enumerate(lines):
        start = " " * len(bullet) if place else bullet
        yield Line(line.text, start + line.label, line.role)


def _write_named(row: Row) -> Iterator[Line]:
    yield Line(row.name, role="name")
    for line in _write_fields(row):
        yield Line(line.text, _MARGIN + line.label)
    for problem in row.problems:
        yield Line(problem, _MARGIN + "! ", "problem")


def _write_fields(row: Row) -> Iterator[Line]:
    fields = [(_mark_label(label, row), text) for label, text in row.fields]
    if row.status:
        fields.insert(0, ("status", f"{SIGNS[row.status]} {row.status}: {row.meaning}"))
    widths = (count_columns(label) for label, _ in fields if label)
    pad = min(max(widths, default=0), _WIDEST_LABEL)
    for label, text in fields:
        if label is None:
            yield Line(text)
        else:
            role: Role = "problem" if label.startswith("! ") else "text"
            yield Line(text, label + " " * max(pad - count_columns(label), 0) + "  ", role)


def _mark_label(label: str | None, row: Row) -> str | None:
    """Return a label, with a sign where a step says it failed."""
    return f"! {label}" if row.mark == "failed" and label in (row.mark_label, "error") else label
