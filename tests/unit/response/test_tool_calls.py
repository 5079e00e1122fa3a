"""Tool calls arrive in every form that servers have invented, and leave in LangChain's one form."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_asi_one._response.messages import make_message
from langchain_asi_one._response.reader import AnswerReader
from langchain_asi_one._response.tool_calls import ToolCallReader
from tests.support.answers import read_body, read_stream
from tests.support.examples import examples

END = {"id": "a1", "choices": [{"delta": {}, "finish_reason": "tool_calls"}]}


def item(
    index: Any = None, call_id: Any = None, name: Any = None, arguments: Any = None
) -> dict[str, Any]:
    """An item of `tool_calls` with only what is given."""
    function = {"name": name, "arguments": arguments}
    wire: dict[str, Any] = {"function": {k: v for k, v in function.items() if v is not None}}
    given_fields = {"index": index, "id": call_id, "type": "function"}
    return {**{k: v for k, v in given_fields.items() if v is not None}, **wire}


def invoked(*items: Any, content: str | None = None) -> AIMessage:
    message = {"content": content, "tool_calls": list(items)}
    return read_body({"id": "a1", "choices": [{"message": message, "finish_reason": "tool_calls"}]})


def streamed(*items: dict[str, Any]) -> AIMessage:
    """The sum of a stream that sends one item of `tool_calls` a chunk."""
    chunks = [{"id": "a1", "choices": [{"delta": {"tool_calls": [sent]}}]} for sent in items]
    return read_stream([*chunks, END])


def expected(
    *calls: tuple[str | None, str | None, Any], content: str = "", **metadata: Any
) -> AIMessage:
    """A message with calls of (id, name, args); args that are text make the call invalid."""
    return AIMessage(
        content,
        tool_calls=[
            {"type": "tool_call", "id": call_id, "name": str(name), "args": args}
            for call_id, name, args in calls
            if isinstance(args, dict)
        ],
        invalid_tool_calls=[
            {
                "type": "invalid_tool_call",
                "id": call_id,
                "name": name,
                "args": args,
                "error": None,
            }
            for call_id, name, args in calls
            if not isinstance(args, dict)
        ],
        response_metadata={
            "model_provider": "asi-one",
            "id": "a1",
            "finish_reason": "tool_calls",
            "normalized_finish_reason": "tool_call",
            **metadata,
            "session_id": "s",
        },
    )


def with_own_ids(message: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    """Names and arguments of calls whose ids we made: they must differ and look like the API's."""
    ids = [call["id"] or "" for call in message.tool_calls]
    assert len({*ids}) == len(ids)
    assert all(i.startswith("call_") and len(i) == 29 and int(i[5:], 16) >= 0 for i in ids)
    return [(call["name"], call["args"]) for call in message.tool_calls]


Q1, Q2 = '{"q":1}', '{"q":2}'

