"""Any JSON that a server may send becomes one message, and none makes the reader fail."""

from __future__ import annotations

import json
import os
from itertools import pairwise
from typing import Any

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_asi_one._json.safe import loads
from langchain_asi_one._response.reader import AnswerReader
from langchain_asi_one._response.reasoning import THOUGHT_FIELDS
from tests.support.answers import read_body, read_stream
from tests.support.examples import examples
from tests.support.other_process import run_script

METADATA = {"model_provider": "asi-one", "session_id": "s"}


def invoked(sent: dict[str, Any]) -> AIMessage:
    return read_body(sent, tools={"now": {}})


def streamed(*chunks: dict[str, Any]) -> AIMessage:
    return read_stream(chunks, tools={"now": {}})


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def body(**message: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message}]}


def plain(content: str = "", thought: str = "", **metadata: Any) -> AIMessage:
    return AIMessage(
        content,
        additional_kwargs={"thought": thought} if thought else {},
        response_metadata={**METADATA, **metadata},
    )


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, plain()),
        ({"choices": []}, plain()),
        ({"choices": None}, plain()),
        ({"choices": {"0": 1}}, plain()),
        ({"choices": [{}]}, plain()),
        ({"choices": [{"message": None}]}, plain()),
        ({"choices": [{"message": {"content": None}}]}, plain()),
        ({"choices": [{"delta": {"content": "x"}}]}, plain("x")),
        (
            {"choices": [{"message": {"content": ["a", {"type": "text", "text": "b"}]}}]},
            plain("ab"),
        ),
        ({"choices": [{"message": {"content": {"a": 1}}}]}, plain('{"a": 1}')),
        (
            {"choices": [None, 5, {"message": {"content": "x"}}]},
            plain("x", extra={"choices": [None, 5]}),
        ),
        (
            {
                "id": 5,
                "model": None,
                "created": True,
                "usage": [1],
                "choices": [{"finish_reason": 7}],
            },
            plain(extra={"id": 5, "created": True, "usage": [1], "finish_reason": 7}),
        ),
        (
            {"id": "i", "model": "m", "created": 1768409272},
            plain(id="i", model_name="m", created=1768409272),
        ),
        ({"created": 1740580080150}, plain(created=1740580080)),
        ({"created": 1740580080.9}, plain(created=1740580080)),
        ({"created": 1e300}, plain()),
        (
            {"conversation_id": None, "x": {"y": 1}},
            plain(extra={"conversation_id": None, "x": {"y": 1}}),
        ),
        (
            {"x": 1, "choices": [{"x": 2, "message": {"x": 3, "y": 4}}]},
            plain(extra={"x": 1, "choice.x": 2, "message.x": 3, "y": 4}),
        ),
        (
            {"choices": [{"index": 0, "message": {"content": "a"}}, {"index": 1, "message": {}}]},
            plain("a", extra={"choices": [{"index": 1, "message": {}}]}),
        ),
    ],
)
def test_bodies_of_every_make(sent: dict[str, Any], message: AIMessage) -> None:
    assert invoked(sent) == message


THOUGHTS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"reasoning_content": "c", "reasoning": "r", "thought": "t"}, "c", {"reasoning": "r"}),
    ({"reasoning_content": " ", "reasoning": "r", "thought": "t"}, "r", {}),
    ({"reasoning_content": None, "reasoning": "\n\n", "thought": "t"}, "t", {}),
    ({"thought": ["a", None, "b"]}, "a\nb", {}),
    ({"thought": [None]}, "", {}),
    ({"thought": ["\n\n"]}, "", {}),
    ({"thought": []}, "", {}),
    ({"reasoning": "same", "thought": ["same"]}, "same", {}),
    ({"reasoning_content": "  kept as sent \n"}, "  kept as sent \n", {}),
]


@pytest.mark.parametrize(("fields", "thought", "unused"), THOUGHTS)
def test_one_thought_is_chosen_at_each_level(
    fields: dict[str, Any], thought: str, unused: dict[str, Any]
) -> None:
    if "thought" in fields and fields["thought"] == "t":
        unused = {**unused, **({"thought": "t"} if thought != "t" else {})}
    extra: dict[str, Any] = {"extra": unused} if unused else {}
    wanted = plain("x", thought, **extra)
    assert invoked(body(content="x", **fields)) == wanted
    assert invoked({**body(content="x"), **fields}) == wanted
    assert invoked({"choices": [{**fields, "message": {"content": "x"}}]}) == wanted
    assert streamed(delta(content="x", **fields)) == wanted
    assert streamed({**delta(content="x"), **fields}) == wanted


