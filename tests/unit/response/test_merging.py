"""Fields that come in slices are whole in the end, in linear time."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core import exceptions

from langchain_asi_one._response.merging import MergedList, MergedText, merge, unwrap
from langchain_asi_one._response.reader import AnswerReader, ServerCalls
from tests.support.answers import read_body, read_stream


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ([[1], [1, 2], [1, 2]], [1, 2]),
        ([[1], [2], [3]], [1, 2, 3]),
        ([[1], [2], [1]], [1, 2]),
        ([[], [1, 1], []], [1, 1]),
        ([[{"a": 1, "b": 2}], [{"b": 2, "a": 1}]], [{"a": 1, "b": 2}]),
        ([["1"], [1], [True], [1.0]], ["1", 1, True, 1.0]),
        ([[1, 2, 3], [2]], [1, 2, 3]),
    ],
)
def test_a_list_is_repeated_grows_or_comes_in_slices(sent: list[Any], value: list[Any]) -> None:
    before = copy.deepcopy(sent)
    merged = MergedList()
    for items in sent:
        merged.add(items)
    assert merged.value == value
    assert sent == before


def test_items_beyond_the_limit_are_counted() -> None:
    merged = MergedList(3)
    for items in ([1, 2], [3, 4], [5], [5]):
        merged.add(items)
    assert (merged.value, merged.dropped) == ([1, 2, 3], 2)


def test_items_beyond_the_limit_are_counted_once() -> None:
    merged, calls = MergedList(3), ServerCalls(1)
    for items in ([1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]):
        merged.add(items)
    for call_id in "abccb":
        calls.add({"id": call_id, "tool_name": "x"})
    assert (merged.value, merged.dropped) == ([1, 2, 3], 2)
    assert (calls.value, calls.dropped) == ([{"id": "a", "tool_name": "x"}], 2)


@pytest.mark.parametrize(
    ("sent", "concatenate", "value"),
    [
        ([{"a": 1}, {"a": 2, "b": None}], False, {"a": 2, "b": None}),
        ([{"a": 1}, {"a": None}], False, {"a": 1}),
        ([{"c": [1]}, {"c": [1]}], False, {"c": [1]}),
        ([{"c": [1]}, {"c": [1]}], True, {"c": [1, 1]}),
        ([{"c": None}, {"c": [1]}, {"c": [2]}], True, {"c": [1, 2]}),
        ([{"c": {"d": [1]}}, {"c": {"d": [1]}}], True, {"c": {"d": [1, 1]}}),
        ([{"a": 1}, 5], False, 5),
        ([5, {"a": 1}], False, {"a": 1}),
        ([[1], {"a": 1}], False, {"a": 1}),
    ],
)
def test_an_object_is_merged(sent: list[Any], concatenate: bool, value: Any) -> None:
    before = copy.deepcopy(sent)
    held: Any = None
    for each in sent:
        held = merge(held, each, concatenate=concatenate)
    assert unwrap(held) == value
    assert sent == before


def test_a_text_is_joined() -> None:
    text = MergedText("a")
    text.add("b")
    assert unwrap(text) == "ab"


def chunk(delta: dict[str, Any], **choice: Any) -> dict[str, Any]:
    return {"id": "1", "choices": [{"index": 0, "delta": delta, **choice}]}


def test_logprobs_of_a_stream_are_those_of_the_body() -> None:
    tokens = [{"token": "a", "logprob": -0.5}, {"token": "a", "logprob": -0.5}]
    chunks = [chunk({"content": "a"}, logprobs={"content": [t], "refusal": None}) for t in tokens]
    logprobs = {"content": tokens, "refusal": None}
    choice = {"index": 0, "message": {"content": "aa"}, "logprobs": logprobs}
    message = read_stream(chunks)
    assert message == read_body({"id": "1", "choices": [choice]})
    assert message.response_metadata["logprobs"] == logprobs
    assert "extra" not in message.response_metadata


@pytest.mark.skipif(
    not hasattr(exceptions, "ModelRefusalError"), reason="langchain-core 1.7.5 brought the block"
)
def test_a_refusal_is_a_block() -> None:
    chunks = [chunk({"refusal": "I "}), chunk({"refusal": "can't."}), chunk({})]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    choice = {"index": 0, "message": {"refusal": "I can't."}, "finish_reason": "stop"}
    for message in (read_stream(chunks), read_body({"id": "1", "choices": [choice]})):
        blocks: list[Any] = [*message.content_blocks]
        assert blocks == [{"type": "refusal", "refusal": "I can't.", "index": "lc_refusal"}]
        assert message.response_metadata["normalized_finish_reason"] == "refusal"


@pytest.mark.parametrize(
    ("reason", "normalized"),
    [
        ("stop", "stop"),
        ("tool_calls", "tool_call"),
        ("function_call", "tool_call"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("odd", None),
        (None, None),
    ],
)
def test_a_finish_reason_is_normalized(reason: str | None, normalized: str | None) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": reason}
    metadata = read_body({"id": "1", "choices": [choice]}).response_metadata
    assert metadata.get("normalized_finish_reason") == normalized


def test_an_answer_that_stops_with_calls_ends_by_them() -> None:
    call = {"id": "c1", "function": {"name": "look", "arguments": "{}"}}
    choice = {"message": {"tool_calls": [call]}, "finish_reason": "stop"}
    metadata = read_body({"id": "1", "choices": [choice]}).response_metadata
    assert metadata["normalized_finish_reason"] == "tool_call"


@pytest.mark.parametrize("streamed", [True, False])
def test_calls_beyond_the_limit_are_counted(streamed: bool) -> None:
    calls = [
        {"index": i, "id": f"c{i}", "function": {"name": "look", "arguments": "{}"}}
        for i in range(1_003)
    ]
    if streamed:
        message = read_stream(
            [chunk({"tool_calls": calls[i : i + 50]}) for i in range(0, 1003, 50)]
        )
    else:
        message = read_body({"choices": [{"message": {"tool_calls": calls}}]})
    assert [call["id"] for call in message.tool_calls] == [f"c{i}" for i in range(1_000)]
    assert message.invalid_tool_calls == []
    assert message.response_metadata["dropped"] == {"tool_calls": 3}


def test_deltas_without_an_index_never_reach_another_call() -> None:
    calls: list[Any] = [{"id": f"c{i}", "function": {"name": "look"}} for i in range(1_001)]
    more = {"function": {"arguments": '{"a": 1}'}}
    deltas = [*(calls[i : i + 50] for i in range(0, 1_001, 50)), [more]]
    message = read_stream([chunk({"tool_calls": delta}) for delta in deltas])
    assert [call["args"] for call in message.tool_calls] == [{}] * 1_000
    assert message.response_metadata["dropped"] == {"tool_calls": 1}


RECORDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "steps": lambda i: {"intermediate_steps": [{"step": i}]},
    "records with ids": lambda i: {"tool_calls": [{"id": f"t{i}", "tool_name": "x"}]},
    "records without ids": lambda i: {"tool_calls": [{"tool_name": "x", "args": {"i": i}}]},
    "unknown lists": lambda i: {"annotations": [{"i": i}]},
    "unknown objects": lambda i: {"annotations": {"items": [i]}},
    "refusals": lambda i: {"refusal": "no "},
    "short messages": lambda i: {"content": "ab "},
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", RECORDS)
def test_a_field_in_slices_takes_time_by_its_length(name: str) -> None:
    count = 20_000
    reader = AnswerReader(streamed=True)
    began = time.process_time()
    for i in range(count):
        beside = {"message": {"content": "a"}} if name == "short messages" else {}
        reader.feed(chunk(RECORDS[name](i), **beside))
    last = reader.close()
    assert time.process_time() - began < 8
    if name == "steps":
        assert len(last["additional_kwargs"]["intermediate_steps"]) == count
    elif name.startswith("records"):
        assert len(last["additional_kwargs"]["server_tool_calls"]) == count


def test_a_null_leaves_what_follows_it() -> None:
    held = merge(None, {"a": 1, "b": [2], "c": {"d": [1]}})
    held = merge(held, {"a": None, "b": None, "c": {"d": [1, 2]}})
    assert unwrap(held) == {"a": 1, "b": [2], "c": {"d": [1, 2]}}


def test_objects_with_other_orders_of_keys_are_one() -> None:
    merged = MergedList()
    for items in ([{"a": 1, "b": 2}], [{"c": 3}], [{"b": 2, "a": 1}]):
        merged.add(items)
    assert merged.value == [{"a": 1, "b": 2}, {"c": 3}]
