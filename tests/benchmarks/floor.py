"""The floor: what no LangChain model can go below. Reading the bytes, and LangChain's `stream()`.

Both are measured beside `ChatASIOne` in one process, round by round, and their times are added.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from typing_extensions import override

from tests.benchmarks.wire import Prompt, word
from tests.support.patience import PATIENCE

_DATA = b"data: {"


def http_library() -> Any:
    """The HTTP library of the installed SDK: `httpx2` since openai 3, `httpx` before."""
    newer = int(import_module("openai").__version__.split(".")[0]) >= 3
    return import_module("httpx2" if newer else "httpx")


class Events:
    """Reads the JSON of the events in a stream's bytes, and keeps none of it."""

    def __init__(self) -> None:
        self.count = 0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Read what has arrived: `bytes.split` is the fastest way that was found."""
        events = (self._rest + data).split(b"\n\n")
        self._rest = events.pop()
        for event in events:
            if event.startswith(_DATA):
                json.loads(event[6:])
                self.count += 1


class Raw:
    """Raw HTTP and JSON: bytes off the socket, each event decoded."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/chat/completions"
        self._library = http_library()
        self._client = self._library.Client(timeout=PATIENCE)
        self._async_clients: dict[asyncio.AbstractEventLoop, Any] = {}

    def _body(self, text: str, *, stream: bool) -> dict[str, Any]:
        messages = [{"role": "user", "content": text}]
        return {"model": "asi1", "messages": messages, "stream": stream}

    def invoke(self, text: str) -> None:
        """Ask for a whole answer."""
        json.loads(self._client.post(self._url, json=self._body(text, stream=False)).content)

    def stream(self, text: str, how: str = "plain") -> int:
        """Ask for a stream; returns how many events there were."""
        events = Events()
        body = self._body(text, stream=True)
        with self._client.stream("POST", self._url, json=body) as response:
            for data in response.iter_bytes():
                events.feed(data)
        return events.count

    async def astream(self, text: str, how: str = "plain") -> int:
        """Do as `stream`, in the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._async_clients:
            self._async_clients[loop] = self._library.AsyncClient(timeout=PATIENCE)
        events = Events()
        body = self._body(text, stream=True)
        async with self._async_clients[loop].stream("POST", self._url, json=body) as response:
            async for data in response.aiter_bytes():
                events.feed(data)
        return events.count


class EmptyModel(BaseChatModel):
    """LangChain's `stream()` over a model that does nothing but name words."""

    words: tuple[str, ...] = ()

    @property
    @override
    def _llm_type(self) -> str:
        return "empty"

    @override
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    @override
    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for one in self.words:
            yield ChatGenerationChunk(message=AIMessageChunk(content=one))

    @override
    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for one in self.words:
            yield ChatGenerationChunk(message=AIMessageChunk(content=one))


class Empty:
    """Streams as many words as the answer to a prompt has chunks."""

    def __init__(self, url: str) -> None:
        self._models: dict[str, EmptyModel] = {}

    def _model(self, text: str) -> EmptyModel:
        if text not in self._models:
            words = map(word, range(Prompt.parse(text).amount))
            self._models[text] = EmptyModel(words=tuple(words))
        return self._models[text]

    def stream(self, text: str, how: str = "plain") -> int:
        """Stream; returns how many chunks there were."""
        return sum(1 for _ in self._model(text).stream(text))

    async def astream(self, text: str, how: str = "plain") -> int:
        """Do as `stream`, in the running event loop."""
        count = 0
        async for _ in self._model(text).astream(text):
            count += 1
        return count
