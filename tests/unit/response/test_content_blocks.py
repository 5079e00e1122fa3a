"""Messages of ASI:One are shown as LangChain's standard blocks, whole or in chunks."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_asi_one._response.content_blocks import MODEL_PROVIDER

PROVIDER = {"model_provider": MODEL_PROVIDER}


def test_a_message_is_shown_in_the_order_in_which_it_came_about() -> None:
    record = {"id": "t1", "tool_name": "web_search", "args": {"q": "x"}, "result": [1]}
    message = AIMessage(
        "Hi",
        additional_kwargs={
            "thought": "Hm.",
            "server_tool_calls": [record],
            "plan_state": {"n": 1},
            "executable_data": [{"name": "a"}, {"name": "b"}],
        },
        tool_calls=[{"name": "look", "args": {"a": 1}, "id": "c1"}],
        invalid_tool_calls=[{"name": "look", "args": "{]", "id": "c2", "error": None}],
        response_metadata=PROVIDER,
    )

    def other(name: str, item: Any, number: int = 0) -> dict[str, Any]:
        value = {"type": name, name: item}
        return {"type": "non_standard", "value": value, "index": f"lc_{name}_{number}"}

    blocks: list[Any] = [*message.content_blocks]
    assert blocks == [
        {"type": "reasoning", "reasoning": "Hm.", "index": "lc_thought"},
        {"type": "text", "text": "Hi", "index": "lc_text"},
        {"type": "tool_call", "id": "c1", "name": "look", "args": {"a": 1}},
        {"type": "invalid_tool_call", "id": "c2", "name": "look", "args": "{]", "error": None},
        {
            "type": "server_tool_call",
            "id": "t1",
            "name": "web_search",
            "args": {"q": "x"},
            "index": "lc_server_tool_call_0",
        },
        {
            "type": "server_tool_result",
            "tool_call_id": "t1",
            "status": "success",
            "output": [1],
            "index": "lc_server_tool_result_0",
        },
        other("executable_data", {"name": "a"}),
        other("executable_data", {"name": "b"}, 1),
        other("plan_state", {"n": 1}),
    ]


def test_records_without_a_form_are_shown_as_calls() -> None:
    records = ["text", {"tool_name": "a", "args": 5}]
    message = AIMessage(
        "", additional_kwargs={"server_tool_calls": records}, response_metadata=PROVIDER
    )
    assert [(b["type"], b["id"], b["name"], b["args"]) for b in message.content_blocks] == [  # type: ignore[typeddict-item]
        ("server_tool_call", "server_tool_call_0", "", {"args": None}),
        ("server_tool_call", "server_tool_call_1", "a", {"args": 5}),
    ]


def test_pieces_of_a_call_are_shown_as_pieces_until_the_stream_has_ended() -> None:
    def chunk(**fields: Any) -> AIMessageChunk:
        call: Any = {"index": 0, "type": "tool_call_chunk", "args": "", "id": None, "name": None}
        call |= fields
        return AIMessageChunk(content="", tool_call_chunks=[call], response_metadata=PROVIDER)

    begin, end = chunk(name="look", id="c1", args="{"), chunk(args="}")
    end.chunk_position = "last"
    for piece in (begin, end):
        (block,) = piece.content_blocks
        assert (block["type"], block["index"]) == ("tool_call_chunk", "lc_tool_call_0")
    (block,) = (begin + end).content_blocks
    assert (block["type"], block["args"]) == ("tool_call", {})  # type: ignore[typeddict-item]


def test_a_piece_of_a_call_that_was_made_without_a_type_has_one() -> None:
    call: Any = {"index": 0, "args": "{", "id": None, "name": None}
    chunk = AIMessageChunk(content="", tool_call_chunks=[call], response_metadata=PROVIDER)
    [block] = chunk.content_blocks
    assert block["type"] == "tool_call_chunk"
