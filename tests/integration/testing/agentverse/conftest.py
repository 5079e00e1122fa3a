"""A running local Agentverse, and somebody with a key and a mailbox there."""

from __future__ import annotations

import base64
import json
import struct
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from uagents_core.contrib.protocols.chat import ChatMessage, TextContent
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity
from uagents_core.models import Model
from uagents_core.registration import AgentRegistrationAttestation
from uagents_core.types import AgentEndpoint

from langchain_asi_one.testing import local_agentverse
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from langchain_asi_one.testing._agentverse.server import LocalAgentverse

Json = dict[str, Any]


class Somebody:
    """An identity that asks agents with plain requests.

    Args:
        server: The local Agentverse.
    """

    def __init__(self, server: LocalAgentverse) -> None:
        self.server = server
        self.identity = Identity.generate()
        self.address = str(self.identity.address)
        self.client = httpx.Client(base_url=server.url, trust_env=False, timeout=PATIENCE)
        self.key = {"authorization": f"Bearer {server.api_key}"}

    def token(self, *, start: float = 0, seconds: int = 120) -> dict[str, str]:
        """Return a header with a token that begins `start` seconds from now."""
        begin = int(time.time() + start)
        payload = bytes.fromhex(self.identity.pub_key)
        payload += struct.pack(">QQ", begin, begin + seconds) + bytes(32)
        encoded = base64.b64encode(payload).decode()
        return {"authorization": f"Agent attr:{encoded}:{self.identity.sign(payload)}"}

    def prove(self, **changes: str) -> httpx.Response:
        """Prove to the account that this address is its own."""
        path = f"/v2/identity/{self.address}/challenge"
        challenge = self.client.get(path, headers=self.key).json()["challenge"]
        signed = {
            "challenge": challenge,
            "challenge_response": self.identity.sign(challenge.encode()),
        }
        body = {"address": self.address, **signed, **changes}
        return self.client.post("/v2/identity", headers=self.key, json=body)

    def register(self, headers: dict[str, str] | None = None, **changes: Any) -> httpx.Response:
        """Register with a mailbox."""
        body = {
            "address": self.address,
            "name": "Somebody",
            "agent_type": "mailbox",
            "endpoints": [{"url": f"{self.server.url}/v2/agents/mailbox/submit", "weight": 1}],
            **changes,
        }
        return self.client.post("/v2/agents", headers=headers or self.key, json=body)

    def attest(self, **changes: Any) -> Json:
        """Return a signed registration at the Almanac."""
        attestation = AgentRegistrationAttestation(
            agent_identifier=f"agent://{self.address}",
            protocols=["proto:x"],
            endpoints=[AgentEndpoint(url="http://127.0.0.1:9/submit", weight=1)],
            metadata={},
        )
        attestation.sign(self.identity)
        return {**json.loads(attestation.model_dump_json()), **changes}

    def seal(self, agent: str, text: str = "hello", **changes: Any) -> Json:
        """Return a signed envelope with a question."""
        envelope = Envelope(
            version=1,
            sender=self.address,
            target=agent,
            session=uuid4(),
            schema_digest=Model.build_schema_digest(ChatMessage),
            expires=int(time.time()) + 60,
        )
        envelope.encode_payload(ChatMessage([TextContent(text)]).json())
        envelope.sign(self.identity)
        return {**json.loads(envelope.model_dump_json()), **changes}

    def ask(self, agent: str, text: str = "hello") -> httpx.Response:
        return self.client.post("/submit", json=self.seal(agent, text))

    def read_mail(self, count: int) -> list[Json]:
        """Return the messages of the mailbox, as soon as there are as many."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.server.mail(self.address)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count}"
            time.sleep(0.01)
        envelopes = [Envelope.model_validate(one["envelope"]) for one in found]
        assert all(one.verify() for one in envelopes)
        return [json.loads(one.decode_payload()) for one in envelopes]


@pytest.fixture(scope="module")
def shared_agentverse() -> Iterator[LocalAgentverse]:
    with local_agentverse() as server:
        yield server


@pytest.fixture
def agentverse(shared_agentverse: LocalAgentverse) -> LocalAgentverse:
    shared_agentverse.clear()
    return shared_agentverse


@pytest.fixture
def somebody(agentverse: LocalAgentverse) -> Iterator[Somebody]:
    """Somebody with a mailbox."""
    made = Somebody(agentverse)
    with made.client:
        assert made.prove().status_code == 200
        assert made.register().status_code == 200
        yield made


@pytest.fixture
def stranger(agentverse: LocalAgentverse) -> Iterator[Somebody]:
    """Somebody whom the server does not know."""
    made = Somebody(agentverse)
    with made.client:
        yield made
