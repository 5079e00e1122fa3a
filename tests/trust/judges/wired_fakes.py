"""A plugin of pytest: LangChain's fake models become ChatASIOne over a loopback server.

A fake says what it would answer; the request carries that, and the server sends it back.
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, ClassVar

from langchain_core import language_models
from langchain_core.language_models import BaseChatModel, fake_chat_models
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict

from langchain_asi_one import ChatASIOne


class Handler(BaseHTTPRequestHandler):
    """Answers with the message that the request carries."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message, reason = body["reply"]["message"], body["reply"]["finish_reason"]
        about = {"id": "c", "model": "asi1", "created": 1}
        if body.get("stream"):
            ends = [(message, None), ({}, reason)]
            choices = [{"index": 0, "delta": one, "finish_reason": end} for one, end in ends]
            texts = [*(json.dumps({**about, "choices": [one]}) for one in choices), "[DONE]"]
            data = "".join(f"data: {text}\n\n" for text in texts).encode()
        else:
            choice = {"index": 0, "message": message, "finish_reason": reason}
            data = json.dumps({**about, "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header(
            "content-type", "text/event-stream" if body.get("stream") else "application/json"
        )
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


_SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=_SERVER.serve_forever, daemon=True).start()
_URL = f"http://127.0.0.1:{_SERVER.server_address[1]}/v1"


def write_reply(message: AIMessage) -> dict[str, Any]:
    """Write a message as the API would send it."""
    calls = [(call, json.dumps(call["args"])) for call in message.tool_calls]
    calls += [(call, call["args"] or "") for call in message.invalid_tool_calls]  # type: ignore[misc]
    functions = [
        {
            "index": index,
            "id": call["id"],
            "type": "function",
            "function": {"name": call["name"], "arguments": arguments},
        }
        for index, (call, arguments) in enumerate(calls)
    ]
    wire: dict[str, Any] = {"role": "assistant", "content": message.text}
    for block in message.content_blocks:
        if block["type"] == "refusal":
            wire["refusal"] = block.get("refusal") or "no"
    wire |= {"tool_calls": functions} if functions else {}
    reason = message.response_metadata.get("finish_reason")
    return {
        "message": wire,
        "finish_reason": reason or ("tool_calls" if functions else "stop"),
    }


class _Wired(ChatASIOne):
    """Asks the server for what a fake would say."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _fake: ClassVar[Any]

    def __init__(self, **fields: Any) -> None:
        super().__init__(base_url=_URL, api_key="any", **fields)

    def _say(self, messages: list[BaseMessage], options: dict[str, Any]) -> str | None:
        """Put the fake's answer into the request; return the identifier of its message."""
        said: AIMessage = self._fake._generate(self, messages, **options).generations[0].message
        options["extra_body"] = {**(options.get("extra_body") or {}), "reply": write_reply(said)}
        return said.id

    def _generate(self, messages: Any, *arguments: Any, **options: Any) -> ChatResult:
        name = self._say(messages, options)
        result = super()._generate(messages, *arguments, **options)
        result.generations[0].message.id = name or result.generations[0].message.id
        return result

    async def _agenerate(self, messages: Any, *arguments: Any, **options: Any) -> ChatResult:
        name = self._say(messages, options)
        result = await super()._agenerate(messages, *arguments, **options)
        result.generations[0].message.id = name or result.generations[0].message.id
        return result

    def _stream(
        self, messages: Any, *arguments: Any, **options: Any
    ) -> Iterator[ChatGenerationChunk]:
        name = self._say(messages, options)
        for chunk in super()._stream(messages, *arguments, **options):
            chunk.message.id = name or chunk.message.id
            yield chunk

    async def _astream(
        self, messages: Any, *arguments: Any, **options: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        name = self._say(messages, options)
        async for chunk in super()._astream(messages, *arguments, **options):
            chunk.message.id = name or chunk.message.id
            yield chunk


def wire_fake(fake: type[BaseChatModel]) -> type[ChatASIOne]:
    """Make a ChatASIOne with the fields of a fake, and its answers."""
    own = {
        name: one for name, one in fake.model_fields.items() if name not in ChatASIOne.model_fields
    }
    body = {
        "__annotations__": dict.fromkeys(own, Any),
        "__module__": __name__,
        "_fake": fake,
        **{name: field.get_default(call_default_factory=True) for name, field in own.items()},
    }
    return type(fake.__name__, (_Wired,), body)


def pytest_configure() -> None:
    """Put the models in the place of the fakes, before any test imports one."""
    model: Any = import_module("tests.unit_tests.agents.model")  # LangChain's
    model.FakeToolCallingModel = wire_fake(model.FakeToolCallingModel)
    generic = wire_fake(fake_chat_models.GenericFakeChatModel)
    for module in (fake_chat_models, language_models):
        module.GenericFakeChatModel = generic  # type: ignore[attr-defined]
