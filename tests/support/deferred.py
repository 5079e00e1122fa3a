"""A question whose answer ASI:One gives later, and answers to it."""

from __future__ import annotations

from typing import Any, Final

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

SESSION: Final = "0c0c4b0e-3a53-4a0c-9d2e-5f43f6ea3f5c"
DEFERRED: Final = "I've sent the message"
QUESTION: Final[list[BaseMessage]] = [HumanMessage("Is a table free?")]
CALL: Final = {"name": "book", "args": {"at": 8}, "id": "call_1", "type": "tool_call"}


def make_answer(text: str, **more: Any) -> AIMessage:
    """Return an answer of the session."""
    return AIMessage(text, response_metadata={"session_id": SESSION}, **more)
