"""What is measured: `ChatASIOne`, and what else can talk to the same server.

A peer is imported when it is made, in a process of its own, so that none pays for another and one
that is not installed is missed by its row only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from pydantic import BaseModel

KEY = "sk_benchmark_0123456789abcdef"
MODEL = "asi1"


class Answer(BaseModel):
    """An answer to the user, with a title."""

    title: str
    text: str


class Peer(Protocol):
    """What every peer can do; the tasks of `tasks.py` ask for more only of LangChain's models."""

    def invoke(self, text: str) -> Any: ...

    def stream(self, text: str, how: str = "plain") -> int: ...

    async def astream(self, text: str, how: str = "plain") -> int: ...


@dataclass(frozen=True)
class LangChainClass:
    """Where a LangChain chat model is found, and in which distribution."""

    module: str
    name: str
    distribution: str

    def load(self) -> Any:
        """Import the class."""
        return getattr(import_module(self.module), self.name)


LANGCHAIN = {
    "ours": LangChainClass("langchain_asi_one", "ChatASIOne", "langchain-asi-one"),
    "ChatOpenAI": LangChainClass("langchain_openai", "ChatOpenAI", "langchain-openai"),
    "ChatDeepSeek": LangChainClass("langchain_deepseek", "ChatDeepSeek", "langchain-deepseek"),
    "ChatXAI": LangChainClass("langchain_xai", "ChatXAI", "langchain-xai"),
    "ChatOpenRouter": LangChainClass(
        "langchain_openrouter", "ChatOpenRouter", "langchain-openrouter"
    ),
}


class LangChainPeer:
    """A LangChain chat model.

    Args:
        of: Its class.
        url: Base URL of the server.
    """

    def __init__(self, of: LangChainClass, url: str) -> None:
        self._class = of.load()
        self._given = {"base_url": url, "api_key": KEY, "model": MODEL}
        self.model = self.construct()
        self._chains: dict[str, Any] = {"plain": self.model}

    def construct(self) -> Any:
        """Make a model, as a user would."""
        return self._class(**self._given)

    def chain(self, how: str) -> Any:
        """The model; with a tool bound for `tools`; else with structured output by that method."""
        if how not in self._chains:
            if how == "tools":
                self._chains[how] = self.model.bind_tools([Answer])
            else:
                self._chains[how] = self.model.with_structured_output(Answer, method=how)
        return self._chains[how]

    def invoke(self, text: str) -> Any:
        """Ask for a whole answer."""
        return self.model.invoke(text)

    def stream(self, text: str, how: str = "plain") -> int:
        """Ask for a stream; returns how many chunks there were."""
        return sum(1 for _ in self.chain(how).stream(text))

    async def astream(self, text: str, how: str = "plain") -> int:
        """Do as `stream`, in the running event loop."""
        count = 0
        async for _ in self.chain(how).astream(text):
            count += 1
        return count

    def texts(self, text: str) -> Iterator[str]:
        """The text of each chunk of a stream."""
        return (str(chunk.text) for chunk in self.model.stream(text))

    async def atexts(self, text: str) -> AsyncIterator[str]:
        """Do as `texts`, in the running event loop."""
        async for chunk in self.model.astream(text):
            yield str(chunk.text)


def _user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


class SDKPeer:
    """The openai SDK, with its typed chunks."""

    def __init__(self, url: str) -> None:
        self._given = {"base_url": url, "api_key": KEY}
        self._openai = import_module("openai")
        self._client = self.construct()
        self._async_clients: dict[asyncio.AbstractEventLoop, Any] = {}

    def construct(self) -> Any:
        """Make a client."""
        return self._openai.OpenAI(**self._given)

    def invoke(self, text: str) -> Any:
        """Ask for a whole answer."""
        return self._client.chat.completions.create(model=MODEL, messages=_user(text))

    def stream(self, text: str, how: str = "plain") -> int:
        """Ask for a stream; returns how many chunks there were."""
        create = self._client.chat.completions.create
        return sum(1 for _ in create(model=MODEL, messages=_user(text), stream=True))

    async def astream(self, text: str, how: str = "plain") -> int:
        """Do as `stream`, in the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._async_clients:
            self._async_clients[loop] = self._openai.AsyncOpenAI(**self._given)
        create = self._async_clients[loop].chat.completions.create
        count = 0
        async for _ in await create(model=MODEL, messages=_user(text), stream=True):
            count += 1
        return count


class LlamaIndexPeer:
    """llama-index's class for ASI:One."""

    def __init__(self, url: str) -> None:
        self._class = import_module("llama_index.llms.asi").ASI
        self._message = import_module("llama_index.core.llms").ChatMessage
        self._given = {"api_base": url, "api_key": KEY, "model": MODEL}
        self._model = self.construct()

    def construct(self) -> Any:
        """Make a model."""
        return self._class(**self._given)

    def invoke(self, text: str) -> Any:
        """Ask for a whole answer."""
        return self._model.chat([self._message(role="user", content=text)])

    def stream(self, text: str, how: str = "plain") -> int:
        """Ask for a stream; returns how many chunks there were."""
        messages = [self._message(role="user", content=text)]
        return sum(1 for _ in self._model.stream_chat(messages))

    async def astream(self, text: str, how: str = "plain") -> int:
        """Do as `stream`, in the running event loop."""
        messages = [self._message(role="user", content=text)]
        count = 0
        async for _ in await self._model.astream_chat(messages):
            count += 1
        return count


class LiteLLMPeer:
    """LiteLLM, told to speak OpenAI's protocol to the server. There is nothing to construct."""

    def __init__(self, url: str) -> None:
        self._litellm = import_module("litellm")
        self._given = {"model": f"openai/{MODEL}", "api_base": url, "api_key": KEY}

    def invoke(self, text: str) -> Any:
        """Ask for a whole answer."""
        return self._litellm.completion(**self._given, messages=_user(text))

    def stream(self, text: str, how: str = "plain") -> int:
        """Ask for a stream; returns how many chunks there were."""
        completion = self._litellm.completion
        return sum(1 for _ in completion(**self._given, messages=_user(text), stream=True))

    async def astream(self, text: str, how: str = "plain") -> int:
        """Do as `stream`, in the running event loop."""
        completion = self._litellm.acompletion
        count = 0
        async for _ in await completion(**self._given, messages=_user(text), stream=True):
            count += 1
        return count


def _floor(name: str) -> Callable[[str], Peer]:
    def make(url: str) -> Peer:
        made: Peer = getattr(import_module("tests.benchmarks.floor"), name)(url)
        return made

    return make


_OTHERS: dict[str, Callable[[str], Peer]] = {
    "raw": _floor("Raw"),
    "empty": _floor("Empty"),
    "SDK": SDKPeer,
    "llama-index": LlamaIndexPeer,
    "LiteLLM": LiteLLMPeer,
}


def make_peer(name: str, url: str) -> Peer:
    """Import a peer and connect it with the server.

    Args:
        name: A name of `LANGCHAIN`, or `raw`, `empty`, `SDK`, `llama-index`, `LiteLLM`.
        url: Base URL of the server.

    Returns:
        The peer.

    Raises:
        ImportError: If it is not installed.
    """
    if name in LANGCHAIN:
        return LangChainPeer(LANGCHAIN[name], url)
    return _OTHERS[name](url)
