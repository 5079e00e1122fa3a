"""Compare ChatASIOne with ChatOpenAI pointed at the same server: what is kept, and at what price.

Run with ``make benchmark``. Both are measured in turn, in one process, against one loopback server
in another; ratios of the medians are printed. Times on a shared machine vary, ratios less so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI

from langchain_asi_one import ChatASIOne

ROUNDS = 15
CHUNKS = 2_000
EXTRAS = {
    "thought": ["t"],
    "intermediate_steps": [{"s": 1}],
    "executable_data": [{"name": "a"}],
    "conversation_id": "c",
    "tool_thought": ["x"],
    "metadata": {"weight_version": "default"},
    "matched_stop": 1,
    "reasoning_content": "r",
    "plan_state": {"status": "completed"},
    "agent_session_id": "s",
}

SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
extras, count = json.loads(sys.argv[1]), int(sys.argv[2])
inner = {k: extras.pop(k) for k in ("matched_stop", "reasoning_content")}
message = {"role": "assistant", "content": "Hello", "reasoning_content": inner["reasoning_content"]}
body = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "asi1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": message,
                 "matched_stop": inner["matched_stop"]}], **extras}).encode()
def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "1", "object": "chat.completion.chunk", "created": 1,
        "model": "asi1", "choices": [choice]}).encode() + b"\\n\\n"
stream = b"".join(chunk({"content": "word "}) for _ in range(count)) + chunk({}, "stop")
stream += b"data: [DONE]\\n\\n"
class Handler(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        data = stream if asked.get("stream") else body
        self.send_response(200)
        kind = "text/event-stream" if asked.get("stream") else "application/json"
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *args): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-c", SERVER, json.dumps(EXTRAS), str(CHUNKS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.terminate()


def _ratio(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """Milliseconds of ours (median), and the median of the ratios ours / theirs, pair by pair."""
    ours(), theirs()
    times, ratios = [], []
    for _ in range(ROUNDS):
        start = perf_counter()
        ours()
        middle = perf_counter()
        theirs()
        end = perf_counter()
        times.append(middle - start)
        ratios.append((middle - start) / (end - middle))
    return median(times) * 1000, median(ratios)


def _kept(model: BaseChatModel) -> int:
    """How many of the ten extra fields are found again, wherever they are."""
    message = model.invoke("Hello")
    held = json.dumps([message.additional_kwargs, message.response_metadata])
    values = {name: json.dumps(value) for name, value in EXTRAS.items()}
    # One thought field is kept as the thought, the other one among the extras.
    values["thought"] = values["thought"].strip("[]")
    return sum(f'"{name}": {value}' in held for name, value in values.items()) + (
        '"thought": "r"' in held
    )


def main() -> None:
    with _server() as url:
        given: dict[str, Any] = {"base_url": url, "api_key": "sk_benchmark", "model": "asi1"}
        made: dict[str, Callable[[], BaseChatModel]] = {
            "ChatASIOne": lambda: ChatASIOne(**given),
            "ChatOpenAI": lambda: ChatOpenAI(**given),
        }
        ours, theirs = (make() for make in made.values())
        for name, model in zip(made, (ours, theirs), strict=True):
            print(f"{name} keeps {_kept(model)} of {len(EXTRAS)} extra fields")
        rows = {
            "construct": (made["ChatASIOne"], made["ChatOpenAI"]),
            "invoke": (lambda: ours.invoke("Hello"), lambda: theirs.invoke("Hello")),
            f"stream {CHUNKS} chunks": (
                lambda: list(ours.stream("Hello")),
                lambda: list(theirs.stream("Hello")),
            ),
        }
        for name, (one, other) in rows.items():
            milliseconds, ratio = _ratio(one, other)
            print(f"{name}: {milliseconds:.2f} ms, {ratio:.2f} times ChatOpenAI's")


if __name__ == "__main__":
    main()
