"""Our mailbox on Agentverse, read while a question is open."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import struct
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from secrets import token_bytes
from typing import Any, Final

import httpx
from pydantic import SecretStr
from uagents_core.identity import Identity

from langchain_asi_one.agents._almanac import TOO_LARGE, ask_agentverse, make_error
from langchain_asi_one.agents._endpoints import Response
from langchain_asi_one.agents._envelope import CHAT_PROTOCOL
from langchain_asi_one.agents._errors import AgentError, AgentErrorInfo
from langchain_asi_one.agents._inbox import Inbox, Letter

logger = logging.getLogger(__name__)

_PAGE: Final = 100
_MAX_REQUESTS: Final = 200  # of one poll: 20,000 letters
_TOKEN_SECONDS: Final = 600
_RENEWED_BEFORE: Final = 60
_CLOCKS: Final = 30  # seconds of difference that a token outlives
_REQUEST_SECONDS: Final = 30.0
_LONGEST_WAIT: Final = 60.0  # seconds that a server can hold up the polls
_AT_ONCE: Final = 8
_EMPTY: Final = Response(200, httpx.Headers(), b"[]")
_UUID: Final = re.compile(r"[0-9A-Fa-f-]{32,36}")


def sign_token(identity: Identity, start: int, end: int, nonce: bytes) -> str:
    """Make a token for the mailbox of an identity.

    Args:
        identity: The identity; its key signs.
        start: Seconds since 1970 from which it counts.
        end: Seconds since 1970 until which it counts.
        nonce: 32 random bytes.

    Source:
        `uagents_core.storage.compute_attestation`: key (33 bytes), start and end (8 each), nonce.
    """
    payload = bytes.fromhex(identity.pub_key) + struct.pack(">QQ", start, end) + nonce
    return f"attr:{base64.b64encode(payload).decode()}:{identity.sign(payload)}"


class Mailbox:
    """The mailbox of one identity."""

    def __init__(
        self,
        identity: Identity,
        inbox: Inbox,
        client: httpx.AsyncClient,
        base_url: str,
        *,
        api_key: SecretStr | None,
        name: str,
        interval: float,
    ) -> None:
        self._identity = identity
        self._inbox = inbox
        self._client = client
        self._base_url = base_url
        self._url = f"{base_url}/v2/agents/{identity.address}/mailbox"
        self._api_key = api_key
        self._name = name
        self._interval = interval
        self._token: tuple[str, int] = ("", 0)
        self._is_there = False
        self._opening = asyncio.Lock()
        self._polls: asyncio.Task[None] | None = None
        self._problem = ""

    async def prepare(self, *, seconds: float) -> None:
        """See once that the mailbox exists, or register it."""
        async with self._opening:
            if self._is_there:
                return
            end = time.monotonic() + seconds
            while True:
                left = max(end - time.monotonic(), 0.001)
                response = await self._request("GET", self._url, left, params={"limit": 1})
                wait = max(self._interval, _read_retry_after(response))
                if not _may_pass(response) or time.monotonic() + wait > end:
                    break
                await asyncio.sleep(wait)
            if response.status == 404:
                await self.register(seconds=left)
            elif response.status != 200:
                raise self._explain(response)
            self._is_there = True

    async def register(
        self, *, seconds: float, name: str | None = None, profile: dict[str, Any] | None = None
    ) -> None:
        """Prove our address to the account, and register a mailbox.

        Raises:
            AgentError: If there is no API key, or Agentverse does not take it.
        """
        address = self._identity.address
        if self._api_key is None:
            msg = (
                f"Agentverse has no mailbox for {address}, so no answer could come: give api_key= "
                "(or AGENTVERSE_API_KEY) once, and it is registered; or use the seed of an agent "
                "that was made with a mailbox"
            )
            raise AgentError(msg, AgentErrorInfo(status_code=404))
        identity_url = f"{self._base_url}/v2/identity"
        first = await self._ask_account("GET", f"{identity_url}/{address}/challenge", seconds)
        body = first.read()
        challenge = body.get("challenge") if isinstance(body, dict) else None
        if not isinstance(challenge, str) or not challenge or len(challenge) > 4_000:
            raise make_error("Agentverse's challenge is not usable", first)
        proof = {
            "address": address,
            "challenge": challenge,
            "challenge_response": self._identity.sign(challenge.encode()),
        }
        await self._ask_account("POST", identity_url, seconds, proof)
        registration = {
            "address": address,
            "name": (name or self._name)[:32],
            "agent_type": "mailbox",
            "profile": profile or {},
            "endpoints": [{"url": f"{self._base_url}/v2/agents/mailbox/submit", "weight": 1}],
            "protocols": [CHAT_PROTOCOL],
            "metadata": {},
        }
        await self._ask_account("POST", f"{self._base_url}/v2/agents", seconds, registration)
        self._is_there = True

    async def _ask_account(
        self, method: str, url: str, seconds: float, body: object = None
    ) -> Response:
        key = self._api_key.get_secret_value() if self._api_key else ""
        headers = {"authorization": f"Bearer {key}"}
        response = await ask_agentverse(
            self._client, method, url, seconds=seconds, body=body, headers=headers
        )
        if 200 <= response.status < 300:
            return response
        # Its words may quote the key.
        clean = response._replace(content=response.content.replace(key.encode(), b"***"))
        advice = "check api_key= (or AGENTVERSE_API_KEY): keys are made in Agentverse's settings"
        what = "the mailbox cannot be registered"
        raise make_error(what, clean, advice=advice if clean.status in (401, 403) else "")

    def watch(self) -> None:
        """Poll until no question is open."""
        if self._polls is None or self._polls.done():
            self._polls = asyncio.get_running_loop().create_task(self._watch())

    def stop(self) -> None:
        """Poll no more."""
        if self._polls is not None:
            self._polls.cancel()

    async def _watch(self) -> None:
        while self._inbox.questions:
            wait = self._interval
            try:
                wait = max(wait, await self.poll())
            except AgentError as error:
                self._inbox.fail(error)
            except Exception:  # a mistake of ours must not leave questions without polls
                logger.exception("Reading the mailbox failed.")
            await asyncio.sleep(wait)

    async def poll(self) -> float:
        """Read the mailbox; return for how many seconds to wait.

        Raises:
            AgentError: If it will not be better later.
        """
        try:
            response = await self._read_pages(self._inbox.put)
        except AgentError as error:
            if error.info.status_code is not None:
                raise
            self._problem = str(error)
            return 0.0
        if response.status == 200:
            self._problem = ""
            return 0.0
        if _may_pass(response):
            self._problem = f"the mailbox answered {response.describe()}"
            return _read_retry_after(response)
        raise self._explain(response)

    async def list_letters(self) -> list[Letter]:
        """Read all letters, and leave them there.

        Raises:
            AgentError: If the mailbox cannot be read.
        """
        letters: list[Letter] = []
        response = await self._read_pages(lambda *letter: letters.append(Letter(*letter)))
        if response.status != 200:
            raise self._explain(response)
        return letters

    async def _read_pages(self, put: Callable[[object, str], object]) -> Response:
        """Read all pages: letters of other processes may stand before ours."""
        offset, limit = 0, _PAGE
        seen: set[str] = set()
        response = _EMPTY
        for _ in range(_MAX_REQUESTS):
            params = {"limit": limit, "offset": offset}
            try:
                response = await self._request("GET", self._url, _REQUEST_SECONDS, params=params)
            except AgentError as error:
                if error.code != TOO_LARGE:
                    raise
                # Smaller pages; a letter that alone is too large is stepped over.
                offset, limit = (offset, limit // 2) if limit > 1 else (offset + 1, _PAGE)
                continue
            items = response.read() if response.status == 200 else None
            if not isinstance(items, list):
                return response
            known = len(seen)
            for item in items:
                _sort(item, seen, put)
            if len(items) < limit or len(seen) == known:
                break
            offset, limit = offset + len(items), _PAGE
        return response

    def describe_problem(self) -> str:
        """Say what the last poll met."""
        return self._problem

    async def delete(self, uuids: list[str]) -> None:
        """Delete letters; what cannot be deleted now lies there until it expires."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def delete(uuid: str) -> None:
            async with places:
                try:
                    url = f"{self._url}/{uuid}"
                    response = await self._request("DELETE", url, _REQUEST_SECONDS)
                except AgentError as error:
                    logger.warning("A letter stays in the mailbox: %s", error)
                    return
            if response.status >= 300 and response.status != 404:
                logger.warning("A letter stays in the mailbox: %s", response.describe())

        await asyncio.gather(*map(delete, uuids))

    async def _request(
        self, method: str, url: str, seconds: float, *, params: dict[str, int] | None = None
    ) -> Response:
        """Send a request, with a new token if one is refused."""
        target = f"{url}?{httpx.QueryParams(params)}" if params else url
        response = await self._send(method, target, seconds)
        if response.status == 401:
            self._token = ("", 0)
            response = await self._send(method, target, seconds)
        return response

    async def _send(self, method: str, url: str, seconds: float) -> Response:
        headers = {"authorization": f"Agent {self._find_token()}"}
        return await ask_agentverse(self._client, method, url, seconds=seconds, headers=headers)

    def _find_token(self) -> str:
        now = int(time.time())
        if self._token[1] < now + _RENEWED_BEFORE:
            end = now + _TOKEN_SECONDS
            self._token = (sign_token(self._identity, now, end, token_bytes(32)), end)
        return self._token[0]

    def _explain(self, response: Response) -> AgentError:
        """Make the error of an answer that another poll would not change."""
        what = f"the mailbox of {self._identity.address} cannot be read"
        if response.status == 404:
            advice = "it was there before: register it again, with api_key="
        elif response.status == 401:
            advice = _compare_clocks(response) or (
                "the seed must be that of the agent whose mailbox it is"
            )
        else:
            advice = "see the agent's page on Agentverse"
        return make_error(what, response, advice=advice)


def _sort(item: object, seen: set[str], put: Callable[[object, str], object]) -> None:
    uuid = item.get("uuid") if isinstance(item, dict) else None
    if isinstance(item, dict) and isinstance(uuid, str) and _UUID.fullmatch(uuid):
        seen.add(uuid)
        put(item.get("envelope"), uuid)


def _compare_clocks(response: Response) -> str:
    """Say by how much the clock differs from the server's."""
    try:
        server = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, OverflowError):
        return ""
    ahead = round(time.time() - server)
    if abs(ahead) < _CLOCKS:
        return ""
    way = "ahead of" if ahead > 0 else "behind"
    return f"the clock of this machine is {abs(ahead):,} s {way} Agentverse's: set it"


def _may_pass(response: Response) -> bool:
    return response.status == 429 or response.status >= 500


def _read_retry_after(response: Response) -> float:
    try:
        seconds = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return min(seconds, _LONGEST_WAIT) if seconds > 0 else 0.0
