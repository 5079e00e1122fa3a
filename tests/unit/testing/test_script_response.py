"""A script as ASGI messages."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from starlette.types import Message

from langchain_asi_one.testing._connection import CountedConnection
from langchain_asi_one.testing._responses import Pause, Script, make_response, make_stream
from langchain_asi_one.testing._script_response import ScriptResponse


async def play(script: Script, *, leaves_after: int | None = None) -> list[Message]:
    """Return the messages of a script; the client leaves after a number of them."""
    sent: list[Message] = []
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == leaves_after:
            gone.set()
            await asyncio.sleep(0)

    # Only a cut uses the connection.
    response = ScriptResponse(script, cast("CountedConnection", None))
    await response(cast("Any", {}), receive, send)
    return sent


async def test_a_body_is_sent_in_its_pieces_and_ended() -> None:
    start, *parts = await play(make_stream([b"one", Pause(0), b"two"], status=201))
    assert (start["type"], start["status"]) == ("http.response.start", 201)
    assert (b"content-type", b"text/event-stream") in start["headers"]
    assert [(part["body"], part["more_body"]) for part in parts] == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]


async def test_a_sized_body_declares_its_length() -> None:
    start, *_ = await play(make_response({"a": 1}))
    assert (b"content-length", b"7") in start["headers"]


async def test_nothing_is_sent_to_a_client_that_has_left() -> None:
    pieces = [b"%d" % number for number in range(100)]
    sent = await play(make_stream(pieces), leaves_after=3)
    assert len(sent) < 10


async def test_a_pause_ends_when_the_client_leaves() -> None:
    sent = await play(make_stream([b"one", Pause(3600), b"two"]), leaves_after=2)
    assert [message.get("body") for message in sent] == [None, b"one"]
