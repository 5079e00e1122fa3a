"""All wire generations give one shape, whichever way they come; see `made_up_answers.py`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_asi_one.testing import LocalASIOne, answer, stream
from tests.support.gated_server import GatedServer
from tests.support.made_up_answers import E3, MADE_UP, SESSION_ID
from tests.support.model import MakeModel
from tests.support.ways import WAYS, ask, assert_is

pytestmark = pytest.mark.filterwarnings(
    # Version 3 of events is announced as beta by LangChain.
    r"ignore:The method `BaseChatModel\..*_v3` is in beta"
)


@pytest.mark.parametrize("version", ["v0", "v1"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("generation", MADE_UP)
def test_one_shape(
    server: LocalASIOne,
    make_model: MakeModel,
    generation: str,
    way: str,
    version: str,
) -> None:
    made_up = MADE_UP[generation]
    server.enqueue(made_up.reply(way))
    fields = dict(made_up.message)
    if version == "v1" or "events" in way:
        # Events of version 3 give blocks whatever the model's output_version is.
        metadata = {**fields["response_metadata"], "output_version": "v1"}
        fields |= {"content": made_up.blocks, "response_metadata": metadata}

    message = ask(way, make_model(session_id=SESSION_ID, output_version=version))

    assert_is(message, AIMessage(**fields))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("generation", MADE_UP)
def test_content_blocks_are_those_of_version_1_in_each_version(
    server: LocalASIOne, make_model: MakeModel, generation: str, way: str
) -> None:
    made_up = MADE_UP[generation]
    for version in ("v0", "v1"):
        server.enqueue(made_up.reply(way))
        model = make_model(session_id=SESSION_ID, output_version=version)
        assert ask(way, model).content_blocks == made_up.blocks


# --- Blocks of a stream ---


@pytest.mark.parametrize("generation", MADE_UP)
def test_each_block_of_a_stream_has_an_index_of_its_own(
    server: LocalASIOne, make_model: MakeModel, generation: str
) -> None:
    chunks = MADE_UP[generation].chunks
    server.enqueue(stream(chunks), stream(chunks))
    model = make_model(output_version="v1")
    kinds: dict[Any, set[str]] = {}
    seen_in_order: list[Any] = []

    for chunk in model.stream("Hello"):
        indexes = [block["index"] for block in chunk.content if isinstance(block, dict)]
        assert len(set(indexes)) == len(indexes)
        assert all(isinstance(index, str) and index.startswith("lc_") for index in indexes)
        for block in chunk.content:
            assert isinstance(block, dict)
            kinds.setdefault(block["index"], set()).add(block["type"])
            seen_in_order.append(block["index"])

    assert all(len(kinds_of_index) == 1 for kinds_of_index in kinds.values())
    structured = [i for i in seen_in_order if i.split("_")[1] not in ("text", "thought", "tool")]
    assert len(set(structured)) == len(structured)  # told once a stream

    started = [e for e in model.stream_events("Hello", version="v3") if _event(e) == "start"]
    finished = [e["index"] for e in started]
    assert finished == list(range(len(MADE_UP[generation].blocks)))


def _event(event: Any) -> str:
    return str(event["event"]).removeprefix("content-block-")


def test_text_around_a_step_stays_one_block(server: LocalASIOne, make_model: MakeModel) -> None:
    def chunk(text: str, **top: Any) -> dict[str, Any]:
        return {"id": "1", "choices": [{"index": 0, "delta": {"content": text}}], **top}

    end = {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    chunks = [chunk("Before"), chunk("", intermediate_steps=["s1"]), chunk(" after"), end]
    for way in ("stream", "stream_events"):
        server.enqueue(stream(chunks))
        message = ask(way, make_model(output_version="v1"))
        assert message.content == [
            {"type": "text", "text": "Before after", "index": "lc_text"},
            {
                "type": "non_standard",
                "value": {"type": "intermediate_steps", "intermediate_steps": "s1"},
                "index": "lc_intermediate_steps_0",
            },
        ]


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_upstream_limit_an_invalid_call_stays_a_chunk_in_version_1(
    server: LocalASIOne, make_model: MakeModel, way: str
) -> None:
    # When langchain-core adds chunks up in version 1 it turns the blocks of valid calls into
    # `tool_call`, and leaves those of invalid ones as `tool_call_chunk`. Were that mended, this
    # test fails: then both must be `invalid_tool_call`, as `invoke` gives it.
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "length"}
    body = {"id": "1", "model": "asi1", "choices": [{**choice, "message": message}]}
    delta = {**message, "tool_calls": [{**call, "index": 0}]}
    server.enqueue(answer(body), stream([{**body, "choices": [{**choice, "delta": delta}]}]))
    model = make_model(session_id=SESSION_ID, output_version="v1")

    invoked, summed = ask("invoke", model), ask(way, model)

    assert [block["type"] for block in invoked.content] == ["invalid_tool_call"]
    assert [block["type"] for block in summed.content] == ["tool_call_chunk"]
    (sent,), (spoilt,) = invoked.invalid_tool_calls, summed.invalid_tool_calls
    assert (sent["args"], spoilt["args"]) == ('{"a": ', '{"a": ]')
    assert [c["name"] for c in invoked.invalid_tool_calls] == ["f"]
    assert summed.tool_calls == invoked.tool_calls == []
    whole, added = invoked.model_dump(exclude={"id"}), summed.model_dump(exclude={"id"})
    assert {k for k in whole if whole[k] != added[k]} == {"content", "invalid_tool_calls"}


# --- Thought arrives while the model thinks ---


@pytest.mark.parametrize("generation", MADE_UP)
def test_thought_arrives_before_the_answer_is_written(
    make_model: MakeModel, generation: str
) -> None:
    made_up = MADE_UP[generation]
    wire = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in made_up.chunks]

    def place(field: str) -> int:
        return next(n for n, chunk in enumerate(made_up.chunks) if field in str(chunk))

    thought = place(made_up.message["additional_kwargs"]["thought"].split()[0]) + 1
    text = place(made_up.message["content"].split()[0]) + 1
    assert thought < text < len(wire)
    parts = [wire[:thought], wire[thought:text], [*wire[text:], b"data: [DONE]\n\n"]]
    arrived: dict[str, int] = {}
    with GatedServer(*map(b"".join, parts)) as gated:
        for chunk in make_model(base_url=gated.base_url).stream("Hello"):
            held = {"thought": chunk.additional_kwargs.get("thought"), "text": chunk.text}
            for name, value in held.items():
                if value and name not in arrived:
                    arrived[name] = gated.sent
                    gated.release()
        assert not gated.timed_out
    # Each was there while the server had sent no more than up to it.
    assert arrived == {"thought": 1, "text": 2}


def test_pieces_of_a_call_are_blocks_while_it_is_streamed(
    server: LocalASIOne, make_model: MakeModel
) -> None:
    server.enqueue(stream(E3.chunks))
    pieces = [
        block
        for chunk in make_model(output_version="v1").stream("Hello")
        for block in chunk.content_blocks
        if block["type"] == "tool_call_chunk"
    ]
    assert "".join(piece["args"] or "" for piece in pieces) == '{"city": "Indore"}'
    assert {piece["index"] for piece in pieces} == {"lc_tool_call_0"}