STREAMS: dict[str, tuple[list[dict[str, Any]], list[tuple[str, str, Any]]]] = {
    "by the book": (
        [item(0, "a", "x", ""), item(0, None, None, '{"q"'), item(0, None, None, ":1}")],
        [("a", "x", {"q": 1})],
    ),
    "index -1": (
        [item(-1, "a", "x", Q1), item(-1, "b", "y", Q2)],
        [("a", "x", {"q": 1}), ("b", "y", {"q": 2})],
    ),
    "no index": (
        [item(None, "a", "x", '{"q"'), item(None, None, None, ":1}"), item(None, "b", "x", Q2)],
        [("a", "x", {"q": 1}), ("b", "x", {"q": 2})],
    ),
    "index as text": (
        [item("0", "a", "x", Q1), item("1", "b", "y", Q2)],
        [("a", "x", {"q": 1}), ("b", "y", {"q": 2})],
    ),
    "all indexes 0, whole calls": (
        [item(0, "a", "x", Q1), item(0, "b", "x", Q2)],
        [("a", "x", {"q": 1}), ("b", "x", {"q": 2})],
    ),
    "all indexes 0, calls in pieces": (
        [
            item(0, "a", "x", ""),
            item(0, None, None, '{"q":'),
            item(0, None, None, "1}"),
            item(0, "b", "x", ""),
            item(0, None, None, Q2),
        ],
        [("a", "x", {"q": 1}), ("b", "x", {"q": 2})],
    ),
    "id and name in each delta": (
        [item(0, "a", "x", ""), item(0, "a", "x", '{"q":'), item(0, "a", "x", "1}")],
        [("a", "x", {"q": 1})],
    ),
    "name in each delta, no index": (
        [item(None, "a", "x", ""), item(None, None, "x", '{"q":'), item(None, None, "x", "1}")],
        [("a", "x", {"q": 1})],
    ),
    "another id in each delta": (
        [item(0, "a", "x", ""), item(0, "b", "x", '{"q":'), item(0, "c", "x", "1}")],
        [("a", "x", {"q": 1})],
    ),
    "another id in each delta, name once, no index": (
        [item(None, "a", "x", '{"q":'), item(None, "b", None, "1"), item(None, "c", None, "}")],
        [("a", "x", {"q": 1})],
    ),
    "name in parts": (
        [item(0, "a", "get_"), item(0, None, "weather"), item(0, None, None, "{}")],
        [("a", "get_weather", {})],
    ),
    "name late": (
        [item(0, "a", None, '{"q":'), item(0, None, "x", "1}")],
        [("a", "x", {"q": 1})],
    ),
    "name after the arguments": (
        [item(0, "a", None, Q1), item(0, None, "x")],
        [("a", "x", {"q": 1})],
    ),
    "name after the arguments, no index": (
        [item(None, "a", None, Q1), item(None, None, "x")],
        [("a", "x", {"q": 1})],
    ),
    "id late": (
        [item(0, None, "x", '{"q":'), item(0, "a", None, "1}")],
        [("a", "x", {"q": 1})],
    ),
    "whole call sent a second time": (
        [item(0, "a", "x", '{"q":'), item(0, None, None, "1}"), item(0, "a", "x", Q1)],
        [("a", "x", {"q": 1})],
    ),
    "whole call sent a second time, index -1": (
        [item(-1, "a", "x", Q1), item(-1, "a", "x", Q1)],
        [("a", "x", {"q": 1})],
    ),
    "orphan deltas": (
        [item(-1), item(0, "a", "x", Q1), item(-1), item(-1, None, None, "")],
        [("a", "x", {"q": 1})],
    ),
    "white space after the arguments, with a name": (
        [item(0, "a", "x", Q1), item(0, "a", "x", "\n"), item(0, None, "x", " ")],
        [("a", "x", {"q": 1})],
    ),
    "interleaved": (
        [
            item(0, "a", "x", ""),
            item(1, "b", "y", ""),
            item(1, None, None, '{"q"'),
            item(0, None, None, '{"q"'),
            item(1, None, None, ":2}"),
            item(0, None, None, ":1}"),
        ],
        [("a", "x", {"q": 1}), ("b", "y", {"q": 2})],
    ),
    "interleaved by id alone": (
        [
            item(None, "a", "x", ""),
            item(None, "b", "y", ""),
            item(None, "a", None, '{"q"'),
            item(None, "b", None, '{"q"'),
            item(None, "a", None, ":1}"),
            item(None, "b", None, ":2}"),
        ],
        [("a", "x", {"q": 1}), ("b", "y", {"q": 2})],
    ),
    "null in deltas": (
        [item(0, "a", "x", " nu"), item(0, None, None, "ll"), item(0, None, None, "\n")],
        [("a", "x", {})],
    ),
    "whole call sent three times": (
        [item(0, "a", "x", Q1), item(0, "a", "x", Q1), item(0, "a", "x", Q1)],
        [("a", "x", {"q": 1})],
    ),
    "null sent again": (
        [item(0, "a", "x", "null"), item(0, "a", "x", "null")],
        [("a", "x", {})],
    ),
    "all indexes 0, null": (
        [item(0, "a", "x", "null"), item(0, "b", "x", "null"), item(0, "c", "y", Q1)],
        [("a", "x", {}), ("b", "x", {}), ("c", "y", {"q": 1})],
    ),
    "no arguments": (
        [item(0, "a", "x"), item(1, "b", "y", ""), item(2, "c", "z", "{}")],
        [("a", "x", {}), ("b", "y", {}), ("c", "z", {})],
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_calls_of_a_stream(name: str) -> None:
    deltas, calls = STREAMS[name]
    assert streamed(*deltas) == expected(*calls)


ARGUMENTS: dict[str, tuple[Any, Any]] = {
    "object as text": ('{"a": [1, {"b": null}]}', {"a": [1, {"b": None}]}),
    "object": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    "empty object": ({}, {}),
    "null": (None, {}),
    "null as text": ("null", {}),
    "null and white space": (" null\n", {}),
    "null and more": ("nulls", "nulls]"),
    "null twice": ("null null", "null null]"),
    "cut null": (" nul", "nul]"),
    "empty": ("", {}),
    "white space": (" \n\t", {}),
    "white space around": (" \n{} \n", {}),
    "newline in a string": ('{"a":"x\ny"}', {"a": "x\ny"}),
    "same key twice": ('{"a":1,"a":2}', {"a": 2}),
    "NaN": ('{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}),
    "NaN in an object": ({"a": float("nan")}, {"a": None}),
    "big": (f'{{"a": {2**64}, "b": {2**64 - 1}}}', {"a": str(2**64), "b": 2**64 - 1}),
    "big in an object": ({"a": 10**30}, {"a": str(10**30)}),
    "NUL and half a character": ('{"a":"\\u0000x\\ud800"}', {"a": "x\ufffd"}),
    "encoded twice": ('"{\\"a\\": 1}"', '"{\\"a\\": 1}"]'),
    "array": ("[1]", "[1]]"),
    "array of an object": ([{"a": 1}], '[{"a": 1}]]'),
    "number": (5, "5]"),
    "two objects": ('{"a":1}{"a":2}', '{"a":1}{"a":2}]'),
    "object and prose": ('{"a":1} then', '{"a":1} then]'),
    "python": ("{'a': 1}", "{'a': 1}]"),
    "trailing comma": ('{"a":1,}', '{"a":1,}]'),
    "cut in a value": ('{"to": "Bob", "text": "Hel', '{"to": "Bob", "text": "Hel"]'),
    "cut after a value": ('{"to": "Bob"', '{"to": "Bob"]'),
    "cut after a comma": ('{"to": "Bob",', '{"to": "Bob",]'),
    "cut in an escape": ('{"to": "B\\', '{"to": "B\\\\"]'),
    "cut in an array": ('{"to": [1', '{"to": [1}'),
    "cut at once": ("{", "{]"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_are_a_whole_object_or_the_call_is_invalid(name: str) -> None:
    """https://github.com/vllm-project/vllm/issues/43851 and langchain#33504."""
    sent, args = ARGUMENTS[name]
    whole = item(0, "a", "x", sent)
    assert streamed(whole) == expected(("a", "x", args))
    if isinstance(args, dict):
        assert invoked(whole) == streamed(whole)
    else:
        (invalid,) = invoked(whole).invalid_tool_calls
        assert invalid["args"] == (sent if isinstance(sent, str) else json.dumps(sent))
        assert str(invalid["error"]).startswith("The arguments ")
    if isinstance(sent, str):
        pieces = [item(0, None, None, character) for character in sent]
        assert streamed(item(0, "a", "x", ""), *pieces) == expected(("a", "x", args))


def test_a_cut_call_beside_a_whole_one() -> None:
    calls = [item(-1, "a", "x", Q1), item(-1, "b", "pay", '{"to": "Bob", "amount": 1')]
    cut = '{"to": "Bob", "amount": 1]'
    assert streamed(*calls) == expected(("a", "x", {"q": 1}), ("b", "pay", cut))
    message = invoked(*calls)
    assert message.tool_calls == streamed(*calls).tool_calls
    assert message.invalid_tool_calls == [
        {
            "type": "invalid_tool_call",
            "id": "b",
            "name": "pay",
            "args": '{"to": "Bob", "amount": 1',
            "error": "The arguments are not complete JSON: "
            "Expecting ',' delimiter: line 1 column 26 (char 25)",
        }
    ]


def test_calls_of_a_body_are_told_apart_by_their_place_alone() -> None:
    calls = [item(-1, "a", "x", Q1), item(-1, "b", "x", Q1), item(0, "c", "y"), item(0, "d", "y")]
    assert invoked(*calls, content="Let me see.") == expected(
        ("a", "x", {"q": 1}),
        ("b", "x", {"q": 1}),
        ("c", "y", {}),
        ("d", "y", {}),
        content="Let me see.",
    )


def test_a_call_without_function_level() -> None:
    assert invoked({"id": "a", "name": "x", "arguments": Q1}) == expected(("a", "x", {"q": 1}))


def test_a_call_without_a_name_cannot_be_run() -> None:
    nameless = item(0, "a", None, Q1)
    assert streamed(nameless) == expected(("a", None, '{"q":1}]'))
    (invalid,) = invoked(nameless).invalid_tool_calls
    assert (invalid["args"], invalid["error"]) == (Q1, "The call names no tool.")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [("[1]", "a list"), ('"a"', "a string"), ("5", "a number"), ("true", "a boolean")],
)
def test_what_is_wrong_with_arguments_is_said(sent: str, kind: str) -> None:
    """https://github.com/langchain-ai/langchain/issues/33504 and 31634."""
    (invalid,) = invoked(item(0, "a", "x", sent)).invalid_tool_calls
    assert invalid["error"] == f"The arguments must be a JSON object, but are {kind}."


@pytest.mark.parametrize(
    "sent",
    [
        '{"a": "cut',
        '{"a": 1',
        "[1, 2]",
        '"a text"',
        "no JSON",
        '{"a": 1}}',
        '{"a": 1} {"b": 2}',
        "[1}",
    ],
)
def test_a_stream_has_what_was_sent_and_perhaps_a_bracket_behind(sent: str) -> None:
    """https://github.com/langchain-ai/langchain/issues/33504."""
    for pieces in ([sent], [*sent]):
        items = [item(0, None, None, piece) for piece in pieces]
        (invalid,) = streamed(item(0, "a", "x", ""), *items).invalid_tool_calls
        assert str(invalid["args"]).startswith(sent)


@pytest.mark.parametrize("calls", [[], [{}], [item(-1)], [None, 5, [], item()]])
def test_items_that_hold_nothing_are_no_calls(calls: list[Any]) -> None:
    assert invoked(*calls) == expected(tool_calls_missing=True)
    assert streamed(*calls) == expected(tool_calls_missing=True)


def test_missing_ids_are_made_up_the_same_each_time() -> None:
    calls = [item(i, None, "x", Q1) for i in range(3)]
    message = invoked(*calls)
    assert with_own_ids(message) == [("x", {"q": 1})] * 3
    assert message == invoked(*calls) == streamed(*calls)


def test_all_indexes_0_and_no_ids() -> None:
    message = streamed(item(0, None, "x", Q1), item(0, None, "x", Q2), item(0, None, "y", Q2))
    assert with_own_ids(message) == [("x", {"q": 1}), ("x", {"q": 2}), ("y", {"q": 2})]


def test_ids_depend_on_the_answer() -> None:
    call = item(0, None, "x", Q1)
    reader = AnswerReader(streamed=False)
    body = {"id": "a2", "choices": [{"message": {"tool_calls": [call]}}]}
    other = make_message([reader.feed(body), reader.close()], session_id="s")
    assert other.tool_calls[0]["id"] != invoked(call).tool_calls[0]["id"]


@pytest.mark.parametrize("second", [item(1, "a", "y", Q1), item(1, "a", "x", Q2)])
def test_an_id_given_to_two_calls_names_only_the_first(second: dict[str, Any]) -> None:
    calls = [item(0, "a", "x", Q1), second]
    message = invoked(*calls)
    assert [call["name"] for call in message.tool_calls] == ["x", second["function"]["name"]]
    first, other = (call["id"] for call in message.tool_calls)
    assert first == "a"
    assert other
    assert other.startswith("call_")
    assert message == streamed(*calls)
    assert message == streamed(*[{**call, "index": -1} for call in calls])


def test_the_same_call_twice_in_a_body_is_run_once() -> None:
    call = item(-1, "a", "pay", Q1)
    assert invoked(call, {**call, "index": 0}) == expected(("a", "pay", {"q": 1}))


@pytest.mark.no_cover
def test_a_thousand_calls() -> None:
    calls = [item(i, f"c{i}", f"t{i}", json.dumps({"i": i})) for i in range(1000)]
    wanted = expected(*[(f"c{i}", f"t{i}", {"i": i}) for i in range(1000)])
    assert invoked(*calls) == wanted
    reader = AnswerReader(streamed=True)
    began = time.process_time()
    for call in calls:
        reader.feed({"choices": [{"delta": {"tool_calls": [call]}}]})
    reader.close()
    assert time.process_time() - began < 2


@pytest.mark.no_cover
def test_five_thousand_deltas() -> None:
    text = json.dumps({"text": "x" * 4989})
    assert len(text) == 5001
    reader = AnswerReader(streamed=True)
    began = time.process_time()
    deltas = [
        reader.feed({"choices": [{"delta": {"tool_calls": [item(0, "a", "x", character)]}}]})
        for character in text
    ]
    deltas.append(reader.close())
    assert time.process_time() - began < 2
    args = "".join(call["args"] for delta in deltas for call in delta["tool_calls"])
    names = [call["name"] for delta in deltas for call in delta["tool_calls"] if call["name"]]
    assert (args, names) == (text, ["x"])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(st.text(max_size=4), child),
    max_leaves=8,
)


@st.composite
def split_calls(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Whole calls, and the deltas of them in pieces, interleaved in any way."""
    calls, queues = [], []
    for i in range(draw(st.integers(1, 4))):
        text = json.dumps(draw(st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=3)))
        text = text[: draw(st.integers(1, len(text)))]
        call_id = draw(st.sampled_from([None, f"id{i}"]))
        calls.append(item(i, call_id, f"tool{i}", text))
        cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
        ends = zip([0, *cuts], [*cuts, len(text)], strict=True)
        first, *rest = [text[start:end] for start, end in ends]
        again = f"tool{i}" if draw(st.booleans()) else None
        opened = item(i, call_id, f"tool{i}", first)
        queues.append([opened, *(item(i, None, again, piece) for piece in rest)])
    deltas = []
    while queues:
        # A call begins after those before it.
        begun = [q for n, q in enumerate(queues) if n == 0 or "id" not in q[0] or q is queues[0]]
        queue = draw(st.sampled_from(begun))
        deltas.append(queue.pop(0))
        queues = [q for q in queues if q]
    return calls, deltas


@given(split_calls())
@examples(50)
def test_however_calls_are_split_they_are_the_same(
    case: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    calls, deltas = case
    message, whole, body = streamed(*deltas), streamed(*calls), invoked(*calls)
    assert body.tool_calls == whole.tool_calls
    assert [call["id"] for call in body.invalid_tool_calls] == [
        call["id"] for call in whole.invalid_tool_calls
    ]
    sent = {call["function"]["name"]: call["function"]["arguments"] for call in calls}
    for call in body.invalid_tool_calls:
        assert call["args"] == sent[str(call["name"])]
        assert call["error"]
    # Without ids a call that begins earlier comes first.
    known = {c["function"]["name"]: c for c in calls}
    order = [name for d in deltas if (name := d["function"].get("name"))]
    if list(dict.fromkeys(order)) == list(known):
        assert message == whole
    for ours, theirs in (
        (message.tool_calls, whole.tool_calls),
        (message.invalid_tool_calls, whole.invalid_tool_calls),
    ):
        by_name = {call["name"]: call["args"] for call in ours}
        assert by_name == {call["name"]: call["args"] for call in theirs}


@given(st.lists(st.dictionaries(st.sampled_from(["index", "id", "function", "name"]), JSON_VALUES)))
@examples(40)
def test_no_item_whatever_raises_and_ids_are_unique(items: list[Any]) -> None:
    for message in (invoked(*items), streamed(*items)):
        ids = [c["id"] for c in [*message.tool_calls, *message.invalid_tool_calls]]
        assert len({*ids}) == len(ids)


def test_plain_text_within_a_string_is_added_once() -> None:
    pieces = ['{"city": "', "New ", "York", '", "n": 1}']
    items = [item(0, "c1", "f", pieces[0]), *(item(0, None, None, piece) for piece in pieces[1:])]
    assert streamed(*items) == expected(("c1", "f", {"city": "New York", "n": 1}))


def test_a_name_after_the_arguments_have_begun_changes_nothing() -> None:
    message = streamed(item(0, "c1", "f", '{"a": '), item(0, None, "g", "1}"))
    assert message == expected(("c1", "f", {"a": 1}))


def test_arguments_with_too_many_levels_are_an_invalid_call() -> None:
    text = '{"a":' + "[" * 10_000 + "]" * 10_000 + "}"
    [call] = invoked(item(0, "c", "look", text)).invalid_tool_calls
    error = "The arguments are nested more than 10,000 levels deep."
    assert (call["args"], call["error"]) == (text, error)
    [cut] = streamed(item(0, "c", "look", text)).invalid_tool_calls
    assert cut["name"] == "look"


@pytest.mark.no_cover
def test_white_space_behind_null_takes_time_by_its_length() -> None:
    reader = ToolCallReader()
    reader.read_delta(item(0, "a", "x", "null"))
    start = time.process_time()
    for _ in range(100_000):
        reader.read_delta(item(0, None, None, " "))
    assert time.process_time() - start < 4  # all read again with each piece: 8 s and more
    assert reader.close("r") == []
    assert reader.find_invalid() == {}
