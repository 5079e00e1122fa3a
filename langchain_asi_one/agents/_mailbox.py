"""Our mailbox on Agentverse, read while a question is open."""

from __future__ import annotations

import asyncio
import base64
import logging
import struct
import time
from email.utils import parsedate_to_datetime
from secrets import token_bytes
from typing import Any, Final

import httpx
from pydantic import SecretStr
from uagents_core.identity import Identity

from langchain_asi_one.agents._almanac import ask_agentverse, make_error
from langchain_asi_one.agents._endpoints import Response
from langchain_asi_one.agents._envelope import CHAT_PROTOCOL
from langchain_asi_one.agents._errors import AgentError, AgentErrorInfo
from langchain_asi_one.agents._inbox import Inbox, Letter
from langchain_asi_one.agents._mail_reader import MailReader

logger = logging.getLogger(__name__)

WHOLE: Final = 1_000
"""Requests in which the whole mailbox is read: 100,000 letters."""

_LOOK: Final = 20  # requests of one poll: 2,000 letters
_TOKEN_SECONDS: Final = 600
_RENEWED_BEFORE: Final = 60
_CLOCKS: Final = 30  # seconds of difference that a token outlives
_REQUEST_SECONDS: Final = 30.0
_LONGEST_WAIT: Final = 60.0  # seconds that a server can hold up the polls
_AT_ONCE: Final = 8


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


class _RefusedError(Exception):
    """The mailbox was not read."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Mailbox:
    """The mailbox of one identity.

    A look into it costs at most 20 requests, which read up to 2,000 letters. The next look goes on
    from there. A letter that was read is not read again.
    """

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
        self._reader = MailReader(self._fetch, self._put)
        self._reading = asyncio.Lock()
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
        signature = self._identity.sign(challenge.encode())
        proof = {"address": address, "challenge": challenge, "challenge_response": signature}
        await self._ask_account("POST", identity_url, seconds, proof, secrets=(signature,))
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
        self,
        method: str,
        url: str,
        seconds: float,
        body: object = None,
        secrets: tuple[str, ...] = (),
    ) -> Response:
        key = self._api_key.get_secret_value() if self._api_key else ""
        response = await ask_agentverse(
            self._client,
            method,
            url,
            seconds=seconds,
            body=body,
            authorization=f"Bearer {key}",
            secrets=secrets,
        )
        if 200 <= response.status < 300:
            return response
        advice = "check api_key= (or AGENTVERSE_API_KEY): keys are made in Agentverse's settings"
        what = "the mailbox cannot be registered"
        raise make_error(what, response, advice=advice if response.status in (401, 403) else "")

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

    async def poll(self, requests: int = _LOOK) -> float:
        """Read what is new in the mailbox.

        Args:
            requests: Most requests of this look.

        Returns:
            For how many seconds to wait.

        Raises:
            AgentError: If it will not be better later.
        """
        try:
            async with self._reading:
                opened, self._inbox.opened = self._inbox.opened, set()
                await self._reader.read(requests, opened=opened)
        except AgentError as error:
            if error.info.status_code is not None:
                raise
            self._problem = str(error)
            return 0.0
        except _RefusedError as refused:
            if not _may_pass(refused.response):
                raise self._explain(refused.response) from None
            self._problem = f"the mailbox answered {refused.response.describe()}"
            return _read_retry_after(refused.response)
        self._problem = ""
        return 0.0

    async def list_letters(self) -> list[Letter]:
        """Read all letters, and leave them there.

        Raises:
            AgentError: If the mailbox cannot be read.
        """
        letters: list[Letter] = []

        def keep(envelope: object, uuid: str) -> bool:
            letters.append(Letter(envelope, uuid))
            return True

        try:
            await MailReader(self._fetch, keep).read(WHOLE)
        except _RefusedError as refused:
            raise self._explain(refused.response) from None
        return letters

    def _put(self, envelope: object, uuid: str) -> bool:
        return self._inbox.put(envelope, uuid)

    async def _fetch(self, place: int, limit: int) -> list[object]:
        params = {"limit": limit, "offset": place}
        response = await self._request("GET", self._url, _REQUEST_SECONDS, params=params)
        if response.status != 200:
            raise _RefusedError(response)
        letters = response.read()
        if not isinstance(letters, list):
            msg = f"the mailbox of {self._identity.address} answered with something else than mail"
            raise AgentError(msg)
        return [*letters]

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
            if response.status < 300:
                self._reader.move_up()
            elif response.status != 404:
                logger.warning("A letter stays in the mailbox: %s", response.describe())

        self._reader.skip(uuids)
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
        token = f"Agent {self._find_token()}"
        return await ask_agentverse(self._client, method, url, seconds=seconds, authorization=token)

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
