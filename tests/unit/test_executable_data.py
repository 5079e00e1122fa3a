"""The reader of `executable_data`: every shape, every broken value, and what comes out of it."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from pydantic import TypeAdapter

from langchain_asi_one.executable_data import (
    ExecutableEntry,
    get_executable_data,
    is_agent_address,
    parse_executable_data,
)
from langchain_asi_one.testing._replies import SAMPLES
from tests.support.bech32 import CHARSET, encode_bech32
from tests.support.examples import examples

NAMELESS = "The entry names no agent (address or handle) and no tool; see `raw`."
NOT_OBJECT = "The entry is not an object, so it names no agent and no tool"
ESCAPED = r"x\x1b[2J" * 15 + r"x\x1b[2" + "…"  # 80 characters before escaping
NOT_GIVEN = "describes arguments (a JSON Schema) and gives none"
LIKE_ADDRESS = "begins like an agent address and is none, so it is no handle either"
NOT_ADDRESS = "is not an agent address (bech32, 'agent1' and 59 characters, checksum)"


A = encode_bech32(bytes([2, *range(32)]))
B = encode_bech32(bytes([3, *range(100, 132)]))
BROKEN = A[:-1] + ("q" if A[-1] != "q" else "p")


@pytest.mark.parametrize(
    "value",
    [
        None, {}, [], [{}], "", " \n", "null", "{}", "[]", "[{}]", '""', [None, "", [], {}],
        {"agents": []}, {"agents": [{}], "calls": []}, {"executable_data": {"agents": [{}]}},
    ],
)  # fmt: skip
def test_nothing_named_gives_nothing(value: object) -> None:
    assert parse_executable_data(value) == []


AGENT = {"address": A}
ENTRY: ExecutableEntry = {"kind": "agent", "address": A, "raw": AGENT}


@pytest.mark.parametrize(
    "value",
    [
        AGENT,
        [AGENT],
        (AGENT,),
        [AGENT, dict(AGENT)],
        [[AGENT]],
        json.dumps(AGENT),
        json.dumps([AGENT]),
        json.dumps(json.dumps([AGENT])),
        [json.dumps(AGENT)],
        *({key: [AGENT]} for key in ("agent_calls", "agents", "tool_calls", "calls")),
        *({key: [AGENT]} for key in ("executable_data", "manifests")),
        {"agents": AGENT, "total": 1},
        {"agents": json.dumps([AGENT])},
        [{"agents": [AGENT]}],
        {"executable_data": {"agents": [AGENT], "calls": [AGENT]}},
    ],
)
def test_containers(value: object) -> None:
    assert parse_executable_data(value) == [ENTRY]


SEARCH_RESULT = {
    "address": A, "prefix": "agent", "name": "Weather", "description": "Tells the weather.",
    "readme": "# Weather", "protocols": [{"name": "AgentChatProtocol", "version": "0.3.0",
    "digest": "proto:30a8"}], "total_interactions": 12, "rating": 4.5, "status": "active",
    "type": "hosted", "featured": False, "category": "community", "system_wide_tags": [],
    "handle": "weather", "domain": None, "metadata": {"name": "not the agent's"}, "owner": "x",
}  # fmt: skip
HOSTED_FUNCTION = {
    "id": "6f1c", "type": "task", "name": "Forecast", "agent": A, "description": "Rain?",
    "groups": ["g"],
}  # fmt: skip

SHAPES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        SEARCH_RESULT,
        {
            "kind": "agent",
            "address": A,
            "handle": "weather",
            "name": "Weather",
            "description": "Tells the weather.",
        },
    ),
    (
        HOSTED_FUNCTION,
        {"kind": "agent", "address": A, "id": "6f1c", "name": "Forecast", "description": "Rain?"},
    ),
    (
        {
            "agent_address": A,
            "agent_handle": "@we.a-th_er9",
            "agent_name": "W",
            "short_description": "d",
            "call_id": "c",
        },
        {
            "kind": "agent",
            "address": A,
            "handle": "we.a-th_er9",
            "name": "W",
            "description": "d",
            "id": "c",
        },
    ),
    ({"agent": A, "title": "T"}, {"kind": "agent", "address": A, "name": "T"}),
    (
        {"agent": {"address": A, "name": "W", "handle": "w", "description": "d"}, "id": "1"},
        {"kind": "agent", "address": A, "name": "W", "handle": "w", "description": "d", "id": "1"},
    ),
    (
        {"agent_used": {"agent_name": "W", "agent_address": A, "agent_rating": 4.1}},
        {"kind": "agent", "address": A, "name": "W"},
    ),
    ({"handle": "@weather"}, {"kind": "agent", "handle": "weather"}),
    ({"agent": "@weather"}, {"kind": "agent", "handle": "weather"}),
    ({"address": f"agent://{A}"}, {"kind": "agent", "address": A}),
    ({"address": f"test-agent://{A}"}, {"kind": "agent", "address": A}),
    ({"address": f"weather/{A}"}, {"kind": "agent", "address": A, "handle": "weather"}),
    ({"agent": f"agent://@weather/{A}"}, {"kind": "agent", "address": A, "handle": "weather"}),
    (
        {"tool_name": "search", "arguments": '{"q": "tea"}', "confidence": 0.9},
        {"kind": "tool_call", "tool": "search", "args": {"q": "tea"}},
    ),
    ({"tool_name": "search", "confidence": 0.9}, {"kind": "tool_call", "tool": "search"}),
    (
        {"id": "c1", "tool_name": "search", "args": {"q": [1]}, "result": "…"},
        {"kind": "tool_call", "id": "c1", "tool": "search", "args": {"q": [1]}},
    ),
    (
        {"id": "c1", "type": "function", "function": {"name": "search", "arguments": '{"q":1}'}},
        {"kind": "tool_call", "id": "c1", "tool": "search", "args": {"q": 1}},
    ),
    (
        {"function": "search", "parameters": {}, "tool_call_id": "c2"},
        {"kind": "tool_call", "tool": "search", "args": {}, "id": "c2"},
    ),
    ({"tool": "now", "args": ""}, {"kind": "tool_call", "tool": "now", "args": {}}),
    (
        {"name": "search", "args": {"q": 1}, "id": "c1", "type": "tool_call"},
        {"kind": "tool_call", "name": "search", "tool": "search", "args": {"q": 1}, "id": "c1"},
    ),
    (
        {"agent": {"address": A}, "tool": "forecast", "args": {"city": "Cambridge"}},
        {"kind": "tool_call", "address": A, "tool": "forecast", "args": {"city": "Cambridge"}},
    ),
    ({"address": A, "tool": "forecast"}, {"kind": "agent", "address": A, "tool": "forecast"}),
    (
        {"address": A, "name": "W", "args": {"city": "x"}},
        {"kind": "agent", "address": A, "name": "W", "args": {"city": "x"}},
    ),
    (
        {"address": A, "agent_address": f"agent://{A}", "agent": {"handle": "w"}, "handle": "@w"},
        {"kind": "agent", "address": A, "handle": "w"},
    ),
    ({"address": A, "handle": None, "name": " ", "id": ""}, {"kind": "agent", "address": A}),
]


@pytest.mark.parametrize(("raw", "expected"), SHAPES)
def test_shapes(raw: dict[str, Any], expected: dict[str, Any]) -> None:
    assert parse_executable_data([raw]) == [{**expected, "raw": raw}]


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}

PROBLEMS: list[tuple[Any, dict[str, Any], list[str]]] = [
    (
        {"address": BROKEN, "name": "W"},
        {"kind": "unknown", "name": "W"},
        [f"`address` {NOT_ADDRESS}: '{BROKEN}'.", NAMELESS],
    ),
    (
        {"address": BROKEN, "agent_address": A},
        {"kind": "agent", "address": A},
        [f"`address` {NOT_ADDRESS}: '{BROKEN}'."],
    ),
    (
        {"address": A, "agent_address": B},
        {"kind": "agent", "address": A},
        [f"`agent_address` names another address, not used: '{B}'."],
    ),
    (
        {"address": f"@w/{BROKEN}"},
        {"kind": "unknown"},
        [f"`address` {NOT_ADDRESS}: '@w/{BROKEN}'.", NAMELESS],
    ),
    (
        {"handle": A[:64], "agent_handle": "@Agent1x"},
        {"kind": "unknown"},
        [
            f"`handle` {LIKE_ADDRESS}: '{A[:64]}'.",
            f"`agent_handle` {LIKE_ADDRESS}: '@Agent1x'.",
            NAMELESS,
        ],
    ),
    (
        {"address": f"agent1fake/{A}", "handle": "weather"},
        {"kind": "agent", "address": A, "handle": "weather"},
        [f"`address` {LIKE_ADDRESS}: 'agent1fake/{A}'."],
    ),
    ({"agent": "weather"}, {"kind": "unknown"}, [f"`agent` {NOT_ADDRESS}: 'weather'.", NAMELESS]),
    (
        {"address": f"a b/{A}"},
        {"kind": "agent", "address": A},
        [f"`address` is not a handle (1 to 64 letters, digits, '-', '_' or '.'): 'a b/{A}'."],
    ),
    (
        {"handle": "@@w", "agent": {"handle": "x"}, "agent_handle": "y"},
        {"kind": "agent", "handle": "y"},
        [
            "`handle` is not a handle (1 to 64 letters, digits, '-', '_' or '.'): '@@w'.",
            "`agent.handle` names another handle, not used: 'x'.",
        ],
    ),
    (
        {"handle": "w" * 65},
        {"kind": "unknown"},
        [
            f"`handle` is not a handle (1 to 64 letters, digits, '-', '_' or '.'): '{'w' * 65}'.",
            NAMELESS,
        ],
    ),
    (
        {"address": A, "name": 7, "agent_name": "W", "id": ["x"]},
        {"kind": "agent", "address": A, "name": "W"},
        ["`name` is not text: '7'.", "`id` is not text: '[\"x\"]'."],
    ),
    (
        {"address": 5, "handle": {"a": 1}, "tool": True},
        {"kind": "unknown"},
        [
            "`address` is not text: '5'.",
            "`handle` is not a handle (1 to 64 letters, digits, '-', '_' or '.'): '{\"a\": 1}'.",
            "`tool` is not text: 'true'.",
            NAMELESS,
        ],
    ),
    (
        {"tool": "t", "arguments": '{"q": '},
        {"kind": "tool_call", "tool": "t"},
        ["`arguments` is neither an object nor the JSON text of one: '{\"q\": '."],
    ),
    (
        {"tool": "t", "args": [1], "address": A},
        {"kind": "tool_call", "tool": "t", "address": A},
        ["`args` is neither an object nor the JSON text of one: '[1]'."],
    ),
    (
        {"address": A, "tool": "t", "parameters": SCHEMA},
        {"kind": "agent", "tool": "t", "address": A},
        [f"`parameters` {NOT_GIVEN}: '{json.dumps(SCHEMA)}'."],
    ),
    (
        {"address": BROKEN, "name": "W", "args": {}},
        {"kind": "unknown", "name": "W", "args": {}},
        [f"`address` {NOT_ADDRESS}: '{BROKEN}'.", NAMELESS],
    ),
    ({"agent_name": "W", "args": {}}, {"kind": "unknown", "name": "W", "args": {}}, [NAMELESS]),
    ({"name": None, "args": {}}, {"kind": "unknown", "args": {}}, [NAMELESS]),
    ({"anything": "else"}, {"kind": "unknown"}, [NAMELESS]),
    ({"agents": "none found"}, {"kind": "unknown"}, [NAMELESS]),
    (5, {"kind": "unknown"}, [f"{NOT_OBJECT}: '5'."]),
    (False, {"kind": "unknown"}, [f"{NOT_OBJECT}: 'false'."]),
    (A, {"kind": "unknown"}, [f"{NOT_OBJECT}: '{A}'."]),
    ("[1, 2", {"kind": "unknown"}, [f"{NOT_OBJECT}: '[1, 2'."]),
    ("x\x1b[2J" * 40, {"kind": "unknown"}, [f"{NOT_OBJECT}: '{ESCAPED}'."]),
]


@pytest.mark.parametrize(("raw", "expected", "problems"), PROBLEMS)
def test_what_is_wrong_is_said(raw: Any, expected: dict[str, Any], problems: list[str]) -> None:
    assert parse_executable_data([raw]) == [{**expected, "raw": raw, "problems": problems}]


def test_a_protocol_manifest_names_no_agent() -> None:
    path = SAMPLES / "agentverse-protocol-manifest-agentchat-0.3.0.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    problem = "A protocol manifest describes messages and names no agent; see `raw`."
    expected = {"kind": "unknown", "name": "AgentChatProtocol", "raw": manifest}
    assert parse_executable_data({"manifests": [manifest]}) == [{**expected, "problems": [problem]}]
    assert parse_executable_data({**manifest, "address": A}) == [
        {"kind": "agent", "address": A, "raw": {**manifest, "address": A}}
    ]
    assert parse_executable_data({"metadata": None, "models": [], "interactions": []}) == [
        {
            "kind": "unknown",
            "raw": {"metadata": None, "models": [], "interactions": []},
            "problems": [problem],
        }
    ]


def test_an_entry_that_holds_entries_comes_before_them() -> None:
    call = {"tool": "t", "args": {}}
    outer = {"address": A, "tool_calls": [call]}
    assert parse_executable_data(outer) == [
        {"kind": "agent", "address": A, "raw": outer},
        {"kind": "tool_call", "tool": "t", "args": {}, "raw": call},
    ]


def test_duplicates_go_and_the_order_stays() -> None:
    first = {"address": B, "rank": 1}
    entries = [first, AGENT, {"rank": 1, "address": B}, {**first, "rank": True}, AGENT]
    raws = [entry["raw"] for entry in parse_executable_data(entries)]
    assert [json.dumps(raw, sort_keys=True) for raw in raws] == [
        json.dumps(raw, sort_keys=True) for raw in (first, AGENT, {**first, "rank": True})
    ]


def test_nothing_is_shared_with_the_input_or_between_fields() -> None:
    value = [{"tool": "t", "args": {"list": [1]}}]
    [entry] = parse_executable_data(value)
    entry["args"]["list"].append(2)
    assert entry["raw"] == value[0] == {"tool": "t", "args": {"list": [1]}}
    entry["raw"]["args"]["list"].append(3)
    assert value == [{"tool": "t", "args": {"list": [1]}}]


def assert_checkpoint_safe(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            assert_checkpoint_safe(key)
            assert type(key) is str
            assert_checkpoint_safe(inner)
    elif isinstance(value, list):
        for inner in value:
            assert_checkpoint_safe(inner)
    elif type(value) is str:
        assert "\0" not in value
        value.encode()
    elif type(value) is int:
        assert -(2**63) <= value < 2**64
    elif type(value) is float:
        assert math.isfinite(value)
    else:
        assert value is None or type(value) is bool


def assert_well_formed(value: object) -> None:
    entries = parse_executable_data(value)
    assert type(entries) is list
    json.dumps(entries, allow_nan=False)
    assert_checkpoint_safe(entries)
    assert TypeAdapter(list[ExecutableEntry]).validate_python(entries, strict=True) == entries
    for entry in entries:
        assert entry["raw"] is not None
        assert "problems" in entry or entry["kind"] != "unknown"
        assert "address" not in entry or is_agent_address(entry["address"])


KEYS = st.sampled_from([
    "address", "agent_address", "agent", "handle", "agent_name", "name", "title", "description",
    "id", "tool", "tool_name", "function", "args", "arguments", "parameters", "agent_used",
    "agents", "tool_calls", "calls", "executable_data", "manifests", "metadata", "models",
    "interactions",
])  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**300), 2**300) | st.floats()
    | st.text(st.characters(categories=None), max_size=8)
    | st.sampled_from([A, BROKEN, f"agent://{B}", "@w", '{"a": 1}', '[{"agent": "x"}]', "\ud800"])
)  # fmt: skip
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=12,
)
ODD = (
    st.binary(max_size=4)
    | st.complex_numbers()
    | st.builds(object)
    | st.decimals(allow_nan=False)
    | st.uuids()
)
HASHABLE = SCALARS | ODD
PYTHON_VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(HASHABLE, max_size=3)
        | st.dictionaries(KEYS | HASHABLE, inner, max_size=4)
    ),
    max_leaves=10,
)


@given(JSON_VALUES)
@examples(100)
def test_any_json_is_read(value: object) -> None:
    assert_well_formed(value)
    assert_well_formed(json.dumps(value))


@given(PYTHON_VALUES)
@examples(100)
def test_any_object_is_read(value: object) -> None:
    assert_well_formed(value)


@given(st.text(st.characters(categories=None)) | st.binary())
@examples(100)
def test_any_text_is_read(value: object) -> None:
    assert_well_formed(value)
    assert_well_formed([{"arguments": value, "tool": value, "agent": value}])


class Hostile(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError

    def get(self, *_: object) -> Any:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


class Unprintable:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError

    def __repr__(self) -> str:
        raise RuntimeError


def cyclic() -> list[Any]:
    loop: dict[str, Any] = {"address": A}
    loop["agents"] = [loop]
    loop["args"] = loop
    return [loop]


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "value",
    [
        pytest.param(cyclic(), id="cyclic"),
        pytest.param(deep(100_000), id="deep list"),
        pytest.param("[" * 100_000 + "]" * 100_000, id="deep JSON"),
        pytest.param('{"agents":' * 20_000 + "1" + "}" * 20_000, id="deep containers"),
        pytest.param("[" * 100_000, id="deep and unfinished"),
        pytest.param([{"tool": "t", "args": '{"a":' * 20_000 + "1" + "}" * 20_000}], id="args"),
        pytest.param([{"address": A, "cost": 2**256, "share": math.nan, "n\0": "\0"}], id="wide"),
        pytest.param("[" + "9" * 10_000 + "]", id="long integer"),
        pytest.param(["\ud83d", {"handle": "\ud83d"}], id="surrogate"),
        pytest.param('["\\ud83d", NaN, -Infinity, 1e999]', id="JSON extras"),
        pytest.param(Hostile(address=A), id="hostile dict"),
        pytest.param([Unprintable(), {"agent": Unprintable()}], id="unprintable"),
        pytest.param({5: {None: 1}, (1, 2): {3}, "address": A}, id="keys"),
        pytest.param(iter([1]), id="iterator"),
        pytest.param(lambda: 1, id="function"),
        pytest.param(ExecutableEntry, id="class"),
    ],
)
def test_hostile_values(value: object) -> None:
    assert_well_formed(value)


def test_wide_values_in_raw() -> None:
    [entry] = parse_executable_data([{"address": A, "cost": 2**256, "share": math.nan}])
    assert entry == {
        "kind": "agent",
        "address": A,
        "raw": {"address": A, "cost": str(2**256), "share": None},
    }


@pytest.mark.no_cover
def test_ten_thousand_entries_in_well_under_a_second() -> None:
    entries = [
        {"address": encode_fast(number), "name": f"agent {number}", "rank": number}
        for number in range(10_000)
    ]
    start = time.process_time()
    parsed = parse_executable_data(entries)
    taken = time.process_time() - start
    assert len(parsed) == 10_000
    assert {entry["kind"] for entry in parsed} == {"unknown"}
    assert taken < 2, f"{taken:.2f} s"  # the bound is loose for a shared machine


def encode_fast(number: int) -> str:
    """Right in form and wrong in checksum, so that the whole check runs on each."""
    tail = "".join(CHARSET[number >> shift & 31] for shift in (10, 5, 0))
    return A[:50] + tail + A[53:64] + ("q" if A[64] != "q" else "p")


def test_an_entry_of_ten_megabytes() -> None:
    text = "x" * 10_000_000
    raw = {"address": A, "description": text, "handle": text, "arguments": text}
    start = time.process_time()
    [entry] = parse_executable_data([raw])
    assert time.process_time() - start < 3
    shown = "x" * 79 + "…"
    assert entry == {
        "kind": "agent",
        "address": A,
        "description": text,
        "raw": raw,
        "problems": [
            f"`handle` is not a handle (1 to 64 letters, digits, '-', '_' or '.'): '{shown}'.",
            f"`arguments` is neither an object nor the JSON text of one: '{shown}'.",
        ],
    }


PLAN: dict[str, Any] = {
    "tasks": [
        {"status": "completed", "agent_response": "Rain.",
         "agent_used": {"agent_name": "W", "agent_address": A, "agent_rating": 4.1,
                        "agent_interactions": 7}},
        {"status": "waiting", "agent_used": None},
        {"subtasks": [{"agent_used": [{"agent_name": "V", "agent_address": B}]}]},
    ]
}  # fmt: skip
FROM_PLAN: list[ExecutableEntry] = [
    {"kind": "agent", "address": A, "name": "W", "raw": PLAN["tasks"][0]["agent_used"]},
    {"kind": "agent", "address": B, "name": "V", "raw": {"agent_name": "V", "agent_address": B}},
]


@pytest.mark.parametrize("kind", [AIMessage, AIMessageChunk, HumanMessage])
@pytest.mark.parametrize(
    ("kwargs", "expected"),
    [
        ({}, []),
        ({"executable_data": None, "plan_state": None}, []),
        ({"executable_data": [AGENT]}, [ENTRY]),
        ({"executable_data": {"agents": [AGENT]}}, [ENTRY]),
        ({"executable_data": json.dumps([AGENT])}, [ENTRY]),
        ({"plan_state": PLAN}, FROM_PLAN),
        ({"plan_state": [json.loads(json.dumps(PLAN))]}, FROM_PLAN),
        ({"plan_state": json.dumps(PLAN)}, FROM_PLAN),
        ({"plan_state": "running"}, []),
        ({"executable_data": [AGENT], "plan_state": PLAN}, [ENTRY, *FROM_PLAN]),
        ({"executable_data": [AGENT], "plan_state": {"agent_used": AGENT}}, [ENTRY]),
        ({"plan_state": deep(5_000)}, []),
    ],
)
def test_messages(
    kind: type[BaseMessage], kwargs: dict[str, Any], expected: list[ExecutableEntry]
) -> None:
    assert get_executable_data(kind(content="", additional_kwargs=kwargs)) == expected


def test_a_repeated_stream_chunk_gives_its_agents_once() -> None:
    chunk = AIMessageChunk(content="a", additional_kwargs={"executable_data": [AGENT]})
    assert get_executable_data(chunk + chunk) == [ENTRY]


def test_agents_used_are_sought_in_bounded_depth() -> None:
    plan: Any = {"agent_used": AGENT}
    for _ in range(32):
        plan = {"step": plan}
    message = AIMessage("", additional_kwargs={"plan_state": plan})
    assert get_executable_data(message) == [ENTRY]
    message.additional_kwargs["plan_state"] = {"step": plan}
    assert get_executable_data(message) == []


def test_the_reader_is_a_runnable_with_schemas() -> None:
    runnable = RunnableLambda(get_executable_data)
    message = AIMessage("", additional_kwargs={"executable_data": [AGENT]})
    assert runnable.invoke(message) == [ENTRY]
    assert runnable.get_output_jsonschema()
    assert runnable.get_input_jsonschema()
    assert ExecutableEntry.__required_keys__ == {"kind", "raw"}


def test_agents_used_are_found_thirty_levels_deep_in_a_plan() -> None:
    used = {"agent_used": {"agent_name": "Kitchen", "agent_address": "@kitchen"}}
    for levels, found in ((32, 1), (33, 0)):
        plan: Any = used
        for _ in range(levels):
            plan = [plan]
        message = AIMessage("", additional_kwargs={"plan_state": plan})
        assert len(get_executable_data(message)) == found


@pytest.mark.parametrize("text", ["5", "true", '"text"'])
def test_the_json_text_of_a_scalar_stays_text(text: str) -> None:
    [entry] = parse_executable_data([text])
    assert (entry["kind"], entry["raw"]) == ("unknown", text)


@pytest.mark.parametrize(("levels", "found"), [(0, 1), (32, 1), (33, 0)])
def test_a_plan_is_read_32_levels_deep(levels: int, found: int) -> None:
    plan: dict[str, Any] = {"agent_used": {"address": A}}
    for _ in range(levels):
        plan = {"steps": plan}
    message = AIMessage("", additional_kwargs={"plan_state": plan})
    assert len(get_executable_data(message)) == found
