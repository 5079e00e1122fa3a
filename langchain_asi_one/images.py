"""`create_image_tool`: pictures from ASI:One, as a tool for models and graphs."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from langchain_core.messages.content import ImageContentBlock
from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from langchain_asi_one._request.fields import fit_name
from langchain_asi_one._request.session import make_session_id
from langchain_asi_one._response.images import read_images
from langchain_asi_one._transport.decoders import ProtocolError, excerpt, read_object
from langchain_asi_one._transport.request import ImageRequest
from langchain_asi_one.chat_models import ChatASIOne, preload_modules
from langchain_asi_one.errors import InvalidResponseError

__all__ = ["create_image_tool"]

ImageSize = Literal[
    "1024x1024",
    "1792x1024",
    "1024x1792",
    "1536x1024",
    "1024x1536",
    "512x512",
    "256x256",
    "auto",
]


class _Prompt(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        description="What the picture shows, and in which style."
    )


def create_image_tool(
    model: ChatASIOne | None = None,
    *,
    size: ImageSize = "1024x1024",
    name: str = "generate_image",
) -> BaseTool:
    """Return a tool that has ASI:One generate a picture from a text.

    Its result has two parts. The content is one sentence for the model, without picture data. The
    artifact is the picture as a standard content block of the type `image`, with `base64` and
    `mime_type`, or with the `url` that ASI:One sent. No address is fetched. `extras` of the block
    hold the other fields of the answer, and in `further_images` any further pictures.

    A request is sent once: each picture costs. So `max_retries` of the model does not apply.

    Args:
        model: A model with the key, address, timeout, headers and HTTP clients to use; its model
            name is sent too. By default `ChatASIOne()`.
        size: Width and height in pixels, or `auto`.
        name: Name of the tool, 1 to 64 letters, digits, `_` and `-`.

    Returns:
        The tool. Its only argument is `prompt`. It works sync and async.

    Raises:
        TypeError: If `model` is not a `ChatASIOne`.
        ValueError: If `size` or `name` is wrong, or there is no API key. The tool itself raises
            `ASIOneError` if a request fails.

    Source:
        The page on image generation and the API reference of 2025 (path, fields, sizes); an answer
        recorded in September 2026; further forms of answers that public clients read.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> from langchain_asi_one.testing import local_asi_one
        >>> with local_asi_one() as server:
        ...     tool = create_image_tool(ChatASIOne(base_url=server.base_url, api_key="any"))
        ...     call = {"type": "tool_call", "id": "1", "name": tool.name}
        ...     message = tool.invoke({**call, "args": {"prompt": "a fox"}})
        >>> message.content
        'Generated the picture (1024x1024, image/png) and attached it for the user.'
        >>> message.artifact["type"], message.artifact["mime_type"]
        ('image', 'image/png')
    """
    if size not in get_args(ImageSize):
        msg = f"size must be one of {', '.join(get_args(ImageSize))}, not {size!r}"
        raise ValueError(msg)
    if (fitted := fit_name(name)) != name:
        msg = f"{name!r} is not a tool name that ASI:One takes; {fitted!r} is one."
        raise ValueError(msg)
    if model is None:
        model = ChatASIOne()
    if not isinstance(model, ChatASIOne):
        msg = f"model must be a ChatASIOne, not {type(model).__name__}"
        raise TypeError(msg)

    # The tool shares the model's connections.

    def build_request(prompt: str) -> ImageRequest:
        body = {"prompt": prompt, "size": size, "model": model.model_name}
        return ImageRequest(model._make_settings(), body, make_session_id())  # noqa: SLF001 - see above

    def generate(prompt: str) -> tuple[str, ImageContentBlock]:
        client = model._completions  # noqa: SLF001 - see above
        return _to_result(client.create(build_request(prompt), _read), size)

    async def agenerate(prompt: str) -> tuple[str, ImageContentBlock]:
        await preload_modules()
        client = model._completions  # noqa: SLF001 - see above
        return _to_result(await client.acreate(build_request(prompt), _read), size)

    return StructuredTool.from_function(
        generate,
        agenerate,
        name=name,
        description="Generate a picture from a description of it, attached for the user.",
        args_schema=_Prompt,
        response_format="content_and_artifact",
    )


def _read(content: bytes, content_type: str) -> list[ImageContentBlock]:
    body = read_object(content, content_type)
    try:
        return read_images(body)
    except ValueError as reason:
        message = f"ASI:One's answer is not usable, for {reason}: {excerpt(body)}"
    raise ProtocolError(InvalidResponseError, message, body=body)


def _to_result(images: list[ImageContentBlock], size: str) -> tuple[str, ImageContentBlock]:
    image, *further = images
    if further:
        image["extras"] = {**image.get("extras", {}), "further_images": further}
    kind = image.get("mime_type", "by its address")
    return f"Generated the picture ({size}, {kind}) and attached it for the user.", image
