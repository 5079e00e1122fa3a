"""Conversations are sent in the documented form, whoever wrote their messages."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_asi_one import ChatASIOne
from langchain_asi_one._json.safe import make_json_safe
from langchain_asi_one._request.messages import convert_messages
from langchain_asi_one.testing import LocalASIOne
from tests.support.examples import examples
from tests.support.model import MakeModel

URL = "https://example.com/a.png"
DATA_URL = "data:image/png;base64,aGk="
CALL = {"name": "look", "args": {"city": "Zürich"}, "id": "c1", "type": "tool_call"}
INVALID = {"name": "look", "args": '{"city": "Z"]', "id": "c1", "error": "cut off"}
WIRE_CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "look", "arguments": '{"city": "Zürich"}'},
}


def sent(message: BaseMessage) -> dict[str, Any]:
    (wire,) = convert_messages([message])
    return wire


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (SystemMessage("Be brief."), {"role": "system", "content": "Be brief."}),
        (HumanMessage("Hi"), {"role": "user", "content": "Hi"}),
        (HumanMessage("Hi", name="bob"), {"role": "user", "name": "bob", "content": "Hi"}),
        (HumanMessage(""), {"role": "user", "content": ""}),
        (AIMessage("Yes"), {"role": "assistant", "content": "Yes"}),
        (AIMessage("Yes", name="al"), {"role": "assistant", "name": "al", "content": "Yes"}),
        (AIMessage(""), {"role": "assistant", "content": ""}),
        (AIMessageChunk(content="Ye"), {"role": "assistant", "content": "Ye"}),
        (
            ToolMessage("12°", tool_call_id="c1", name="look"),
            {"role": "tool", "tool_call_id": "c1", "content": "12°"},
        ),
        (ChatMessage(role="user", content="Hi"), {"role": "user", "content": "Hi"}),
        (ChatMessage(role="human", content="Hi"), {"role": "user", "content": "Hi"}),
        (ChatMessage(role="ai", content="Hi"), {"role": "assistant", "content": "Hi"}),
        (ChatMessage(role="developer", content="Hi"), {"role": "system", "content": "Hi"}),
        (
            SystemMessage("Hi", additional_kwargs={"__openai_role__": "developer"}),
            {"role": "system", "content": "Hi"},
        ),
    ],
)
def test_each_kind_of_message(message: BaseMessage, wire: dict[str, Any]) -> None:
    assert sent(message) == wire


def test_blocks_of_text_alone_become_a_string() -> None:
    blocks: list[str | dict[Any, Any]] = [
        "a",
        {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}},
    ]
    for message in (HumanMessage(blocks), SystemMessage(blocks), AIMessage(blocks)):
        assert sent(message)["content"] == "ab"
    assert sent(HumanMessage([])) == {"role": "user", "content": ""}


@pytest.mark.parametrize(
    ("block", "image"),
    [
        ({"type": "image_url", "image_url": {"url": URL, "detail": "low"}}, None),
        ({"type": "image_url", "image_url": URL}, {"type": "image_url", "image_url": URL}),
        ({"type": "image", "url": URL, "id": "i1", "index": 0}, URL),
        ({"type": "image", "base64": "aGk=", "mime_type": "image/png"}, DATA_URL),
        ({"type": "image", "source_type": "url", "url": URL}, URL),
        (
            {
                "type": "image",
                "source_type": "base64",
                "data": "aGk=",
                "mime_type": "image/png",
            },
            DATA_URL,
        ),
        ({"type": "image", "source": {"type": "url", "url": URL}}, URL),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
            },
            DATA_URL,
        ),
    ],
)
def test_images_of_every_convention(block: dict[str, Any], image: Any) -> None:
    if isinstance(image, str):
        image = {"type": "image_url", "image_url": {"url": image}}
    text = {"type": "text", "text": "What is it?"}
    assert sent(HumanMessage([text, block])) == {"role": "user", "content": [text, image or block]}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"},
        {"type": "file", "file_id": "f1"},
        {"type": "image", "file_id": "f1"},
        {"type": "image", "base64": "aGk="},
        {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        {"type": "image"},
        {"type": "image_url"},
        {"type": "text"},
        {"type": "text", "text": None},
        {"type": "reasoning", "reasoning": "r"},
        {"text": "no type"},
    ],
)
def test_blocks_that_cannot_be_sent_are_refused_by_name(block: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="HumanMessage holds a content block of type") as caught:
        sent(HumanMessage([block]))
    assert repr(block.get("type")) in str(caught.value)
    assert "aGk=" not in str(caught.value)


@pytest.mark.parametrize(
    "message", [FunctionMessage(name="look", content="x"), RemoveMessage(id="1")]
)
def test_messages_that_cannot_be_sent_are_refused_by_name(message: BaseMessage) -> None:
    with pytest.raises(ValueError, match=f"got {type(message).__name__}"):
        sent(message)


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        ("", ""),
        ("12°", "12°"),
        ([], ""),
        (["a", "b"], "a\nb"),
        ([{"type": "text", "text": "a"}, "b"], "a\nb"),
        ([{"type": "text", "text": None}], '[{"type": "text", "text": null}]'),
        ([{"°": [1, None]}], '[{"°": [1, null]}]'),
        (
            [{"type": "json", "json": {"x": float("nan"), "d": date(2026, 1, 2)}}],
            '[{"type": "json", "json": {"x": null, "d": "2026-01-02"}}]',
        ),
        ([{"type": "text-plain", "text": "a", "mime_type": "text/plain"}, "b"], "a\nb"),
        (
            [{"type": "document", "source": {"type": "text", "data": "a"}}],
            '[{"type": "document", "source": {"type": "text", "data": "a"}}]',
        ),
    ],
)
@pytest.mark.parametrize("status", ["success", "error"])
def test_a_tool_result_is_a_string(content: Any, wire: str, status: Any) -> None:
    message = ToolMessage(content, tool_call_id="c1", status=status, artifact=object())
    assert sent(message) == {"role": "tool", "tool_call_id": "c1", "content": wire}


IMAGES = [
    {"type": "image", "base64": "aGk=", "mime_type": "image/png"},
    {"type": "image_url", "image_url": {"url": DATA_URL}},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
]


@pytest.mark.parametrize("block", IMAGES)
def test_an_image_of_a_tool_follows_the_results(block: dict[str, Any]) -> None:
    # https://github.com/danny-avila/LibreChat/issues/5509
    calls = AIMessage("", tool_calls=[CALL, {**CALL, "id": "c2"}])
    result = ToolMessage([{"type": "text", "text": "Here:"}, block], tool_call_id="c1")
    other = ToolMessage("12°", tool_call_id="c2")
    question = HumanMessage("Well?")
    wire = convert_messages([calls, result, other, question])
    note = "Here:\n[image: see the user message after the tool results]"
    assert wire[1:] == [
        {"role": "tool", "tool_call_id": "c1", "content": note},
        {"role": "tool", "tool_call_id": "c2", "content": "12°"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "From the result of tool call c1:"},
                {"type": "image_url", "image_url": {"url": DATA_URL}},
            ],
        },
        {"role": "user", "content": "Well?"},
    ]
    assert convert_messages([calls, result, other]) == wire[:-1]


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ({"type": "file", "base64": "aGk=", "mime_type": "application/pdf"}, "application/pdf"),
        ({"type": "audio", "base64": "aGk=", "mime_type": "audio/wav"}, "audio/wav"),
        ({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}, "input_audio"),
        ({"type": "media", "data": "aGk=", "mime_type": "video/mp4"}, "video/mp4"),
        ({"type": "text-plain", "base64": "aGk=", "mime_type": "text/plain"}, "text/plain"),
        ({"type": "image", "file_id": "f1"}, "image"),
        ({"type": "document", "source": {"type": "base64", "data": "aGk="}}, "document"),
    ],
)
@pytest.mark.parametrize("beside", [[], [{"type": "json", "json": 1}]])
def test_other_media_of_a_tool_become_a_note(
    block: dict[str, Any], kind: str, beside: list[Any]
) -> None:
    content = sent(ToolMessage([*beside, block], tool_call_id="c1"))["content"]
    assert f"[{kind}: not sent, as ASI:One takes text and images only]" in content
    assert "aGk=" not in content


BASE64 = "iVBORw0KGgo" * 1000


@pytest.mark.parametrize(
    "block",
    [
        {"type": "resource", "resource": {"uri": "file:///a.pdf", "blob": BASE64}},
        {"type": "tool_result", "content": [{"type": "file", "base64": BASE64, "mime_type": "x"}]},
        {"inline_data": {"mime_type": "image/png", "data": BASE64}},
        {"image": {"format": "png", "source": {"bytes": BASE64.encode()}}},
        {"type": "json", "json": {"page": {"shot": f"data:image/png;base64,{BASE64}"}}},
        {"type": "json", "json": "\n".join([BASE64[:76]] * 100)},
    ],
)
def test_data_within_a_block_of_a_tool_is_no_text(block: dict[str, Any]) -> None:
    # https://github.com/danny-avila/LibreChat/issues/5509, and the blocks of other providers
    content = sent(ToolMessage([{"type": "text", "text": "Here:"}, block], tool_call_id="c1"))
    assert len(content["content"]) < 300
    assert "not sent" in content["content"]
    assert "Here:" in content["content"]


def test_an_image_within_a_block_of_a_tool_follows_too() -> None:
    nested = {"type": "tool_result", "content": [IMAGES[0]]}
    result, images = convert_messages([ToolMessage([nested], tool_call_id="c1")])
    assert "[image: see the user message after the tool results]" in result["content"]
    assert images["content"][1] == {"type": "image_url", "image_url": {"url": DATA_URL}}


def test_long_text_within_a_block_of_a_tool_is_text() -> None:
    texts = ["word " * 1000, "word\n" * 1000, f"The key is {BASE64}", "{}" * 1000]
    result = ToolMessage([{"type": "json", "json": texts}], tool_call_id="c1")
    assert json.loads(sent(result)["content"]) == [{"type": "json", "json": texts}]


@pytest.mark.no_cover
def test_text_that_looks_like_data_at_first_is_read_once() -> None:
    text = "A" * 1_060 + "\n" * 100_000 + "!"
    start = time.process_time()
    content = sent(ToolMessage([{"type": "json", "json": text}], tool_call_id="c1"))["content"]
    assert time.process_time() - start < 2  # each beginning tried again: a minute and more
    assert json.loads(content) == [{"type": "json", "json": text}]


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("Research Expert", "Research_Expert"),
        ("functions.look_up", "functions_look_up"),
        ("look up!", "look_up"),
        ("x" * 70, "x" * 64),
        ("研究", None),
        ("", None),
    ],
)
def test_names_are_such_as_the_api_takes(name: str, wire: str | None) -> None:
    # https://github.com/langchain-ai/langgraph/issues/248
    for message in (HumanMessage("Hi", name=name), AIMessage("Hi", name=name)):
        assert sent(message).get("name") == wire
    called = sent(AIMessage("", tool_calls=[{**CALL, "name": name}]))
    assert called["tool_calls"][0]["function"]["name"] == (wire or "unknown")


def test_a_refused_turn_goes_back_as_text() -> None:
    refusal = "I cannot help with that."
    wire = {"role": "assistant", "content": refusal}
    assert sent(AIMessage("", additional_kwargs={"refusal": refusal})) == wire
    assert sent(AIMessage([{"type": "refusal", "refusal": refusal}])) == wire


def test_plain_text_blocks_are_text() -> None:
    block: dict[str, Any] = {"type": "text-plain", "text": "Notes.", "mime_type": "text/plain"}
    assert sent(HumanMessage([block])) == {"role": "user", "content": "Notes."}


def test_an_artifact_is_not_sent() -> None:
    message = ToolMessage(
        "x", tool_call_id="c1", artifact={"secret": 1}, additional_kwargs={"k": 1}
    )
    assert sent(message) == {"role": "tool", "tool_call_id": "c1", "content": "x"}


def test_a_turn_with_calls() -> None:
    calls = [CALL, {**CALL, "id": "c2", "args": {}}]
    second = {**WIRE_CALL, "id": "c2", "function": {"name": "look", "arguments": "{}"}}
    assert sent(AIMessage("", tool_calls=calls)) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [WIRE_CALL, second],
    }
    assert sent(AIMessage("I look.", tool_calls=[CALL])) == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [WIRE_CALL],
    }


def test_arguments_are_json_whatever_they_hold() -> None:
    args = {"x": float("nan"), "y": float("inf"), "d": date(2026, 1, 2), "n": 2**70}
    wire = sent(AIMessage("", tool_calls=[{**CALL, "args": args}]))
    arguments = wire["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"x": None, "y": None, "d": "2026-01-02", "n": str(2**70)}


def test_an_invalid_call_is_sent_only_with_its_answer() -> None:
    message = AIMessage("Hm", invalid_tool_calls=[INVALID])
    assert sent(message) == {"role": "assistant", "content": "Hm"}
    answer = ToolMessage("Not JSON.", tool_call_id="c1", status="error")
    wire, result = convert_messages([message, answer])
    (call,) = wire.pop("tool_calls")
    arguments = json.loads(call["function"].pop("arguments"))
    assert wire == {"role": "assistant", "content": "Hm"}
    assert call == {"id": "c1", "type": "function", "function": {"name": "look"}}
    assert arguments == {"invalid_arguments": INVALID["args"]}
    assert result == {"role": "tool", "tool_call_id": "c1", "content": "Not JSON."}


@pytest.mark.parametrize("name", [None, ""])
def test_an_invalid_call_without_a_name_still_has_one_on_the_wire(name: str | None) -> None:
    call: Any = {**INVALID, "name": name, "args": None}
    wire = convert_messages(
        [AIMessage("", invalid_tool_calls=[call]), ToolMessage("No.", tool_call_id="c1")]
    )[0]
    assert wire["tool_calls"][0]["function"] == {"name": "unknown", "arguments": "{}"}


def test_extras_of_ours_are_never_sent() -> None:
    extras = {
        "thought": "T",
        "intermediate_steps": [{"s": 1}],
        "executable_data": [{"e": 1}],
        "server_tool_calls": [{"id": "s"}],
        "plan_state": {"p": 1},
        "refusal": "no",
    }
    metadata = {"model_provider": "asi-one", "session_id": "s", "extra": {"x": 1}}
    message = AIMessage("Yes", additional_kwargs=extras, response_metadata=metadata, id="r1")
    assert sent(message) == {"role": "assistant", "content": "Yes"}
    v1 = AIMessage(
        content_blocks=message.content_blocks, response_metadata={"output_version": "v1"}
    )
    assert {block["type"] for block in v1.content_blocks} >= {"reasoning", "non_standard"}
    assert sent(v1) == {"role": "assistant", "content": "Yes"}


OTHERS: dict[str, AIMessage] = {
    "Anthropic": AIMessage(
        [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "c1", "name": "look", "input": {"city": "Zürich"}},
        ],
        tool_calls=[CALL],
        response_metadata={"model_provider": "anthropic"},
    ),
    "OpenAI": AIMessage(
        "I look.",
        additional_kwargs={"tool_calls": [WIRE_CALL], "refusal": None},
        response_metadata={"model_provider": "openai"},
    ),
    "OpenAI responses": AIMessage(
        [
            {"type": "reasoning", "summary": [], "id": "rs_1"},
            {"type": "text", "text": "I look.", "annotations": []},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        ],
        tool_calls=[CALL],
        response_metadata={"model_provider": "openai"},
    ),
    "v1": AIMessage(
        content_blocks=[
            {"type": "reasoning", "reasoning": "hm"},
            {"type": "text", "text": "I "},
            {"type": "text", "text": "look."},
            {"type": "server_tool_call", "id": "s", "name": "web", "args": {}},
            {"type": "server_tool_result", "tool_call_id": "s", "status": "success"},
            {"type": "non_standard", "value": {"x": 1}},
            {"type": "tool_call", "id": "c1", "name": "look", "args": {"city": "Zürich"}},
        ]
    ),
}


@pytest.mark.parametrize("provider", OTHERS)
def test_turns_of_other_providers(provider: str) -> None:
    assert sent(OTHERS[provider]) == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [WIRE_CALL],
    }


def test_half_a_character_is_not_sent() -> None:
    assert sent(HumanMessage("a\ud83d b\0"))["content"] == "a\ufffd b"


@pytest.mark.parametrize("provider", OTHERS)
@pytest.mark.parametrize("streaming", [False, True])
def test_a_whole_conversation_is_accepted(
    make_model: MakeModel, server: LocalASIOne, provider: str, streaming: bool
) -> None:
    messages = [
        SystemMessage("Be brief."),
        HumanMessage("Look at it.", name="bob"),
        OTHERS[provider],
        ToolMessage([{"type": "text", "text": "12°"}], tool_call_id="c1"),
        AIMessage("", invalid_tool_calls=[{**INVALID, "id": "c9"}]),
        ToolMessage("Not JSON.", tool_call_id="c9", status="error"),
        AIMessage("Twelve.", additional_kwargs={"thought": "T", "executable_data": [{}]}),
        HumanMessage(
            [
                {"type": "text", "text": "And this?\ud800"},
                {"type": "image", "url": URL},
            ]
        ),
    ]
    message = make_model(streaming=streaming).invoke(messages)
    assert 'You said: "And this?\ufffd"' in message.text
    (request,) = server.requests
    assert request.body["messages"] == convert_messages(messages)
    roles = " ".join(wire["role"] for wire in request.body["messages"])
    assert roles == "system user assistant tool assistant tool assistant user"
    assert b"NaN" not in request.raw
    assert b"thought" not in request.raw


def test_an_answer_goes_back_as_it_came(model: ChatASIOne, server: LocalASIOne) -> None:
    asked = HumanMessage("Find an agent for the weather")
    first = model.invoke([asked], web_search=True)
    assert {"thought", "executable_data", "server_tool_calls"} <= set(first.additional_kwargs)
    model.invoke([asked, first, HumanMessage("Thanks")])
    assert server.requests[-1].body["messages"] == [
        {"role": "user", "content": "Find an agent for the weather"},
        {"role": "assistant", "content": first.text},
        {"role": "user", "content": "Thanks"},
    ]


HOSTILE = st.text(st.sampled_from('aé\0\ud83d\ude00\ud800"\\\n'), max_size=6)
ARGUMENTS = st.dictionaries(
    HOSTILE, HOSTILE | st.sampled_from([2**70, float("nan"), 1.5, None, [2**64]]), max_size=3
)
BLOCKS = st.lists(
    HOSTILE
    | st.builds(lambda text: {"type": "text", "text": text}, HOSTILE)
    | st.builds(
        lambda path: {"type": "image_url", "image_url": {"url": f"https://a.example/{path}"}},
        HOSTILE,
    ),
    max_size=3,
)
CALLS = st.builds(
    lambda name, args, call_id: {"name": name, "args": args, "id": call_id, "type": "tool_call"},
    HOSTILE,
    ARGUMENTS,
    HOSTILE | st.none(),
)
BAD_CALLS = st.builds(
    lambda args: {"name": None, "args": args, "id": "c1", "error": None},
    st.none() | HOSTILE | st.sampled_from(["{}", '{"a": "\0"}', '{"a": "\ud800"}', "[1]"]),
)
CONVERSATION = st.lists(
    st.one_of(
        st.builds(
            lambda c, name: HumanMessage(c, name=name), HOSTILE | BLOCKS, HOSTILE | st.none()
        ),
        st.builds(SystemMessage, HOSTILE),
        st.builds(
            lambda content, calls, bad: AIMessage(
                content, tool_calls=calls, invalid_tool_calls=bad, additional_kwargs={"x": [1]}
            ),
            HOSTILE,
            st.lists(CALLS, max_size=2),
            st.lists(BAD_CALLS, max_size=1),
        ),
        st.builds(lambda c, i: ToolMessage(c, tool_call_id=i), HOSTILE | BLOCKS, HOSTILE),
        st.builds(lambda c: ToolMessage(c, tool_call_id="c1"), HOSTILE),
        st.builds(lambda c, r: ChatMessage(content=c, role=r), HOSTILE, HOSTILE),
    ),
    max_size=4,
)


def containers(value: object) -> Iterator[object]:
    """Every list and dict in a value."""
    if isinstance(value, (dict, list)):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from containers(child)


@examples(120)
@given(CONVERSATION)
def test_whatever_is_said_is_sent_safe_and_left_as_it_was(said: list[BaseMessage]) -> None:
    before = copy.deepcopy(said)
    wire = convert_messages(said)
    assert wire == make_json_safe(wire)
    json.dumps(wire, allow_nan=False, ensure_ascii=False).encode()
    for message in wire:
        for call in message.get("tool_calls", []):
            assert json.dumps(make_json_safe(json.loads(call["function"]["arguments"])))
    kept = {id(part) for message in said for part in containers(vars(message))}
    assert not [part for part in containers(wire) if id(part) in kept]
    assert repr(said) == repr(before)
    assert convert_messages(said) == wire


@pytest.mark.parametrize("address", ["/home/ada/cat.png", "cat.png", "file:///home/ada/cat.png"])
@pytest.mark.parametrize("form", ["image", "image_url", "source"])
def test_a_file_of_this_machine_is_no_address(address: str, form: str) -> None:
    block: Any = {
        "image": {"type": "image", "url": address},
        "image_url": {"type": "image_url", "image_url": {"url": address}},
        "source": {"type": "image", "source": {"type": "url", "url": address}},
    }[form]
    with pytest.raises(ValueError, match=r"begins with https://.*base64"):
        convert_messages([HumanMessage([block])])
