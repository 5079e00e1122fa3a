"""Plain requests to the stand-in, and what their answers hold."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from langchain_asi_one.testing import LocalASIOne
from langchain_asi_one.testing._replies import SAMPLES
from tests.support.model import API_KEY
from tests.support.patience import PATIENCE

STREAM_SAMPLE = "asi1-mini-2025-02-stream-thought.sse"
SAMPLE_NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.suffix != ".md")
SPEECH = "[local stand-in] "
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather at a location.",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    },
}
TIME_TOOL = {
    "type": "function",
    "function": {"name": "local_clock", "description": "Current hour of a city."},
}

Json = dict[str, Any]


def client_of(server: LocalASIOne, **headers: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {API_KEY}", **headers}
    return httpx.Client(
        base_url=server.base_url,
        headers=headers,
        timeout=PATIENCE,
        trust_env=False,
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # reading certificates takes 40 ms
    )


def request_body(text: str = "Hello", **fields: Any) -> Json:
    return {"model": "asi1", "messages": [{"role": "user", "content": text}], **fields}


def ask(client: httpx.Client, text: str = "Hello", **fields: Any) -> httpx.Response:
    return client.post("/chat/completions", json=request_body(text, **fields))


def read_message(response: httpx.Response) -> Json:
    assert response.status_code == 200, response.text
    message = response.json()["choices"][0]["message"]
    assert isinstance(message, dict)
    return message


def chunks_of(body: bytes) -> list[Json]:
    events = [e.removeprefix(b"data: ") for e in body.split(b"\n\n") if e.startswith(b"data: ")]
    return [json.loads(event) for event in events if event != b"[DONE]"]


def text_of(chunks: list[Json], field: str = "content") -> str:
    deltas = [c["choices"][0]["delta"] for c in chunks if c["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)
