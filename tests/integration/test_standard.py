"""LangChain's own integration suite for chat models, over a real socket against the stand-in.

One server answers all tests, with keep-alive: a connection that outlives its event loop would show.
The environment holds another provider's variables all along; each request is checked for them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, cast

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_asi_one import ChatASIOne
from langchain_asi_one.testing import LocalASIOne
from tests.support.model import API_KEY, MakeModel

FOREIGN_VARIABLES = {
    "OPENAI_API_KEY": "sk-openai-must-not-be-used",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/openai",
    "OPENAI_API_BASE": "http://127.0.0.1:9/openai",
    "OPENAI_ORG_ID": "org-must-not-be-used",
    "OPENAI_PROJECT_ID": "proj-must-not-be-used",
    "OPENAI_PROXY": "http://127.0.0.1:9/proxy",
}


def _png() -> bytes:
    """A valid image of one grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0\x80")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


@pytest.fixture(autouse=True)
def _stand_in_environment(
    server: LocalASIOne, monkeypatch: pytest.MonkeyPatch, _clear_environment: None
) -> Iterator[None]:
    """Point the model at the stand-in by its own variables, among those of another provider."""
    monkeypatch.setenv("ASI_ONE_API_KEY", API_KEY)
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    for name, value in FOREIGN_VARIABLES.items():
        monkeypatch.setenv(name, value)
    yield
    for request in server.requests:
        assert request.key_fingerprint == sha256(API_KEY.encode()).hexdigest()[:12]
        assert request.session_id
        assert "must-not-be-used" not in str(request)


@pytest.fixture(autouse=True)
def _image_without_the_web(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the suite's image tests an image: they download one, and only loopback is reachable."""

    def get(url: str, **options: Any) -> httpx.Response:
        assert url.endswith(".png")
        return httpx.Response(200, content=_png())

    monkeypatch.setattr("langchain_tests.integration_tests.chat_models.httpx.get", get)


class _Suite(ChatModelIntegrationTests):
    """What `ChatASIOne` declares. Skipped, and why.

    test_pdf_inputs, test_audio_inputs: there is no evidence that the API takes files or audio
    (docs/wire-format.md, 1.4); `ChatASIOne` refuses such blocks by name.
    test_image_tool_message, test_pdf_tool_message: the API asks for tool results as a string
    (docs/wire-format.md, 4.1); blocks are sent as JSON text, which no model would see as an image.
    test_stream_time: a benchmark of a replayed cassette, which says nothing about a stand-in.
    """

    @property
    def chat_model_class(self) -> type[ChatASIOne]:
        return ChatASIOne

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {}  # the environment has all that is needed

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True  # documented for asi1 only, the default; the form of the part is OpenAI's

    @property
    def supports_image_urls(self) -> bool:
        # They are sent, as tested below. Whether the API fetches them is not known, so not claimed.
        return False

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(self) -> Any:
        return {"invoke": ["reasoning_output"], "stream": ["reasoning_output"]}

    @property
    def model_override_value(self) -> str:
        return "asi1-mini"

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        model = ChatASIOne(**self.chat_model_params)
        if not stream:
            return model.invoke("Which river runs through Paris?")
        chunks = list(model.stream("Which river runs through Paris?"))
        return cast("AIMessage", sum(chunks[1:], start=chunks[0]))


class TestFunctionCalling(_Suite):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}


class TestJSONSchema(_Suite):
    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "json_schema"}


class TestOutputVersion1(_Suite):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"output_version": "v1"}


def test_image_addresses_are_sent_as_given(server: LocalASIOne, make_model: MakeModel) -> None:
    question = {"type": "text", "text": "Describe this image."}
    image = {"type": "image", "url": "https://example.com/image.png"}

    answer = make_model().invoke([HumanMessage([question, image])])

    assert isinstance(answer, AIMessage)
    assert server.requests[0].body["messages"] == [
        {
            "role": "user",
            "content": [
                question,
                {"type": "image_url", "image_url": {"url": "https://example.com/image.png"}},
            ],
        }
    ]


def test_media_that_the_api_does_not_take_are_refused_by_name(
    server: LocalASIOne, model: ChatASIOne
) -> None:
    for kind in ("file", "audio", "video"):
        block = {"type": kind, "base64": "AAAA", "mime_type": "application/octet-stream"}
        with pytest.raises(ValueError, match=f"text and images.*'{kind}'"):
            model.invoke([HumanMessage([block])])
    assert server.requests == []
