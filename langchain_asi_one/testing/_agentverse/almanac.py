"""What the Almanac and the search know of agents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from uagents_core.identity import parse_identifier

from langchain_asi_one.testing._agentverse.proofs import RefusedError

if TYPE_CHECKING:
    from uagents_core.registration import RegistrationRequest
    from uagents_core.types import AgentEndpoint

MAILBOX_PATH = "/v2/agents/mailbox/submit"
PROXY_PATH = "/v2/agents/proxy/submit"
_LIFETIME = timedelta(hours=48)
_MOST_AGENTS = 10_000
_MOST_ENDPOINTS = 10


class Almanac:
    """One server's agents: where they are, and what is registered."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Any]] = {}
        self._profiles: dict[str, RegistrationRequest] = {}

    def record(
        self,
        address: str,
        endpoints: list[AgentEndpoint],
        protocols: list[str],
        metadata: dict[str, Any] | None,
        now: float,
    ) -> None:
        """Write down where an agent is, for 48 hours.

        Raises:
            RefusedError: There are too many endpoints or agents.
        """
        if len(endpoints) > _MOST_ENDPOINTS:
            raise RefusedError(422, f"An agent has at most {_MOST_ENDPOINTS} endpoints")
        if address not in self._records and len(self._records) >= _MOST_AGENTS:
            raise RefusedError(429, f"This local Agentverse knows at most {_MOST_AGENTS:,} agents")
        self._records[address] = {
            "status": "active",
            "type": _find_type([one.url for one in endpoints]),
            "address": address,
            "domain_name": None,
            "endpoints": [one.model_dump() for one in endpoints],
            "protocols": protocols,
            "metadata": metadata or {},
            "expiry": write_time(now + _LIFETIME.total_seconds()),
        }

    def register(self, request: RegistrationRequest, now: float) -> None:
        """Write down what an agent says of itself, and where it is.

        Raises:
            RefusedError: The handle belongs to another agent, or `record` refuses.
        """
        owner = self.find_address(request.handle) if request.handle else None
        if owner not in (None, request.address):
            raise RefusedError(409, f"The handle {request.handle} is taken")
        metadata = request.metadata
        plain = metadata if isinstance(metadata, dict) or not metadata else metadata.model_dump()
        self.record(request.address, request.endpoints, request.protocols, plain, now)
        self._profiles[request.address] = request

    def forget(self, address: str) -> None:
        """Remove an agent."""
        self._records.pop(address, None)
        self._profiles.pop(address, None)

    def set_status(self, address: str, *, is_active: bool) -> None:
        """Write down whether an agent is there. An unknown one stays unknown."""
        if address in self._records:
            self._records[address]["status"] = "active" if is_active else "offline"

    def find_address(self, handle: str) -> str | None:
        """Return the address of a handle, without or with ``@``."""
        name = handle.removeprefix("@")
        return next((a for a, one in self._profiles.items() if one.handle == name), None)

    def find_profile(self, address: str) -> RegistrationRequest | None:
        """Return what an agent says of itself, ``None`` unless it is registered."""
        return self._profiles.get(address)

    def resolve(self, identifier: str) -> dict[str, Any] | None:
        """Return the record of an address or a handle; ``None`` for none."""
        _, name, address = parse_identifier(identifier)
        return self._records.get(address or self.find_address(name) or "")

    def describe(self, address: str) -> dict[str, Any]:
        """Return a registered agent with the fields of the search.

        Raises:
            KeyError: It is not registered.
        """
        profile, record = self._profiles[address], self._records[address]
        return {
            "address": address,
            "prefix": "agent",
            "name": profile.name,
            "handle": profile.handle,
            "description": profile.profile.description,
            "readme": profile.profile.readme,
            "protocols": [{"name": "", "version": "", "digest": p} for p in record["protocols"]],
            "total_interactions": 0,
            "recent_interactions": 0,
            "rating": None,
            "status": "active" if record["status"] == "active" else "inactive",
            "type": record["type"],
            "category": "community",
            "system_wide_tags": [],
        }

    def search(self, text: str, *, protocols: list[str], types: list[str]) -> list[dict[str, Any]]:
        """Return the agents that a word of the text names.

        An empty text gives all.
        """
        words = text.casefold().split()
        return [
            entry
            for entry in map(self.describe, self._profiles)
            if (not protocols or {p["digest"] for p in entry["protocols"]} & {*protocols})
            and (not types or entry["type"] in types)
            and (not words or any(word in _list_words(entry) for word in words))
        ]


def write_time(moment: float) -> str:
    """Return a time in seconds since 1970 as Agentverse writes it."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _find_type(urls: list[str]) -> str:
    if any(url.endswith(MAILBOX_PATH) for url in urls):
        return "mailbox"
    return "proxy" if any(url.endswith(PROXY_PATH) for url in urls) else "custom"


def _list_words(entry: dict[str, Any]) -> str:
    fields = ("name", "handle", "description", "readme")
    return " ".join(entry[field] or "" for field in fields).casefold()
