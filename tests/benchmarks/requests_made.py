"""What is asked: long conversations and many tools."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.wire import answer_text


def conversation(size: int) -> list[Any]:
    """A history of that many messages: questions, calls of a tool, their results, and answers."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    messages: list[Any] = [SystemMessage("You book tables.")]
    for number in range(size):
        call = {"name": "find_table", "args": {"city": "London", "guests": 2}, "id": f"c{number}"}
        messages += [
            HumanMessage(answer_text(120)),
            AIMessage("I will look.", tool_calls=[call]),
            ToolMessage('{"free": ["18:30", "19:15"]}', tool_call_id=f"c{number}"),
            AIMessage(answer_text(300)),
        ]
        if len(messages) >= size:
            break
    return [*messages[: size - 1], HumanMessage("Book the first.")]


def twenty_tools() -> list[Any]:
    """Twenty functions as users write them: typed, with a docstring."""

    def make(number: int) -> Any:
        def find(city: str, guests: int, wishes: list[str], outdoor: bool = False) -> str:
            """Find tables in a city that are free tonight."""
            return ""

        find.__name__ = f"find_tables_{number}"
        return find

    return [make(number) for number in range(20)]
