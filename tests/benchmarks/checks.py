"""What is not a matter of speed: memory of long streams, the first chunk, and what is kept."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

from tests.benchmarks.crowd import release, resident_bytes
from tests.benchmarks.peers import LangChainPeer
from tests.benchmarks.wire import EXTRAS, Prompt, own_word

_SECONDS = 20
_SAMPLED_EVERY = 10_000


def memory(
    peer: LangChainPeer, url: str, runner: asyncio.Runner, *, first: int, chunks: int
) -> dict[str, Any]:
    """Read a long stream from the model's own `_stream`, keeping nothing.

    Args:
        peer: Whose model.
        url: Not used.
        runner: Not used.
        first: Chunks after which the memory is noted for the first time.
        chunks: Of the stream.

    Returns:
        `growth` of memory in bytes since then, `text` bytes of the answer since then, of which the
        model keeps a copy for the error that would break the stream off, `beyond_a_chunk` what
        there is beyond it for each chunk, `first` and
        `last` samples, and `count` of chunks.
    """
    from langchain_core.messages import HumanMessage

    question = [HumanMessage(str(Prompt("text", chunks)))]
    count = at_first = most = text = 0
    gc.collect()
    for count, generation in enumerate(peer.model._stream(question), 1):
        text += len(generation.text) if count > first else 0
        if count == first:
            gc.collect()
            at_first = resident_bytes()
        elif count > first and count % _SAMPLED_EVERY == 0:
            most = max(most, resident_bytes())
    growth = most - at_first
    found = {"growth": growth, "text": text, "beyond_a_chunk": (growth - text) / (count - first)}
    return {**found, "first": at_first, "last": most, "count": count}


def first_chunk(peer: LangChainPeer, url: str, runner: asyncio.Runner) -> dict[str, Any]:
    """See that a chunk reaches the caller before the server has sent the next.

    Args:
        peer: Whose model.
        url: Base URL of the server, which waits after the first chunk until it is told to go on.
        runner: Not used.

    Returns:
        `right`: whether the rest followed and was right. A model that holds the first chunk back
        waits in vain, and fails by its timeout.
    """
    prompt = Prompt("own", 3, "events", 0, gate=1)
    model = peer.model.bind(timeout=_SECONDS)
    texts = []
    for chunk in model.stream(str(prompt)):
        texts.append(str(chunk.text))
        if texts[-1] == own_word(0, 0):
            release(url)
    return {"right": "".join(texts) == "".join(own_word(0, index) for index in range(3))}


def first_chunk_async(peer: LangChainPeer, url: str, runner: asyncio.Runner) -> dict[str, Any]:
    """Do as `first_chunk`, with the async methods."""

    async def read() -> str:
        texts = []
        async with asyncio.timeout(_SECONDS):
            async for text in peer.atexts(str(Prompt("own", 3, "events", 0, gate=1))):
                texts.append(text)
                if text == own_word(0, 0):
                    await asyncio.to_thread(release, url)
        return "".join(texts)

    return {"right": runner.run(read()) == "".join(own_word(0, index) for index in range(3))}


def kept(peer: LangChainPeer, url: str, runner: asyncio.Runner) -> dict[str, Any]:
    """Count the extra fields of an answer that are found again in the message, wherever they are.

    Args:
        peer: Whose model.
        url: Not used.
        runner: Not used.

    Returns:
        `kept` of `fields`.
    """
    message = peer.model.invoke(str(Prompt("extras", 20)))
    held = json.dumps([message.content, message.additional_kwargs, message.response_metadata])
    values = {name: json.dumps(value) for name, value in EXTRAS.items()}
    # One of two fields with thoughts may be kept as the thought, the other among the extras.
    reasoning = '"thought": "r"' in held or '"reasoning_content": "r"' in held
    thought = '"thought": "t"' in held or '"thought": ["t"]' in held
    del values["thought"], values["reasoning_content"]
    found = sum(f'"{name}": {value}' in held for name, value in values.items())
    return {"kept": found + reasoning + thought, "fields": len(EXTRAS)}
