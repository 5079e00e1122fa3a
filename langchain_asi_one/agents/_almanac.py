"""Agents as Agentverse knows them, by address, handle or search."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import OrderedDict
from typing import Any, Final, NotRequired
from urllib.parse import quote, urlsplit

import httpx
from typing_extensions import TypedDict
from uagents_core.identity import Identity

from langchain_asi_one._agent_address import is_agent_address
from langchain_asi_one._json.numbers import is_number
from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one._json.safe import dumps
from langchain_asi_one._validators import check_base_url, is_loopback
from langchain_asi_one.agents._endpoints import (
    Response,
    TooLargeError,
    build_client,
    exchange,
)
from langchain_asi_one.agents._envelope import CHAT_PROTOCOL
from langchain_asi_one.agents._errors import (
    TOO_LARGE,
    AgentError,
    AgentErrorInfo,
    AgentUnreachableError,
)
from langchain_asi_one.agents._loop import arun, run
from langchain_asi_one.executable_data import parse_handle

AGENTVERSE: Final = "https://agentverse.ai"

_KEPT_SECONDS: Final = 60.0
_KEPT_RECORDS: Final = 1_000
_LONGEST: Final = 1_000  # characters of a query
_MOST_FOUND: Final = 50  # Agentverse's own bound


class AgentRecord(TypedDict):
    """An agent as Agentverse describes it. Plain JSON of strangers: untrusted.

    Attributes:
        address: Its address, with a right checksum.
        name: Its name.
        handle: Its handle, without `@`.
        description: What it says that it does.
        status: Such as `active`, `inactive` or `offline`.
        type: Where it runs, such as `hosted`, `mailbox`, `uagent` or `custom`.
        protocols: Digests of the protocols that it speaks.
        endpoints: Where messages for it go, the preferred first; only `resolve` gives them.
        raw: All fields as sent.

    Example:
        >>> address = "agent1qgqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7k8wmf3"
        >>> record = AgentRecord(address=address, protocols=[], endpoints=[], raw={})
        >>> record["address"][:10]
        'agent1qgqq'
    """

    address: str
    name: NotRequired[str]
    handle: NotRequired[str]
    description: NotRequired[str]
    status: NotRequired[str]
    type: NotRequired[str]
    protocols: list[str]
    endpoints: list[str]
    raw: dict[str, Any]


def resolve(agent: str, *, agentverse: str = AGENTVERSE, timeout: float = 10.0) -> AgentRecord:
    """Look an agent up in the Almanac.

    Args:
        agent: Its address, or its handle with or without `@`. Which address a handle has is
            Agentverse's word: allow agents by address.
        agentverse: Address of Agentverse.
        timeout: Seconds for it, above 0.

    Returns:
        The agent's record.

    Raises:
        ValueError: If `agent`, `agentverse` or `timeout` is wrong.
        AgentUnreachableError: If there is no such agent.
        AgentError: If Agentverse cannot be asked.

    Source:
        Agentverse's API reference: `GET /v1/almanac/agents/{address}` and
        `GET /v1/almanac/handles/{handle}`; no key is needed.

    Example:
        >>> resolve("@weather", timeout=0)
        Traceback (most recent call last):
            ...
        ValueError: timeout must be a number of seconds above 0 and up to 86,400; got 0
    """
    return run(_resolve(agent, agentverse, timeout))


async def aresolve(
    agent: str, *, agentverse: str = AGENTVERSE, timeout: float = 10.0
) -> AgentRecord:
    """Async version of `resolve`."""
    return await arun(_resolve(agent, agentverse, timeout))


def search_agents(
    text: str, *, limit: int = 10, agentverse: str = AGENTVERSE, timeout: float = 10.0
) -> list[AgentRecord]:
    """Search Agentverse for agents that speak the chat protocol.

    Args:
        text: What the agent should do, 1 to 1,000 characters.
        limit: Most agents, 1 to 50.
        agentverse: Address of Agentverse.
        timeout: Seconds for it, above 0.

    Returns:
        The agents, in Agentverse's order. Those without a sound address are left out.

    Raises:
        ValueError: If an argument is out of range.
        AgentError: If Agentverse cannot be asked.

    Source:
        Agentverse's API reference: `POST /v1/search/agents`.

    Example:
        >>> search_agents("weather", limit=0)
        Traceback (most recent call last):
            ...
        ValueError: limit must be 1 to 50; got 0
    """
    return run(_search(text, limit, agentverse, timeout))


async def asearch_agents(
    text: str, *, limit: int = 10, agentverse: str = AGENTVERSE, timeout: float = 10.0
) -> list[AgentRecord]:
    """Async version of `search_agents`."""
    return await arun(_search(text, limit, agentverse, timeout))


async def _resolve(agent: str, agentverse: str, timeout: float) -> AgentRecord:
    identifier = check_agent(agent)
    check_seconds("timeout", timeout)
    base_url = check_agentverse(agentverse)
    async with build_client(is_local=is_local(base_url)) as client:
        return await Almanac(client, base_url).resolve(identifier, seconds=timeout)


async def _search(text: str, limit: int, agentverse: str, timeout: float) -> list[AgentRecord]:
    if not text.strip() or len(text) > _LONGEST:
        msg = f"text must have 1 to {_LONGEST:,} characters; got {len(text):,}"
        raise ValueError(msg)
    if not is_number(limit, 1, _MOST_FOUND, whole=True):
        msg = f"limit must be 1 to {_MOST_FOUND}; got {limit!r:.40}"
        raise ValueError(msg)
    check_seconds("timeout", timeout)
    base_url = check_agentverse(agentverse)
    filters = {"protocol_digest": [CHAT_PROTOCOL]}
    query = {"search_text": text, "filters": filters, "limit": limit, "offset": 0}
    async with build_client(is_local=is_local(base_url)) as client:
        response = await ask_agentverse(
            client, "POST", f"{base_url}/v1/search/agents", seconds=timeout, body=query
        )
    if response.status != 200:
        raise make_error("Agentverse did not search", response)
    body = response.read()
    found = body.get("agents") if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise make_error("Agentverse's answer to the search is not usable", response)
    records = [read_record(one) for one in found]
    return [record for record in records if record is not None][:limit]


def check_agent(agent: object) -> str:
    """Return an address, or a handle with `@`.

    Raises:
        ValueError: If it is neither.
    """
    if is_agent_address(agent):
        return str(agent)
    handle = parse_handle(agent)
    if handle is not None:
        return f"@{handle}"
    msg = (
        f"{agent!r:.100} is neither the address of an agent ('agent1' and 59 characters, with a "
        "checksum) nor a handle: copy the address from the agent's page on Agentverse"
    )
    raise ValueError(msg)


def check_seconds(name: str, value: object) -> float:
    """Return a number of seconds above 0 and up to a day.

    Raises:
        ValueError: If it is none.
    """
    if isinstance(value, int | float) and value != 0 and is_number(value, 0, 86_400):
        return float(value)
    msg = f"{name} must be a number of seconds above 0 and up to 86,400; got {value!r:.40}"
    raise ValueError(msg)


def check_agentverse(url: str) -> str:
    """Return the address of Agentverse without a slash at its end.

    Raises:
        ValueError: If it is not https, but for one on this machine.
    """
    base_url = check_base_url(url, name="agentverse") if _is_secure(url) else ""
    if not base_url:
        msg = "agentverse must be an https address, such as 'https://agentverse.ai'"
        raise ValueError(msg)
    return base_url


def _is_secure(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def is_local(base_url: str) -> bool:
    """Return whether an address of Agentverse is a stand-in on this machine."""
    return is_loopback(urlsplit(base_url).hostname or "")


def make_error(what: str, response: Response, *, agent: str = "", advice: str = "") -> AgentError:
    """Make the error of an answer of Agentverse that is no use."""
    message = f"{what}: it answered {response.describe()}"
    info = AgentErrorInfo(status_code=response.status, agent=agent)
    return AgentError(f"{message}; {advice}" if advice else message, info)


async def ask_agentverse(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    seconds: float,
    body: object = None,
    authorization: str = "",
    secrets: tuple[str, ...] = (),
) -> Response:
    """Send a request to Agentverse itself.

    Args:
        client: The client.
        method: The HTTP method.
        url: Where to.
        seconds: Most seconds for all of it.
        body: JSON to send.
        authorization: What the header of that name has; its words are secrets.
        secrets: What else is sent and is told to nobody.

    Raises:
        AgentError: If the connection fails, or the answer is too large.
    """
    headers = {"content-type": "application/json"} if body is not None else {}
    if authorization:
        headers["authorization"] = authorization
    content = None if body is None else dumps(body).encode()
    # A token is of three words; the first, its kind, is none of them.
    quotable = (authorization, *re.split("[ :]", authorization)[1:], *secrets)
    try:
        response = await exchange(
            client, method, url, seconds=seconds, content=content, headers=headers
        )
    except (httpx.HTTPError, TimeoutError, TooLargeError) as error:
        reason = describe_problem(error)
        code = TOO_LARGE if isinstance(error, TooLargeError) else None
    else:
        return response._replace(secrets=tuple(filter(None, quotable)))
    host = urlsplit(url).hostname
    msg = f"Agentverse ({host}) cannot be asked: {reason}; check the network and try again"
    raise AgentError(msg, AgentErrorInfo(code=code))


def describe_problem(error: Exception) -> str:
    """Return what went wrong with a request, as one line."""
    return make_one_line(str(error))[:200] or type(error).__name__


def read_record(value: object, *, agent: str | None = None) -> AgentRecord | None:
    """Read what Agentverse says about an agent.

    Args:
        value: The JSON.
        agent: The address that was asked for.

    Returns:
        The record; `None` if it has no sound address, or another than was asked for.
    """
    if not isinstance(value, dict) or not is_agent_address(value.get("address")):
        return None
    if agent is not None and value["address"] != agent:
        return None
    record = AgentRecord(
        address=value["address"],
        protocols=_read_protocols(value.get("protocols")),
        endpoints=_read_endpoints(value.get("endpoints")),
        raw=value,
    )
    for key in ("name", "description", "status", "type"):
        if isinstance(text := value.get(key), str) and text:
            record[key] = text
    if handle := parse_handle(value.get("handle")):
        record["handle"] = handle
    return record


def _read_protocols(value: object) -> list[str]:
    """Read digests; the Almanac lists them, the search has them in objects."""
    items = value if isinstance(value, list) else []
    digests = [item.get("digest") if isinstance(item, dict) else item for item in items]
    return [digest for digest in digests if isinstance(digest, str)]


def _read_endpoints(value: object) -> list[str]:
    items = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    urls = [(item.get("weight"), item.get("url")) for item in items]
    sound = [
        (weight if isinstance(weight, int | float) else 1, url)
        for weight, url in urls
        if isinstance(url, str)
    ]
    return [url for _, url in sorted(sound, key=lambda one: -one[0])]


class Almanac:
    """Agentverse's register of agents; records are kept for a minute."""

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client = client
        self._base_url = base_url
        self._kept: OrderedDict[str, tuple[float, AgentRecord]] = OrderedDict()

    async def find(self, agent: str, *, seconds: float) -> AgentRecord:
        """Return the record of an agent that can be asked; see `resolve`.

        Raises:
            AgentUnreachableError: If it has no endpoint, or does not speak the chat protocol.
        """
        now = time.monotonic()
        held = self._kept.get(agent)
        if held and held[0] > now:
            return held[1]
        record = await self.resolve(agent, seconds=seconds)
        info = AgentErrorInfo(agent=record["address"])
        if CHAT_PROTOCOL not in record["protocols"]:
            msg = (
                f"the agent {record['address']} does not speak the chat protocol, so it cannot be "
                "asked: search_agents finds agents that do"
            )
            raise AgentUnreachableError(msg, info)
        if not record["endpoints"]:
            msg = (
                f"the agent {record['address']} has no endpoint in the Almanac: it does not run, "
                "or its registration has lapsed"
            )
            raise AgentUnreachableError(msg, info)
        for name in (agent, record["address"]):
            self._kept[name] = (now + _KEPT_SECONDS, record)
        while len(self._kept) > _KEPT_RECORDS:
            self._kept.popitem(last=False)
        return record

    async def resolve(self, agent: str, *, seconds: float) -> AgentRecord:
        """Look up an address, or a handle with `@`."""
        end = time.monotonic() + seconds
        address = await self._find_address(agent, seconds) if agent[0] == "@" else agent
        left = max(end - time.monotonic(), 0.001)
        response = await self._get(f"/v1/almanac/agents/{address}", left)
        if response.status == 404:
            raise _make_unknown(agent)
        if response.status != 200:
            raise make_error("the Almanac cannot be read", response, agent=address)
        record = read_record(response.read(), agent=address)
        if record is None:
            what = f"the Almanac's record of {address} is not usable"
            raise make_error(what, response, agent=address)
        return record

    async def _find_address(self, handle: str, seconds: float) -> str:
        name = quote(handle.removeprefix("@"), safe="")
        response = await self._get(f"/v1/almanac/handles/{name}", seconds)
        if response.status == 404:
            raise _make_unknown(handle)
        body = response.read()
        address = body.get("agent_address") if isinstance(body, dict) else None
        if response.status != 200 or not is_agent_address(address):
            what = f"the Almanac names no address for {handle}"
            raise make_error(what, response, agent=handle)
        return str(address)

    async def _get(self, path: str, seconds: float) -> Response:
        return await ask_agentverse(self._client, "GET", f"{self._base_url}{path}", seconds=seconds)

    async def register(self, identity: Identity, endpoint: str, *, seconds: float) -> None:
        """Write our own endpoint into the Almanac, for 48 hours.

        Our own key signs it; no account is needed.

        Raises:
            AgentError: If the Almanac does not take it.
        """
        attestation: dict[str, Any] = {
            "agent_identifier": f"agent://{identity.address}",
            "endpoints": [{"url": endpoint, "weight": 1}],
            "metadata": {},
            "protocols": [CHAT_PROTOCOL],
            "timestamp": int(time.time()),
        }
        text = json.dumps(attestation, sort_keys=True, separators=(",", ":"))
        signature = identity.sign_digest(hashlib.sha256(text.encode()).digest())
        response = await ask_agentverse(
            self._client,
            "POST",
            f"{self._base_url}/v1/almanac/agents",
            seconds=seconds,
            body={**attestation, "signature": signature},
        )
        if not 200 <= response.status < 300:
            raise make_error("the Almanac did not take our endpoint", response)


def _make_unknown(agent: str) -> AgentUnreachableError:
    advice = "check the address"
    if agent[0] == "@":
        advice = (
            "a handle is an agent's own, not a word for what it does: "
            f"search_agents({agent[1:]!r}) finds agents by that, and gives their addresses"
        )
    msg = (
        f"the Almanac knows no agent {agent}: it never registered, or its registration has "
        f"lapsed; {advice}"
    )
    return AgentUnreachableError(msg, AgentErrorInfo(status_code=404, agent=agent))
