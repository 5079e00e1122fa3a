"""What models may send and checkpoints cannot hold is replaced before a message exists."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_asi_one import ChatASIOne
from langchain_asi_one.testing import LocalASIOne, raw, stream
from tests.support.made_up_answers import MADE_UP, SESSION_ID
from tests.support.model import API_KEY, MakeModel
from tests.support.other_process import run_script
from tests.support.ways import WAYS, ask, assert_is, sum_of

pytestmark = pytest.mark.filterwarnings(
    # Version 3 of events is announced as beta by LangChain.
    r"ignore:The method `BaseChatModel\..*_v3` is in beta"
)
ROOT = Path(__file__).parents[2]

DEPTH = 200
_UNSAFE = {
    "big": 2**80,
    "negative": -(2**63) - 1,
    "largest": 2**64 - 1,
    "nan": math.nan,
    "infinities": [math.inf, -math.inf],
    "nul": "a\x00b",
    "surrogate": "\ud800",
    "a\x00key": 1,
}
_SAFE = {
    "big": "1208925819614629174706176",
    "negative": "-9223372036854775809",
    "largest": 18446744073709551615,
    "nan": None,
    "infinities": [None, None],
    "nul": "ab",
    "surrogate": "\ufffd",
    "akey": 1,
}
UNSAFE_BODY = {
    "id": "1\x00",
    "model": "asi1",
    "created": 2**70,
    "executable_data": [_UNSAFE],
    "intermediate_steps": [_UNSAFE],
    "plan_state": _UNSAFE,
    "unnamed": _UNSAFE,
    "usage": {"prompt_tokens": 2**70, "completion_tokens": 3, "reasoning_tokens": math.nan},
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "content": "a\x00b",
                "reasoning_content": "c\x00d",
                "tool_calls": [
                    {"id": "s\x00", "tool_name": "t", "args": _UNSAFE, "result": _UNSAFE},
                    {"id": "call_1", "function": {"name": "f", "arguments": {"n": 2**80}}},
                ],
            },
        }
    ],
}


def _as_chunk(body: dict[str, Any]) -> dict[str, Any]:
    [choice] = body["choices"]
    return {**body, "choices": [{**choice, "delta": choice["message"], "message": None}]}


def _ascii(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode()  # a lone surrogate can only be sent escaped


def _unsafe_reply(way: str) -> Any:
    if "stream" in way:
        return stream([b"data: " + _ascii(_as_chunk(UNSAFE_BODY)) + b"\n\n"])
    return raw(_ascii(UNSAFE_BODY))


@pytest.mark.parametrize("way", [way for way in WAYS if "events" not in way])
def test_unsafe_values_are_replaced(server: LocalASIOne, make_model: MakeModel, way: str) -> None:
    server.enqueue(_unsafe_reply(way))

    message = ask(way, make_model(session_id=SESSION_ID))

    assert_is(
        message,
        AIMessage(
            content="ab",
            additional_kwargs={
                "thought": "cd",
                "executable_data": [_SAFE],
                "intermediate_steps": [_SAFE],
                "plan_state": _SAFE,
                "server_tool_calls": [
                    {"id": "s", "tool_name": "t", "args": _SAFE, "result": _SAFE}
                ],
            },
            tool_calls=[
                {
                    "type": "tool_call",
                    "id": "call_1",
                    "name": "f",
                    "args": {"n": "1208925819614629174706176"},
                }
            ],
            response_metadata={
                "model_provider": "asi-one",
                "session_id": SESSION_ID,
                "model_name": "asi1",
                "id": "1",
                "finish_reason": "tool_calls",
                "normalized_finish_reason": "tool_call",
                "extra": {
                    "created": "1180591620717411303424",
                    "unnamed": _SAFE,
                    "usage": {"prompt_tokens": "1180591620717411303424"},
                },
            },
            usage_metadata={"input_tokens": 0, "output_tokens": 3, "total_tokens": 3},
        ),
    )


def test_depth_is_bounded_and_nothing_of_it_lost(server: LocalASIOne, model: ChatASIOne) -> None:
    deep: Any = "leaf"
    for _ in range(DEPTH):
        deep = [deep]
    end = {"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}
    server.enqueue(stream([{"id": "1", "choices": [end], "unnamed": deep}]))

    value = sum_of(model.stream("Hello")).response_metadata["extra"]["unnamed"]

    levels = 0
    while isinstance(value, list):
        [value] = value
        levels += 1
    assert levels == 63  # of 64 that are kept, the chunk is the first
    assert value == "[" * (DEPTH - levels) + '"leaf"' + "]" * (DEPTH - levels)


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", ["invoke", "stream", "stream_events"])
def test_messages_survive_a_checkpoint(
    server: LocalASIOne, make_model: MakeModel, way: str, version: str
) -> None:
    serde = JsonPlusSerializer()
    replies = [made_up.reply(way) for made_up in MADE_UP.values()]
    for reply in [*replies, _unsafe_reply(way)]:
        server.enqueue(reply)
        message = ask(way, make_model(output_version=version))
        assert serde.loads_typed(serde.dumps_typed(message)) == message


_STRICT = """
from langchain_asi_one import ChatASIOne
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

serde = JsonPlusSerializer()
for version in ("v0", "v1"):
    model = ChatASIOne(output_version=version)
    total = None
    for chunk in model.stream("Hello"):
        total = chunk if total is None else total + chunk
    for message in (model.invoke("Hello"), total):
        again = serde.loads_typed(serde.dumps_typed(message))
        assert type(again) is type(message), type(again)
        assert again == message, (again, message)
print("equal")
"""


@pytest.mark.no_cover
def test_messages_survive_a_strict_checkpoint_in_another_process(server: LocalASIOne) -> None:
    for way in ("stream", "invoke", "stream", "invoke"):
        server.enqueue(_unsafe_reply(way))
    environment = {
        **os.environ,
        "ASI_ONE_API_KEY": API_KEY,
        "ASI_ONE_BASE_URL": server.base_url,
        "LANGGRAPH_STRICT_MSGPACK": "true",
    }

    done = run_script(_STRICT, environ=environment)

    assert (done.returncode, done.stdout, done.stderr) == (0, "equal\n", "")
