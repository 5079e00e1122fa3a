"""Sections and rows as data, for text, terminals and HTML."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from langchain_asi_one._json.printable import make_one_line, make_printable
from langchain_asi_one._json.safe import make_json_safe

THOUGHT: Final = "Thought"
ANSWER: Final = "Answer"
ABOUT: Final = "About this answer"
PENDING_LABEL: Final = "still pending"
_MAX_SHOWN: Final = 400

Form: TypeAlias = Literal["prose", "fields", "numbered", "named", "drawing", "pictures"]
Mark: TypeAlias = Literal["", "done", "running", "failed"]


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a section. All text is safe to print.

    Attributes:
        fields: Label and text; the label is `None` for a value that has none.
        name: Its name; `""` if it has none.
        problems: What is wrong with it.
        status: The status of an agent in a run: a key of `SIGNS`, or `""`.
        meaning: What the status means.
        mark: What became of a step or task, if that is known.
        mark_label: Label of the field that the mark was read from; `""` if there is none.
        picture: A `data:` address of a checked type; `""` if the row is no picture.
    """

    fields: tuple[tuple[str | None, str], ...] = ()
    name: str = ""
    problems: tuple[str, ...] = ()
    status: str = ""
    meaning: str = ""
    mark: Mark = ""
    mark_label: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under one title.

    Attributes:
        title: Never text of the model.
        form: How the rows are laid out.
        rows: At least one.
    """

    title: str
    form: Form
    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        """The text of all rows, without labels."""
        return "\n".join(text for row in self.rows for _, text in row.fields)


@dataclass(frozen=True, slots=True)
class MessageView:
    """What is shown of one message, or of the run itself.

    Attributes:
        speaker: The model's answer, what it was asked, or the run.
        label: The speaker's name for people.
        sections: In reading order.
        waiting: What is waited for; `""` if nothing.
    """

    speaker: Literal["answer", "asked", "run"]
    label: str
    sections: tuple[Section, ...]
    waiting: str = ""


def shorten(value: object) -> str:
    """Return a value as one line, cut after 400 characters.

    A note says how many more there are.
    """
    text = make_one_line(to_text(value))
    more = len(text) - _MAX_SHOWN
    # A cut may leave a joiner that joins nothing.
    return (
        text if more <= 0 else f"{make_printable(text[:_MAX_SHOWN])}... ({more:,} more characters)"
    )


def to_text(value: object) -> str:
    """Return a text unchanged, any other value as JSON."""
    return (
        value if isinstance(value, str) else json.dumps(make_json_safe(value), ensure_ascii=False)
    )