def test_thought_of_a_stream_is_concatenated_or_completed() -> None:
    assert streamed(delta(reasoning_content="a"), delta(reasoning_content="b")) == plain("", "ab")
    again = [{"thought": ["a"]}, {"thought": ["a", "b"]}, {"thought": ["a", "b"]}]
    assert streamed(*again) == plain("", "a\nb")
    assert streamed({"thought": ["a"]}, {"thought": ["b"]}) == plain("", "a\nb")


def test_a_whole_message_at_the_end_completes_the_stream() -> None:
    whole = {"message": {"content": "Hello", "reasoning_content": "Hm."}, "finish_reason": "stop"}
    end = {"choices": [whole]}
    wanted = plain("Hello", "Hm.", finish_reason="stop", normalized_finish_reason="stop")
    assert streamed(end) == wanted
    assert streamed(delta(reasoning_content="Hm."), delta(content="Hel"), end) == wanted
    assert streamed(delta(reasoning_content="H"), delta(content="Hello"), end, end) == wanted


THOUGHT_LEVELS = st.dictionaries(
    st.sampled_from(THOUGHT_FIELDS),
    st.sampled_from([None, "", " ", "a", "ab", ["a", "b"], ["a", None], [], {"text": "a"}]),
)


@pytest.mark.parametrize("name", THOUGHT_FIELDS)
@pytest.mark.parametrize("thought", ["Hm", ["a", "b"]])
def test_a_stream_that_is_one_whole_message_keeps_its_thought(name: str, thought: Any) -> None:
    sent = body(content="x", **{name: thought})
    assert streamed(sent) == invoked(sent) == plain("x", "Hm" if thought == "Hm" else "a\nb")


@given(THOUGHT_LEVELS, THOUGHT_LEVELS, THOUGHT_LEVELS)
@examples(100)
def test_a_stream_that_is_one_whole_message_is_read_as_a_body(
    message: dict[str, Any], choice: dict[str, Any], chunk: dict[str, Any]
) -> None:
    sent = {**chunk, "choices": [{**choice, "message": {"content": "x", **message}}]}
    assert streamed(sent) == invoked(sent)


def test_ends_usage_and_names_are_told_once() -> None:
    first = {"id": "i", "model": "m", "created": 1740580080150, "system_fingerprint": None}
    count = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    last = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    message = streamed(
        {**first, **delta(content="a"), "usage": count},
        {**first, **delta(content="b"), "usage": last},
        {**first, **end},
        {**first, **end, "usage": last},
        {**first, "choices": [], "usage": None},
    )
    wanted = plain(
        "ab",
        id="i",
        model_name="m",
        created=1740580080,
        finish_reason="stop",
        normalized_finish_reason="stop",
        extra={"system_fingerprint": None},
    )
    wanted.usage_metadata = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert message == wanted


def test_structured_extras_are_gathered_from_every_level_and_not_repeated() -> None:
    step, agent = {"s": 1}, {"address": "a"}
    record = {"id": "t1", "tool_name": "web_search", "args": {"q": 1}}
    done = {**record, "result": {"n": 1}}
    message = streamed(
        {"intermediate_steps": [step], "executable_data": [], "plan_state": {"n": 1}},
        {"intermediate_steps": [step, {"s": 2}], **delta(tool_calls=[record])},
        {"intermediate_steps": [step], **delta(executable_data=json.dumps(agent))},
        {"choices": [{"delta": {"tool_calls": [done]}, "executable_data": agent}]},
        {"plan_state": {"n": 2}, "intermediate_steps": None, "executable_data": {}},
    )
    wanted = plain()
    wanted.additional_kwargs = {
        "intermediate_steps": [step, {"s": 2}],
        "executable_data": [agent],
        "server_tool_calls": [done],
        "plan_state": {"n": 2},
    }
    assert message == wanted


