"""The ASGI side of a script; it stops when the client leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response

from langchain_asi_one.testing._responses import Cut, Pause, Script

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from langchain_asi_one.testing._connection import CountedConnection


class ScriptResponse(Response):
    """Sends a script, and stops when the client is gone."""

    def __init__(self, script: Script, connection: CountedConnection) -> None:
        super().__init__()
        self._script = script
        self._connection = connection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope  # the script is already decided
        gone = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            for step in self._script.before:
                if await self._wait_or_cut(step, gone):
                    return
            headers = [(k.encode(), v.encode()) for k, v in self._script.make_headers().items()]
            status = self._script.status
            await send({"type": "http.response.start", "status": status, "headers": headers})
            for part in self._script.steps:
                if isinstance(part, bytes):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
                    await asyncio.sleep(0)  # lets the loop notice that the client has gone
                    if gone.done():
                        return
                elif await self._wait_or_cut(part, gone):
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

    async def _wait_or_cut(self, step: Pause | Cut, gone: asyncio.Future[None]) -> bool:
        """Pause or cut. Return whether the client is gone."""
        if isinstance(step, Cut):
            self._connection.cut(reset=step.reset)
            await gone
            return True
        done, _ = await asyncio.wait({gone}, timeout=step.seconds)
        return bool(done)


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
