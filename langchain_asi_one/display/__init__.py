"""What ASI:One did, made visible: in a notebook, in a terminal, as text.

`show` displays a message, a list of messages, a graph's state, a running stream or a compiled
graph; `stream_view` displays an answer while it comes and returns it; `card` gives the object that
both display. `format_message` is the text form, and `sections` what it is made of.

All forms tell the same. All text is treated as hostile: in HTML it is escaped, Markdown is read
without HTML, links show their target, an image is only named, and no script, style or address of
the model's has any effect; in a terminal it can neither move the cursor nor hide or reorder what
is shown. Formulas of LaTeX are shown as they were written, as MathJax would take commands from it.
"""

from __future__ import annotations

from langchain_asi_one.display._card import Card, card
from langchain_asi_one.display._show import show, stream_view
from langchain_asi_one.display._text import (
    NARROWEST,
    Line,
    Section,
    format_message,
    sections,
)
from langchain_asi_one.display._view import ANSWER, THOUGHT

__all__ = [
    "ANSWER",
    "NARROWEST",
    "THOUGHT",
    "Card",
    "Line",
    "Section",
    "card",
    "format_message",
    "sections",
    "show",
    "stream_view",
]
