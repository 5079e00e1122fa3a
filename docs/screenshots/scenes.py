"""What the screenshots show: real answers of the local stand-in, drawn by the package itself."""
# ruff: noqa: INP001 - no package, but pictures and what makes them

from __future__ import annotations

import hashlib
import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_asi_one import ChatASIOne
from langchain_asi_one.__main__ import main
from langchain_asi_one.display import card
from langchain_asi_one.display._card import Card
from langchain_asi_one.display._html import read_style_sheet
from langchain_asi_one.display._text import join_sections, to_text_sections
from langchain_asi_one.langgraph import create_asi_one_graph
from langchain_asi_one.testing import LocalASIOne, local_asi_one

if TYPE_CHECKING:
    from langchain_asi_one.langgraph import AgentTask

QUESTION: Final = "Which agents can tell me the weather in Paris?"
OFFLINE: Final = ("--offline", QUESTION)
COMMAND: Final = ("-m", "langchain_asi_one", *OFFLINE)
WEATHER: Final = "agent1q2s25dz79wlykf8kczjw0333y9ru5dl42vflyks9tvrz4qcny7gucd0pk92"

COLUMNS: Final = 96
_CHANGES: Final = re.compile(r":\d+/v1|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What no two runs have in common: port and session."""


@dataclass(frozen=True)
class Picture:
    """A picture in this folder.

    Attributes:
        name: Name of the file.
        source: The text that it shows, so that a changed one is noticed.
    """

    name: str
    source: str

    @property
    def fingerprint(self) -> str:
        """What the file says that it shows."""
        return hashlib.sha256(self.source.encode()).hexdigest()


def cards() -> dict[str, Card]:
    """Ask the stand-in, and make the cards of an answer and of a routed run."""
    with local_asi_one() as server:
        return {"answer": _answer(server), "graph": _graph(server)}


def _model(server: LocalASIOne) -> ChatASIOne:
    return ChatASIOne(base_url=server.base_url, api_key="any", session_id="paris")


def _answer(server: LocalASIOne) -> Card:
    return card(_model(server).invoke(QUESTION))


def _ask(task: AgentTask) -> str:
    return f"{task['agent']['name']} says: sunny, 21 °C."


def _graph(server: LocalASIOne) -> Card:
    graph = create_asi_one_graph(_model(server), allow={WEATHER}, worker=_ask)
    state: Any = graph.invoke({"messages": [("user", QUESTION)]})
    return card(graph, state)


def terminal_text() -> str:
    """Run the command as a program that reads its output would see it."""
    output = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(output):
        main(OFFLINE)
    output.seek(0)
    return _CHANGES.sub("…", output.read())


def pictures() -> list[Picture]:
    """All pictures, with what they show now."""
    made = [Picture("terminal.png", terminal_text())]
    for name, one in cards().items():
        # Without the graph, which versions of LangGraph describe differently.
        sections = [section for section in one.list_sections(None) if section.title != "Graph"]
        shown = join_sections(to_text_sections(sections), None)
        made += [
            Picture(f"{name}-{scheme}.png", read_style_sheet() + shown)
            for scheme in ("light", "dark")
        ]
    return made
