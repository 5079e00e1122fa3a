"""What each published chat sample must become, as plain values.

Written from the samples (their sources: `samples/INDEX.md`), not computed by the package.
"""

from __future__ import annotations

from typing import Any

SESSION_ID = "7d1f6f0e-8f52-4b8e-9d3c-0c5b6f3c2a10"

_PROVIDER = {"model_provider": "asi-one", "session_id": SESSION_ID}

_RECORDED_THOUGHT = (
    "\n"
    "The user has asked about giraffes, which indicates they are likely seeking general "
    "information on this animal. I should provide an organized response that includes key "
    "details such as their physical characteristics, habitat, behavior, diet, and any unique "
    "traits. I'll aim for a concise yet informative explanation while ensuring accuracy.\n"
)
_GIRAFFES = (
    "Giraffes are fascinating creatures known for their towering height and distinctive long "
    "necks. They are the tallest land animals, with heights ranging from 14 to 19 feet (4.3 "
    "to 5.8 meters). Males, called bulls, are typically taller and heavier than females "
    "(cows). Their long necks allow them to reach leaves, flowers, and fruits high up in "
    "trees, especially from their preferred food source, the acacia tree.\n"
    "\n"
    "These animals are native to Africa and are commonly found in savannas, grasslands, and "
    "open woodlands. Giraffes live in loose social groups, often mingling with other "
    "herbivores like zebras and antelopes. They are generally peaceful but can defend "
    "themselves with powerful kicks if threatened by predators such as lions or hyenas.\n"
    "\n"
    "One of the most unique traits of giraffes is their spotted coat pattern, which is "
    "unique to each individual, much like a human fingerprint. They also have a specialized "
    "cardiovascular system to manage blood flow due to their height\u2014especially when "
    "lowering their heads to drink water. Giraffes only need to drink water occasionally, as "
    "they obtain most of their moisture from the plants they consume.\n"
    "\n"
    "Their social behavior and communication are also intriguing. Giraffes communicate using "
    "low-frequency sounds that are often inaudible to human ears. Additionally, they engage "
    'in a behavior called "necking," where males swing their necks to compete for '
    "dominance or mates."
)
_RECORDED_TEXT = (
    "\n\n"
    # The client that recorded it had read the dash's three bytes as Latin-1.
    + _GIRAFFES.replace("\u2014", "\u00e2\ufffd\ufffd")
    + "\n\nLet me know if you'd like to explore any specific aspect of giraffes in more detail!"
)
_DECENTRALIZED = (
    "Decentralized AI refers to artificial intelligence systems that operate on distributed "
    "networks rather than centralized servers. This approach aligns with Web3 principles by "
    "removing central points of control and enabling more democratic access to AI "
    "capabilities..."
)
_FRANCE_THOUGHT = (
    "The user is asking for the capital of France. This is a straightforward fact-based "
    "question. The capital of France is a well-known piece of information and is documented "
    "in reliable sources. The answer is Paris."
)
_ATTRACTIONS_THOUGHT = (
    "1. Understand the query: The user is asking for a list of three popular tourist "
    "attractions in Paris.\n"
    "2. Identify attractions: Paris is known for several iconic landmarks. The most popular "
    "ones typically include the Eiffel Tower, the Louvre Museum, and Notre-Dame Cathedral.\n"
    "3. Verify attractions: Based on general knowledge, these attractions are indeed among "
    "the most visited in Paris."
)
_ATTRACTIONS = (
    "```json\n"
    "{\n"
    '  "attractions": [\n'
    '    "Eiffel Tower",\n'
    '    "Louvre Museum",\n'
    '    "Notre-Dame Cathedral"\n'
    "  ]\n"
    "}\n"
    "```"
)


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "index": "lc_text"}


def _reasoning(text: str) -> dict[str, Any]:
    return {"type": "reasoning", "reasoning": text, "index": "lc_thought"}


