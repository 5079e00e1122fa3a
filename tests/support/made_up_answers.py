"""Answers of each wire generation as a body and as a stream, with the message of both.

MADE UP: nobody recorded these. They hold forms that docs/wire-format.md (sections 2 to 4 and 6)
describes but no published sample shows; the published ones are in `test_samples.py`. Messages are
plain values, not computed by the package.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from langchain_asi_one.testing import answer, stream
from langchain_asi_one.testing._replies import Reply

SESSION_ID = "7d1f6f0e-8f52-4b8e-9d3c-0c5b6f3c2a10"
_PROVIDER = {"model_provider": "asi-one", "session_id": SESSION_ID}


@dataclass(frozen=True)
class MadeUp:
    """One answer: how it is sent, and what it must become.

    Attributes:
        body: Sent to a request without `stream`.
        chunks: Sent to one with it.
        message: Fields of the message in output version 0.
        blocks: Its content in version 1.
    """

    body: dict[str, Any]
    chunks: list[dict[str, Any]]
    message: dict[str, Any]
    blocks: list[dict[str, Any]]

    def reply(self, way: str) -> Reply:
        """What the stand-in must send to one of the `WAYS`."""
        return stream(self.chunks) if "stream" in way else answer(self.body)


def _usage(prompt: int, completion: int) -> dict[str, int]:
    total = prompt + completion
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}


def _counted(prompt: int, completion: int, **details: Any) -> dict[str, Any]:
    total = prompt + completion
    counts = {"input_tokens": prompt, "output_tokens": completion, "total_tokens": total}
    return {**counts, **details}


def _other(name: str, item: Any, number: int = 0) -> dict[str, Any]:
    value = {"type": name, name: item}
    return {"type": "non_standard", "value": value, "index": f"lc_{name}_{number}"}


# --- E1 (2025, asi1-mini): `thought` at the top, a list with null in bodies, string deltas in
# streams; `created` in milliseconds; the end chunk twice, the second time with usage. ---

_E1_TOP = {"id": "id_AbCdEfGhIjKlMnOpQ", "model": "asi1-mini", "conversation_id": None}
_E1_END = {
    **_E1_TOP,
    "created": 1740580080150,
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "delta": {"role": "assistant", "content": ""},
            "stop_reason": "stop",
        }
    ],
}


def _e1_thought(text: str) -> dict[str, Any]:
    empty = {"role": "assistant", "delta": {"role": "assistant", "content": ""}}
    return {**_E1_TOP, "choices": [empty], "thought": text}


def _e1_text(text: str, created: int) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": None, "delta": {"content": text}, "stop_reason": None}
    return {**_E1_TOP, "created": created, "choices": [choice]}


E1 = MadeUp(
    body={
        **_E1_TOP,
        "created": 1740580079464,
        "executable_data": [],
        "thought": ["First step.", None, "Second step."],
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "stop_reason": "stop",
                "message": {"role": "assistant", "content": "Hello there", "reasoning": None},
            }
        ],
        "usage": _usage(25, 57),
    },
    chunks=[
        {**_e1_thought("First"), "executable_data": []},
        _e1_thought(" step."),
        _e1_thought("\nSecond step."),
        _e1_text("Hello", 1740580079464),
        _e1_text(" there", 1740580080002),
        _E1_END,
        {**_E1_END, "usage": _usage(25, 57)},
    ],
    message={
        "content": "Hello there",
        "additional_kwargs": {"thought": "First step.\nSecond step."},
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_AbCdEfGhIjKlMnOpQ",
            "created": 1740580079,
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"conversation_id": None, "stop_reason": "stop"},
        },
        "usage_metadata": _counted(25, 57),
    },
    blocks=[
        {
            "type": "reasoning",
            "reasoning": "First step.\nSecond step.",
            "index": "lc_thought",
        },
        {"type": "text", "text": "Hello there", "index": "lc_text"},
    ],
)

# --- E2 (late 2025): `message.reasoning` as a string; `intermediate_steps` that grow; executable
# data as null, object, JSON string and list, repeated. Content as a list of parts. ---

# The third equals the first: it is a step of its own, not a repetition.
_STEPS = [
    {"step": "search", "query": "hotel"},
    {"step": "agent", "score": 0.75},
    {"step": "search", "query": "hotel"},
]
_AGENT = {"agent": "hotel-agent", "calls": [{"tool_name": "book", "confidence": 0.9}]}


def _e2(delta: dict[str, Any], finish: str | None = None, **top: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "delta": delta}
    return {"id": "id_E2E2E2E2E2E2E2E2E", "model": "asi1-agentic", "choices": [choice], **top}


E2 = MadeUp(
    body={
        "id": "id_E2E2E2E2E2E2E2E2E",
        "model": "asi1-agentic",
        "executable_data": json.dumps(_AGENT),
        "intermediate_steps": _STEPS,
        "thought": ["\n\n"],
        "choices": [
            {
                "index": 0,
                "finish_reason": "length",
                "message": {
                    "role": "assistant",
                    "content": [{"type": "text", "text": "One"}, {"type": "text", "text": " two"}],
                    "reasoning": "A hotel agent is needed.",
                },
            }
        ],
        "usage": {**_usage(71, 105), "prompt_tokens_details": {"cached_tokens": 7}},
    },
    chunks=[
        _e2({"role": "assistant", "content": None}, thought="\n\n", executable_data=None),
        _e2({"reasoning": "A hotel agent"}, intermediate_steps=_STEPS[:1]),
        _e2({"reasoning": " is needed."}, intermediate_steps=_STEPS, executable_data=_AGENT),
        _e2(
            {"content": [{"type": "text", "text": "One"}]},
            intermediate_steps=_STEPS,
            executable_data=json.dumps(_AGENT),
        ),
        _e2({"content": [{"type": "text", "text": " two"}]}, executable_data=[_AGENT]),
        _e2(
            {"content": ""},
            "length",
            executable_data=[_AGENT],
            intermediate_steps=_STEPS,
            usage={**_usage(71, 105), "prompt_tokens_details": {"cached_tokens": 7}},
        ),
    ],
    message={
        "content": "One two",
        "additional_kwargs": {
            "thought": "A hotel agent is needed.",
            "intermediate_steps": _STEPS,
            "executable_data": [_AGENT],
        },
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-agentic",
            "id": "id_E2E2E2E2E2E2E2E2E",
            "finish_reason": "length",
            "normalized_finish_reason": "length",
        },
        "usage_metadata": _counted(71, 105, input_token_details={"cache_read": 7}),
    },
    blocks=[
        {
            "type": "reasoning",
            "reasoning": "A hotel agent is needed.",
            "index": "lc_thought",
        },
        {"type": "text", "text": "One two", "index": "lc_text"},
        _other("intermediate_steps", _STEPS[0]),
        _other("intermediate_steps", _STEPS[1], 1),
        _other("intermediate_steps", _STEPS[0], 2),
        _other("executable_data", _AGENT),
    ],
)

# --- E3 (2026): `reasoning_content`; a record of a tool that ASI:One ran beside a call for the
# caller; usage alone on a last chunk with `choices: []`; a field without a name of ours at each of
# the three levels, one of them under the same name. ---

_SEARCH = {"id": "toolcall-1", "tool_name": "web_search", "args": {"query": "weather"}}
_SEARCHED = {**_SEARCH, "result": {"hits": 3}}
_CALL_ID = "call_00000000000000000000000a"
_E3_USAGE = {
    **_usage(2105, 149),
    "completion_tokens_details": None,
    "prompt_tokens_details": None,
    "reasoning_tokens": 12,
    "prompt_cache_miss_tokens": 5,
}


def _e3(delta: dict[str, Any], finish: str | None = None, **choice: Any) -> dict[str, Any]:
    return {
        "id": "0123456789abcdef0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1768409272,
        "model": "asi1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish, **choice}],
        "usage": None,
    }


def _e3_call(**delta: Any) -> dict[str, Any]:
    return _e3({"content": None, "tool_calls": [delta]})


E3 = MadeUp(
    body={
        "id": "0123456789abcdef0123456789abcdef",
        "object": "chat.completion",
        "created": 1768409272,
        "model": "asi1",
        "new_at_the_top": {"a": [1, 2.5, None]},
        "same_name": "top",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "matched_stop": None,
                "same_name": "choice",
                "new_in_the_choice": True,
                "message": {
                    "role": "assistant",
                    "content": "Searching.",
                    "reasoning_content": "Search, then ask for the weather.",
                    "new_in_the_message": "\u00e9",
                    "same_name": "message",
                    "tool_calls": [
                        _SEARCHED,
                        {
                            "id": _CALL_ID,
                            "type": "function",
                            "index": -1,
                            "function": {"name": "get_weather", "arguments": {"city": "Indore"}},
                        },
                    ],
                },
            }
        ],
        "usage": _E3_USAGE,
    },
    chunks=[
        _e3({"role": "assistant", "content": "", "reasoning_content": None}, matched_stop=None),
        _e3({"role": None, "content": None, "reasoning_content": "Search, then"}),
        _e3({"role": None, "content": None, "reasoning_content": " ask for the weather."}),
        _e3({"content": None, "tool_calls": [_SEARCH]}),
        _e3({"content": None, "tool_calls": [_SEARCHED]}),
        _e3({"content": "Searching.", "reasoning_content": None}),
        _e3_call(index=0, id=_CALL_ID, function={"name": "get_weather", "arguments": ""}),
        _e3_call(index=0, id=None, function={"name": None, "arguments": '{"city":'}),
        # The name again and another id: the call has one name, and the id that came first.
        _e3_call(index=0, id="call_b", function={"name": "get_weather", "arguments": ' "Indore"}'}),
        {
            **_e3(
                {"content": None, "new_in_the_message": "\u00e9", "same_name": "message"},
                "tool_calls",
                matched_stop=None,
                same_name="choice",
                new_in_the_choice=True,
            ),
            "new_at_the_top": {"a": [1, 2.5, None]},
            "same_name": "top",
        },
        {**_e3({}), "choices": [], "usage": _E3_USAGE},
    ],
    message={
        "content": "Searching.",
        "additional_kwargs": {
            "thought": "Search, then ask for the weather.",
            "server_tool_calls": [_SEARCHED],
        },
        "tool_calls": [
            {"type": "tool_call", "id": _CALL_ID, "name": "get_weather", "args": {"city": "Indore"}}
        ],
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1",
            "id": "0123456789abcdef0123456789abcdef",
            "created": 1768409272,
            "finish_reason": "tool_calls",
            "normalized_finish_reason": "tool_call",
            "extra": {
                "new_at_the_top": {"a": [1, 2.5, None]},
                "same_name": "top",
                "matched_stop": None,
                "choice.same_name": "choice",
                "new_in_the_choice": True,
                "new_in_the_message": "\u00e9",
                "message.same_name": "message",
                "usage": {"prompt_cache_miss_tokens": 5},
            },
        },
        "usage_metadata": _counted(2105, 149, output_token_details={"reasoning": 12}),
    },
    blocks=[
        {
            "type": "reasoning",
            "reasoning": "Search, then ask for the weather.",
            "index": "lc_thought",
        },
        {"type": "text", "text": "Searching.", "index": "lc_text"},
        {"type": "tool_call", "id": _CALL_ID, "name": "get_weather", "args": {"city": "Indore"}},
        {
            "type": "server_tool_call",
            "id": "toolcall-1",
            "name": "web_search",
            "args": {"query": "weather"},
            "index": "lc_server_tool_call_0",
        },
        {
            "type": "server_tool_result",
            "tool_call_id": "toolcall-1",
            "status": "success",
            "output": {"hits": 3},
            "index": "lc_server_tool_result_0",
        },
    ],
)

# --- Planner (August 2026): snapshots of `plan_state`, executable data and cumulative usage on
# every chunk, and on the finishing one the whole message again. ---

_PLAN_ID = "0b6f2f0e-1c5e-4a53-9d6e-3f1f6c1b2a3d"
_DONE_PLAN = {
    "status": "completed",
    "agent_used": {"agent_name": "Hotel", "agent_address": "agent1q", "agent_rating": 4.5},
    "agent_response": "Booked.",
}


def _plan(delta: dict[str, Any], state: Any, spent: int, **choice: Any) -> dict[str, Any]:
    return {
        "id": _PLAN_ID,
        "model": "asi1",
        "agent_session_id": "agent-session-1",
        "plan_state": state,
        "executable_data": [_AGENT, {}],
        "usage": {**_usage(40, spent), "completion_tokens_details": {"reasoning_tokens": spent}},
        "choices": [{"index": 0, "delta": delta, "finish_reason": None, **choice}],
    }


_PLAN_MESSAGE = {
    "role": "assistant",
    "content": "Your hotel is booked.",
    "reasoning_content": "Ask Hotel.",
}
PLANNER = MadeUp(
    body={
        **_plan({}, _DONE_PLAN, 9),
        "choices": [{"index": 0, "finish_reason": "stop", "message": _PLAN_MESSAGE}],
    },
    chunks=[
        _plan({"role": "assistant", "content": ""}, {"status": "planning"}, 1),
        _plan({"reasoning_content": "Ask Hotel."}, {"status": "running"}, 4),
        _plan({"content": "Your hotel"}, {**_DONE_PLAN, "status": "running"}, 6),
        _plan({}, _DONE_PLAN, 9, finish_reason="stop", message=_PLAN_MESSAGE),
    ],
    message={
        "content": "Your hotel is booked.",
        "additional_kwargs": {
            "thought": "Ask Hotel.",
            "executable_data": [_AGENT, {}],
            "plan_state": _DONE_PLAN,
        },
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1",
            "id": _PLAN_ID,
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"agent_session_id": "agent-session-1"},
        },
        "usage_metadata": _counted(40, 9, output_token_details={"reasoning": 9}),
    },
    blocks=[
        {"type": "reasoning", "reasoning": "Ask Hotel.", "index": "lc_thought"},
        {"type": "text", "text": "Your hotel is booked.", "index": "lc_text"},
        _other("executable_data", _AGENT),
        _other("executable_data", {}, 1),
        _other("plan_state", _DONE_PLAN),
    ],
)

MADE_UP = {"E1": E1, "E2": E2, "E3": E3, "planner": PLANNER}
