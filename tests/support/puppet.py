"""An agent of a local Agentverse whose every word a test writes, to be as hostile as it must."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from uuid import UUID

import httpx
from uagents_core.contrib.protocols.chat import (
    ChatAcknowledgement,
    ChatMessage,
    EndSessionContent,
    TextContent,
)
from uagents_core.envelope import Envelope
from uagents_core.identity import Identity
from uagents_core.models import Model
from uagents_core.registration import AgentRegistrationAttestation
from uagents_core.types import AgentEndpoint

from langchain_asi_one.agents import AgentChat
from langchain_asi_one.agents._envelope import CHAT_PROTOCOL, Kind
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.support.patience import eventually


def say(*texts: str, end: bool = True) -> ChatMessage:
    """Make a chat message that closes the session."""
    content: list[Any] = [TextContent(text) for text in texts]
    return ChatMessage([*content, EndSessionContent()] if end else content)


class Puppet:
    """An agent with a mailbox, in which a test reads the questions."""

    def __init__(self, agentverse: LocalAgentverse) -> None:
        chat = AgentChat(
            seed=secrets.token_hex(), api_key=agentverse.api_key, agentverse=agentverse.url
        )
        chat.register()
        chat.close()
        self.identity: Identity = chat._identity
        self.address = chat.address
        self._agentverse = agentverse

    def list_at(self, *endpoints: str, protocols: tuple[str, ...] = (CHAT_PROTOCOL,)) -> str:
        """Write other endpoints into the Almanac; return the address."""
        attestation = AgentRegistrationAttestation(
            agent_identifier=f"agent://{self.address}",
            protocols=[*protocols],
            endpoints=[AgentEndpoint(url=url, weight=10 - n) for n, url in enumerate(endpoints)],
            metadata={},
        )
        attestation.sign(self.identity)
        text = attestation.model_dump_json()
        assert self._send("/v1/almanac/agents", text) == 200
        return self.address

    def read(self, kind: Kind = Kind.CHAT) -> list[Envelope]:
        """Return what has come of a kind."""
        mail = self._agentverse.mail(self.address)
        envelopes = [Envelope.model_validate(one["envelope"]) for one in mail]
        return [one for one in envelopes if one.schema_digest == kind]

    def wait_for(self, number: int = 1, kind: Kind = Kind.CHAT) -> Envelope:
        """Wait for the nth letter of a kind."""
        assert eventually(lambda: len(self.read(kind)) >= number)
        return self.read(kind)[number - 1]

    def write(
        self,
        question: Envelope,
        message: Model,
        *,
        signer: Identity | None = None,
        is_signed: bool = True,
        **changes: Any,
    ) -> dict[str, Any]:
        """Write an envelope that answers a question, with changes that are signed too."""
        fields = {
            "sender": self.address,
            "target": question.sender,
            "session": question.session,
            "schema_digest": Model.build_schema_digest(type(message)),
            "expires": int(time.time()) + 60,
            **changes,
        }
        envelope = Envelope(version=1, **fields)
        envelope.encode_payload(message.json())
        if is_signed:
            envelope.sign(signer or self.identity)
        found: dict[str, Any] = json.loads(envelope.model_dump_json())
        return found

    def post(self, envelope: dict[str, Any]) -> int:
        """Put an envelope into the mailbox of its target; return the status."""
        return self._send("/v2/agents/mailbox/submit", json.dumps(envelope, ensure_ascii=True))

    def _send(self, path: str, text: str) -> int:
        url = f"{self._agentverse.url}{path}"
        return httpx.post(url, content=text, trust_env=False, verify=False).status_code  # noqa: S501 - no TLS

    def answer(self, question: Envelope, *messages: Model) -> None:
        """Answer a question."""
        for message in messages:
            assert self.post(self.write(question, message)) == 200

    def acknowledge(self, question: Envelope) -> None:
        """Acknowledge a question."""
        msg_id = UUID(json.loads(question.decode_payload())["msg_id"])
        self.answer(question, ChatAcknowledgement(msg_id))