def _usage(prompt: int, completion: int, total: int) -> dict[str, Any]:
    return {"input_tokens": prompt, "output_tokens": completion, "total_tokens": total}


_CALL = {
    "type": "tool_call",
    "id": "call_13f125faf3cc422e81b10621",
    "name": "get_weather",
    "args": {"latitude": 22.7196, "longitude": 75.8577},
}
_SERVER_CALL = {"id": "toolcall-abc123", "tool_name": "web_search", "args": {}, "result": {}}
_SERVER_CALL_BLOCKS = [
    {
        "type": "server_tool_call",
        "id": "toolcall-abc123",
        "name": "web_search",
        "args": {},
        "index": "lc_server_tool_call_0",
    },
    {
        "type": "server_tool_result",
        "tool_call_id": "toolcall-abc123",
        "status": "success",
        "output": {},
        "index": "lc_server_tool_result_0",
    },
    {
        "type": "non_standard",
        "value": {"type": "executable_data", "executable_data": {}},
        "index": "lc_executable_data_0",
    },
]

RECORDED_STREAM = "asi1-mini-2025-02-stream-thought.sse"
API_REFERENCE = "asi1-2026-apiref-completion-example.json"
TOOL_CALL = "asi1-2026-tool-call-condensed.json"
ANNOUNCED_CALL = "asi1-mini-2025-04-recorded-tool-calling.json"
JSON_MODE = "asi1-mini-2025-04-recorded-json-mode.json"

MESSAGES: dict[str, dict[str, Any]] = {
    RECORDED_STREAM: {
        "content": _RECORDED_TEXT,
        "additional_kwargs": {"thought": _RECORDED_THOUGHT},
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_comqjiusZjAoyuXlh",
            "created": 1740580071,  # 1740580071837 ms on the first chunk that tells it
            "finish_reason": "stop",  # from two end chunks
            "normalized_finish_reason": "stop",
            "extra": {
                "init_thought": True,
                "conversation_id": None,
                "tool_thought": [],
                "stop_reason": "stop",
            },
        },
        "usage_metadata": _usage(435, 391, 826),
    },
    "asi1-mini-2025-04-recorded-basic-chat.json": {
        "content": "The capital of France is Paris.",
        "additional_kwargs": {"thought": _FRANCE_THOUGHT},
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_yP6Pm20m3PimDkAWi",
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"conversation_id": None},
        },
        "usage_metadata": _usage(25, 57, 82),
    },
    JSON_MODE: {
        "content": _ATTRACTIONS,
        "additional_kwargs": {"thought": _ATTRACTIONS_THOUGHT},
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_bKCdGGAGMLhLQxyCj",
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"conversation_id": None},
        },
        "usage_metadata": _usage(39, 123, 162),
    },
    ANNOUNCED_CALL: {
        "content": (
            "Okay, I can get the weather in San Francisco, CA for you. "
            "I will use Fahrenheit as the unit.\n"
        ),
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_emzTDUkK4sGPi8lhn",
            "finish_reason": "tool_calls",
            "normalized_finish_reason": "tool_call",
            "tool_calls_missing": True,
            "extra": {"conversation_id": None},
        },
        "usage_metadata": _usage(63, 36, 99),
    },
    "asi1-mini-2025-docs-handmade-completion-a.json": {
        "content": _DECENTRALIZED,
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_comqjiusZjAoyuXlh",
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"stop_reason": "stop"},
        },
        "usage_metadata": _usage(435, 391, 826),
    },
    "asi1-mini-2025-docs-handmade-completion-b.json": {
        "content": _GIRAFFES,
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_comqjiusZjAoyuXlh",
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"stop_reason": "stop"},
        },
        "usage_metadata": _usage(435, 391, 826),
    },
    "asi1-mini-2025-07-completion-quickstart.json": {
        "content": "Hey there! \U0001f44b ...",
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1-mini",
            "id": "id_zRgUoZjjcr4yxIG0B",
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"conversation_id": None},
        },
        "usage_metadata": _usage(71, 105, 176),
    },
    "asi1-2026-01-completion-quickstart.json": {
        "content": "Hey there! \U0001f44b ...",
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1",
            "id": "ec3e76554baa4ebb838173e7f32fdb94",
            "created": 1768409272,
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {
                "service_tier": None,
                "system_fingerprint": None,
                "metadata": {"weight_version": "default"},
                "logprobs": None,
                "matched_stop": 151336,
                "refusal": None,
                "annotations": None,
                "audio": None,
                "function_call": None,
            },
        },
        "usage_metadata": {**_usage(2105, 149, 2254), "output_token_details": {"reasoning": 0}},
    },
    TOOL_CALL: {
        "content": "I'll get the current weather information for Indore, India for you.",
        "tool_calls": [_CALL],
        "response_metadata": {
            **_PROVIDER,
            "model_name": "asi1",
            "finish_reason": "tool_calls",
            "normalized_finish_reason": "tool_call",
        },
        "usage_metadata": _usage(2210, 40, 2250),
    },
    API_REFERENCE: {
        "content": (
            "I am capable of searching agents on agentverse. I only come when stream is false"
        ),
        "additional_kwargs": {"server_tool_calls": [_SERVER_CALL], "executable_data": [{}]},
        "response_metadata": {
            **_PROVIDER,
            "id": "cmpl-7aNwD",
            "finish_reason": "stop",
            "normalized_finish_reason": "stop",
            "extra": {"metadata": {}},
        },
        "usage_metadata": _usage(100, 200, 300),
    },
}
"""Expected fields of the message; those that are not named must be empty."""