@pytest.mark.parametrize("blank", [None, [], {}, "", " ", "[]", "{}", "null"])
def test_blank_extras_are_absent(blank: Any) -> None:
    fields = {"intermediate_steps": blank, "executable_data": blank, "thought": blank}
    if not isinstance(blank, dict) and blank not in ("[]", "{}", "null"):
        assert invoked({**body(content="x"), **fields}) == plain("x")
    fields.pop("thought")
    assert invoked({**body(content="x"), **fields}) == plain("x")


def test_executable_data_that_is_prose_is_kept() -> None:
    message = invoked({**body(content="x"), "executable_data": "ask agent1"})
    assert message.additional_kwargs == {"executable_data": ["ask agent1"]}


def test_unnamed_usage_is_kept() -> None:
    usage = {"prompt_tokens": 1, "prompt_cache_miss_tokens": 1}
    message = invoked({**body(content="x"), "usage": usage})
    assert message.response_metadata["extra"] == {"usage": {"prompt_cache_miss_tokens": 1}}


# --- Any JSON ---

WORDS = """id model created choices usage delta message content role tool_calls function name
arguments index finish_reason thought reasoning reasoning_content intermediate_steps executable_data
plan_state tool_name args result refusal text prompt_tokens completion_tokens total_tokens
completion_tokens_details reasoning_tokens session_id model_provider extra error"""
NAMES = st.sampled_from(WORDS.split())
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(
        ["", " ", "a", "b", "<tool_call>", "now", "</tool_call>", "{", "}", '{"a":1}']
    )
    | st.text(max_size=5)
)
ANY = st.recursive(
    SCALARS,
    lambda child: (
        st.lists(child, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=3), child, max_size=5)
    ),
    max_leaves=12,
)


