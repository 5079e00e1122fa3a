"""The image tool over a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import BaseTool

from langchain_asi_one import ChatASIOne
from langchain_asi_one.errors import (
    ASIOneAuthenticationError,
    ASIOneError,
    ASIOneNotFoundError,
    ASIOneRateLimitError,
    ASIOneServerError,
    ASIOneTimeoutError,
    InvalidResponseError,
)
from langchain_asi_one.images import create_image_tool
from langchain_asi_one.testing import LocalASIOne, fault, raw
from tests.support.model import API_KEY, MakeModel
from tests.support.patience import FOREVER

PROMPT = "a fox at dawn"
URL = "https://cdn.example.org/fox.png"


def call(tool: BaseTool, prompt: str = PROMPT) -> dict[str, Any]:
    return {"name": tool.name, "args": {"prompt": prompt}, "id": "call_1", "type": "tool_call"}


def run(tool: BaseTool, is_async: bool, prompt: str = PROMPT) -> ToolMessage:
    called = call(tool, prompt)
    message = asyncio.run(tool.ainvoke(called)) if is_async else tool.invoke(called)
    assert isinstance(message, ToolMessage)
    return message


@pytest.mark.parametrize("is_async", [False, True])
def test_a_picture_is_a_block_in_the_artifact(
    is_async: bool, make_model: MakeModel, server: LocalASIOne
) -> None:
    tool = create_image_tool(make_model(model="asi1-mini"), size="512x512")
    message = run(tool, is_async)
    assert (
        message.content
        == "Generated the picture (512x512, image/png) and attached it for the user."
    )
    assert (message.tool_call_id, message.status) == ("call_1", "success")
    block = message.artifact
    assert (block["type"], block["mime_type"]) == ("image", "image/png")
    assert struct.unpack(">II", base64.b64decode(block["base64"])[16:24]) == (512, 512)
    assert block["extras"]["revised_prompt"] == f"[local stand-in] {PROMPT}"
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/image/generate")
    assert request.body == {"prompt": PROMPT, "size": "512x512", "model": "asi1-mini"}
    assert request.authorized


def test_an_address_is_returned_and_not_fetched(model: ChatASIOne, server: LocalASIOne) -> None:
    own = f"{server.base_url}/fox.png"
    server.enqueue(raw(json.dumps({"data": [{"url": own}, {"url": URL}]}).encode()))
    message = run(create_image_tool(model), False)
    assert message.content == (
        "Generated the picture (1024x1024, by its address) and attached it for the user."
    )
    assert (message.artifact["type"], message.artifact["url"]) == ("image", own)
    (further,) = message.artifact["extras"]["further_images"]
    assert further["url"] == URL
    assert len(server.requests) == 1


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("name", "options", "error"),
    [
        ("http_500", {}, ASIOneServerError),
        ("http_429", {"retry_after": "0"}, ASIOneRateLimitError),
        ("http_401", {}, ASIOneAuthenticationError),
        ("http_404", {}, ASIOneNotFoundError),
        ("stall_before_headers", {"seconds": FOREVER}, ASIOneTimeoutError),
        ("close_before_reply", {}, ASIOneError),
        ("error_in_200", {}, ASIOneError),
        ("html_200", {}, InvalidResponseError),
        ("json_for_stream", {}, InvalidResponseError),
        ("echo_key", {}, ASIOneAuthenticationError),
    ],
)
def test_a_failure_is_an_error_as_everywhere_and_is_not_sent_again(
    name: str,
    options: dict[str, Any],
    error: type[ASIOneError],
    is_async: bool,
    make_model: MakeModel,
    server: LocalASIOne,
) -> None:
    server.enqueue(fault(name, **options))
    tool = create_image_tool(make_model(max_retries=2, timeout=1))
    with pytest.raises(error) as caught:
        run(tool, is_async)
    assert len(server.requests) == 1
    assert caught.value.info.url == f"{server.base_url}/image/generate"
    assert caught.value.session_id == server.requests[0].session_id
    assert API_KEY not in f"{caught.value}{caught.value.info}"
    assert "does not end in '/v1'" not in str(caught.value)


def test_an_answer_without_a_picture_is_named(model: ChatASIOne, server: LocalASIOne) -> None:
    server.enqueue(raw(b'{"status": 0, "message": "No credits"}'))
    with pytest.raises(InvalidResponseError, match=r"it holds no picture.*No credits"):
        run(create_image_tool(model), False)


@pytest.mark.parametrize("prompt", ["", "  ", None, 3])
def test_a_prompt_is_a_text(prompt: Any, model: ChatASIOne, server: LocalASIOne) -> None:
    with pytest.raises(ValueError, match="prompt"):
        run(create_image_tool(model), False, prompt)
    assert server.requests == []


def test_what_is_wrong_is_refused_early(model: ChatASIOne) -> None:
    with pytest.raises(ValueError, match=r"size must be one of 1024x1024, .*, not '10x10'"):
        create_image_tool(model, size="10x10")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'make image' is not a tool name that ASI:One"):
        create_image_tool(model, name="make image")
    with pytest.raises(TypeError, match="model must be a ChatASIOne, not FollowUpBinding"):
        create_image_tool(model.bind(stop=["x"]))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="ASI_ONE_API_KEY"):
        create_image_tool()


def test_without_a_model_the_environment_decides(
    server: LocalASIOne, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASI_ONE_API_KEY", API_KEY)
    monkeypatch.setenv("ASI_ONE_BASE_URL", server.base_url)
    run(create_image_tool(), False)
    assert server.requests[0].body["model"] == "asi1"


def test_a_model_calls_it_and_never_gets_the_picture(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    agent = create_agent(model, [create_image_tool(model, name="draw")])
    state = agent.invoke({"messages": [HumanMessage("Please draw 'a fox'")]})
    drawn = next(one for one in state["messages"] if isinstance(one, ToolMessage))
    assert drawn.artifact["mime_type"] == "image/png"
    assert [request.path.rpartition("/v1/")[2] for request in server.requests] == [
        "chat/completions",
        "image/generate",
        "chat/completions",
    ]
    assert server.requests[1].body["prompt"] == "a fox"
    assert len(server.requests[2].raw) < 2000
    assert "Generated the picture" in state["messages"][-1].text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": "a fox", "n": 1}, "n"),
        ({"prompt": "a fox", "size": ""}, "size"),
        ({"prompt": "a fox", "size": "10x10"}, "size"),
        ({"prompt": "a fox", "size": ["auto"]}, "size"),
        ({"prompt": "a fox", "model": "dall-e-3"}, "model"),
    ],
)
def test_the_stand_in_takes_documented_fields_only(
    body: dict[str, Any], param: str, server: LocalASIOne
) -> None:
    import httpx

    response = httpx.post(
        f"{server.base_url}/image/generate",
        json=body,
        headers={"authorization": "Bearer any"},
        trust_env=False,
    )
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
