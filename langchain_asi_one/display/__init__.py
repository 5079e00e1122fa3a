"""Answers, runs and graphs made visible: in notebooks, terminals, texts.

`show` displays a message, a list of messages, a graph's state, a running stream or a compiled
graph. `stream_view` displays an answer while it arrives and returns it. `card` returns the object
that both display. `format_message` writes a message as text.

All forms show the same. All text of a model or an agent is treated as hostile. In HTML it is
escaped, Markdown is read without HTML, links show their target, an image of an answer is only
named, and no script, style or address in it has any effect. In a terminal it can neither move the
cursor nor hide or reorder what is shown. LaTeX formulas are shown as they were written, because
MathJax would take commands from them.
"""

from __future__ import annotations

from langchain_asi_one.display._show import card, format_message, show, stream_view

__all__ = ["card", "format_message", "show", "stream_view"]
