"""The parts of a message as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from langchain_core.messages import AIMessage

from langchain_asi_one.display._printable import Flow, columns
from langchain_asi_one.display._view import Item, Part, Turn, message_parts

NARROWEST: Final = 20
"""Fewest columns to wrap to.

Example:
    >>> NARROWEST
    20
"""

_MARGIN: Final = "  "
_WIDEST_LABEL: Final = 16


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a section, safe to print.

    Attributes:
        text: The text; only thought and answer hold newlines.
        label: What it is, padded so that neighbours line up; `""` for none.
        role: `"name"` begins an item, `"problem"` says what is wrong, else `"text"`.

    Example:
        >>> Line("all day long", label="rain  ").wrapped(20)
        '  rain  all day long'
    """

    text: str
    label: str = ""
    role: Literal["text", "name", "problem"] = "text"

    @property
    def start(self) -> str:
        """What stands before the text in its first line."""
        return _MARGIN + self.label

    def wrapped(self, width: int | None) -> str:
        """Lay the line out.

        Args:
            width: Columns to wrap to; `None` wraps nothing.

        Returns:
            `start` and the text, without a newline at the end.
        """
        flow = Flow(width=width, first=self.start, rest=" " * columns(self.start))
        return flow.feed(self.text) + flow.close()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a message under a title of its own.

    Attributes:
        title: What the part is.
        lines: At least one.

    Example:
        >>> Section("Answer", (Line("Hello!"),)).lines[0].text
        'Hello!'
    """

    title: str
    lines: tuple[Line, ...]


def format_message(message: AIMessage, *, width: int | None = None) -> str:
    """Write a message as plain text: all that ASI:One said, in the order in which it happened.

    Thought, steps, answer and agents are shown as they are; the value of a step, of a tool's
    argument or of its result is cut after 400 characters, with a note of how many follow.

    Args:
        message: A message of `ChatASIOne`; of any other model, what it has in common.
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
    if width is not None and width < NARROWEST:
        msg = f"width must be {NARROWEST} columns or more, or None to wrap nothing; got {width!r}."
        raise ValueError(msg)
    return as_text(sections(message), width)


def sections(message: AIMessage) -> list[Section]:
    """Take a message apart into what people read.

    Args:
        message: A message of `ChatASIOne`; of any other model, what it has in common.

    Returns:
        The sections that have something to say, thought first and token counts last.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> thought = {"thought": "A greeting."}
        >>> [section.title for section in sections(AIMessage("Hi", additional_kwargs=thought))]
        ['Thought', 'Answer']
    """
    return laid_out(message_parts(message))


def turn_sections(turns: Iterable[Turn]) -> list[Section]:
    """The sections of all turns."""
    return [section for turn in turns for section in laid_out(turn.parts)]


def laid_out(parts: Iterable[Part]) -> list[Section]:
    """The sections of parts; those without a visible character are left out."""
    made = (Section(part.title, tuple(_lines(part))) for part in parts)
    return [one for one in made if any(line.wrapped(None).strip() for line in one.lines)]


def as_text(made: Iterable[Section], width: int | None) -> str:
    """Write sections as plain text."""
    return "\n\n".join(
        "\n".join([section.title, *(line.wrapped(width) for line in section.lines)]).rstrip("\n")
        for section in made
    )


def _lines(part: Part) -> Iterator[Line]:
    for number, item in enumerate(part.items, start=1):
        if part.form == "numbered":
            bullet = f"{number}. "
            for place, line in enumerate(_labelled(item)):
                yield Line(line.text, (bullet if not place else " " * len(bullet)) + line.label)
        elif part.form == "named":
            yield from _named(item)
        else:
            yield from _labelled(item)


def _named(item: Item) -> Iterator[Line]:
    yield Line(item.name, role="name")
    for line in _labelled(item):
        yield Line(line.text, _MARGIN + line.label)
    for problem in item.problems:
        yield Line(problem, _MARGIN + "! ", "problem")


def _labelled(item: Item) -> Iterator[Line]:
    pad = min(max((columns(label) for label, _ in item.fields if label), default=0), _WIDEST_LABEL)
    for label, text in item.fields:
        if label is None:
            yield Line(text)
        else:
            yield Line(text, label + " " * max(pad - columns(label), 0) + "  ")