def objects(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of the fields, each as it should be or as anything."""
    likely = {name: st.one_of(value, ANY) for name, value in fields.items()}
    known = st.fixed_dictionaries({}, optional=likely)
    return st.builds(lambda a, b: {**b, **a}, known, st.dictionaries(NAMES, ANY, max_size=2))


TEXTS = st.text("ab <", max_size=4)
EXTRAS = {
    "thought": TEXTS | st.lists(TEXTS | st.none(), max_size=3),
    "reasoning_content": TEXTS,
    "intermediate_steps": st.lists(ANY, max_size=2),
    "executable_data": st.lists(ANY, max_size=2),
    "plan_state": ANY,
}
FUNCTIONS = objects(name=st.just("now"), arguments=TEXTS | st.just("{}"))
CALLS = objects(index=st.integers(-1, 2), id=st.sampled_from(["c1", "c2"]), function=FUNCTIONS)
MESSAGES = objects(content=TEXTS, tool_calls=st.lists(CALLS, max_size=2), **EXTRAS)
CHOICES = objects(
    index=st.integers(0, 1), delta=MESSAGES, message=MESSAGES, finish_reason=TEXTS, **EXTRAS
)
CHUNKS = objects(
    id=TEXTS,
    created=st.integers(0, 2**45),
    model=TEXTS,
    choices=st.lists(CHOICES, max_size=2),
    usage=objects(prompt_tokens=st.integers(), completion_tokens=st.integers()),
    **EXTRAS,
)


def from_the_wire(value: Any) -> Any:
    return loads(json.dumps(value))


@given(st.lists(CHUNKS, max_size=4))
@examples(40)
def test_any_stream_gives_a_message_that_a_checkpoint_can_hold(chunks: list[Any]) -> None:
    message = streamed(*from_the_wire(chunks))
    ormsgpack.packb(message.model_dump())
    json.dumps(message.model_dump(), allow_nan=False).encode()
    assert isinstance(message.content, str)
    assert message.content_blocks is not None


@given(CHUNKS)
@examples(60)
def test_any_body_gives_the_message_of_its_deltas(sent: dict[str, Any]) -> None:
    message = invoked(from_the_wire(sent))
    ormsgpack.packb(message.model_dump())
    assert isinstance(message.additional_kwargs.get("executable_data", []), list)
    thought = message.additional_kwargs.get("thought")
    assert thought is None or thought.strip()


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(ends)]


PLACES = st.lists(st.integers(0, 50), max_size=5)


@given(TEXTS, st.text("ab \n", max_size=12), PLACES, st.booleans())
@examples(150)
def test_text_and_thought_split_anywhere_are_those_of_the_body(
    content: str, thought: str, places: list[int], at_the_top: bool
) -> None:
    name = "thought" if at_the_top else "reasoning_content"
    thoughts = [
        {**delta(content=""), name: piece} if at_the_top else delta(content=None, **{name: piece})
        for piece in cut(thought, places)
    ]
    chunks = [*thoughts, *(delta(content=piece) for piece in cut(content, places))]
    whole = body(content=content, **({} if at_the_top else {name: thought}))
    if at_the_top:
        whole[name] = thought
    assert streamed(*chunks) == invoked(whole)


def test_message_fields_in_pieces_add_up() -> None:
    def chunk(**delta: Any) -> dict[str, Any]:
        return {"choices": [{"index": 0, "delta": delta}]}

    reader = AnswerReader(streamed=True)
    reader.feed(chunk(refusal="I can't ", annotations=[{"url": "a"}]))
    reader.feed(chunk(refusal="do that.", annotations=[{"url": "b"}]))
    last = reader.close()

    assert last["additional_kwargs"] == {"refusal": "I can't do that."}
    assert last["metadata"]["extra"] == {"annotations": [{"url": "a"}, {"url": "b"}]}


def test_a_blank_thought_does_not_hide_another() -> None:
    reader = AnswerReader(streamed=False)
    delta = reader.feed(
        {"thought": ["real"], "choices": [{"message": {"content": "x", "thought": ""}}]}
    )
    assert delta["thought"] == "real"


def test_the_first_choice_counts_whatever_its_index() -> None:
    reader = AnswerReader(streamed=False)
    assert reader.feed({"choices": [{"index": -1, "message": {"content": "x"}}]})["text"] == "x"


def test_a_later_choice_adds_nothing() -> None:
    reader = AnswerReader(streamed=True)
    texts = [
        reader.feed({"choices": [{"index": at, "delta": {"content": text}}]})["text"]
        for at, text in ((0, "a"), (1, "x"), (0, "b"))
    ]
    assert texts == ["a", "", "b"]


def test_calls_of_a_whole_message_in_a_stream_are_whole() -> None:
    calls = [
        {"index": 0, "id": call_id, "function": {"name": "now", "arguments": ""}}
        for call_id in ("a", "b")
    ]
    message = streamed({"choices": [{"index": 0, "message": {"tool_calls": calls}}]})
    assert [(call["id"], call["name"]) for call in message.tool_calls] == [
        ("a", "now"),
        ("b", "now"),
    ]


def test_a_delta_has_the_state_of_a_plan_where_it_has_changed() -> None:
    reader = AnswerReader(streamed=True)
    states = [None, {"n": 1}, {"n": 1}, None, {"n": 2}]
    read = [reader.feed({"plan_state": state, **delta(content="a")}) for state in states]
    assert [one.get("plan_state") for one in read] == [None, {"n": 1}, None, None, {"n": 2}]
    assert ["plan_state" in one for one in read] == [False, True, False, False, True]


A_NEW_FIELD = """
import sys
from importlib.machinery import PathFinder

class Longer(PathFinder):
    \"\"\"Adds a line to the list of fields, as a developer would.\"\"\"

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if name == "langchain_asi_one._response.fields":
            read = spec.loader.get_source
            source = read(name).replace('LIST_FIELDS = (', 'LIST_FIELDS = ("tips", ')
            source = source.replace('VALUE_FIELDS = (', 'VALUE_FIELDS = ("mood", ')
            spec.loader.get_code = lambda _: compile(source, spec.origin, "exec")
        return spec

sys.meta_path.insert(0, Longer)
from langchain_asi_one._cli.ask import Endpoint, to_data
from langchain_asi_one.display import format_message
from tests.support.answers import read_body, read_stream

message = {"content": "x", "tips": ["Go by train"], "mood": {"is": "fine"}}
whole = read_body({"choices": [{"message": message}]})
assert whole == read_stream([{"choices": [{"delta": message}]}])
data = to_data(Endpoint("live", "https://a.example"), whole)
assert (data["tips"], data["mood"]) == (["Go by train"], {"is": "fine"})
assert {"tips", "mood"} <= {name for b in whole.content_blocks for name in b.get("value", ())}
shown = format_message(whole)
assert "Tips" in shown and "Go by train" in shown and "Mood" in shown and "fine" in shown, shown
"""


def test_a_new_response_field_is_one_line() -> None:
    """Both kinds: in the message, on cards and in `--json`."""
    done = run_script(A_NEW_FIELD, environ=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
