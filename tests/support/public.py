"""The modules that users import from."""

from __future__ import annotations

from typing import Final

PUBLIC_MODULES: Final = (
    "langchain_asi_one",
    "langchain_asi_one.agents",
    "langchain_asi_one.display",
    "langchain_asi_one.errors",
    "langchain_asi_one.executable_data",
    "langchain_asi_one.follow_up",
    "langchain_asi_one.images",
    "langchain_asi_one.langgraph",
    "langchain_asi_one.middleware",
    "langchain_asi_one.testing",
)