STREAMED_TEXT = {
    API_REFERENCE: (
        "I am capable of searching agents on agentverse. I only come when stream is true."
    ),
}
"""The sample holds `message` and `delta`, each with a text of its own that says when it comes."""

OTHER_BLOCKS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {
    RECORDED_STREAM: ([_reasoning(_RECORDED_THOUGHT)], []),
    "asi1-mini-2025-04-recorded-basic-chat.json": ([_reasoning(_FRANCE_THOUGHT)], []),
    JSON_MODE: ([_reasoning(_ATTRACTIONS_THOUGHT)], []),
    TOOL_CALL: ([], [_CALL]),
    API_REFERENCE: ([], _SERVER_CALL_BLOCKS),
}
"""Content blocks before and after that of the text."""

_E1_STREAM = {"init_thought": True, "stop_reason": "stop"}
_E3_STREAM = {"logprobs": None, "matched_stop": None}

RENDERED_EXTRA: dict[str, dict[str, Any]] = {
    # The recorded stream as a body: bodies of that time hold none of the other two.
    RECORDED_STREAM: {"conversation_id": None, "tool_thought": []},
    "asi1-mini-2025-04-recorded-basic-chat.json": {"conversation_id": None, **_E1_STREAM},
    JSON_MODE: {"conversation_id": None, **_E1_STREAM},
    ANNOUNCED_CALL: {"conversation_id": None, **_E1_STREAM, "stop_reason": "tool_calls"},
    "asi1-mini-2025-docs-handmade-completion-a.json": _E1_STREAM,
    "asi1-mini-2025-docs-handmade-completion-b.json": _E1_STREAM,
    "asi1-mini-2025-07-completion-quickstart.json": {"conversation_id": None, **_E1_STREAM},
    TOOL_CALL: _E3_STREAM,
    API_REFERENCE: {"metadata": {}, **_E3_STREAM},
}
"""`extra` of a sample rendered in the other mode, whose chunks (or body) hold other fields."""


def blocks(name: str, text: str) -> list[dict[str, Any]]:
    """Content blocks that a sample must become."""
    before, after = OTHER_BLOCKS.get(name, ([], []))
    return [*before, _text(text), *after]
