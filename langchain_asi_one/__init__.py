"""ASI:One, Fetch.ai's language model API, for LangChain and LangGraph.

`ChatASIOne` is the chat model; what ASI:One says of agents is read by `parse_executable_data` and
`get_executable_data`. Names are imported on first use, so importing the package costs nothing.
"""

from importlib import import_module

from langchain_asi_one._version import __version__

# Type checkers know the name; importing `typing` would be most of what the package costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from langchain_asi_one.chat_models import ChatASIOne
    from langchain_asi_one.executable_data import (
        ExecutableEntry,
        get_executable_data,
        is_agent_address,
        parse_executable_data,
    )

__all__ = [
    "ChatASIOne",
    "ExecutableEntry",
    "__version__",
    "get_executable_data",
    "is_agent_address",
    "parse_executable_data",
]

_HOME = {
    "ChatASIOne": "chat_models",
    "ExecutableEntry": "executable_data",
    "get_executable_data": "executable_data",
    "is_agent_address": "executable_data",
    "parse_executable_data": "executable_data",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
