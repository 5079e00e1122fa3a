"""The server's agents: they read questions and send signed answers."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from pydantic.v1 import ValidationError
from uagents_core.contrib.protocols.chat import (
    ChatAcknowledgement,
    ChatMessage,
    chat_protocol_spec,
)
from uagents_core.contrib.protocols.payment import RequestPayment
from uagents_core.envelope import Envelope
from uagents_core.models import ErrorMessage, Model

from langchain_asi_one.testing._agentverse.behaviours import list_steps, make_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from uagents_core.identity import Identity

    from langchain_asi_one.testing._agentverse.behaviours import Behaviour

logger = logging.getLogger("langchain_asi_one.testing")

CHAT_PROTOCOL: str = chat_protocol_spec.digest
_DIGESTS = {
    model: Model.build_schema_digest(model)
    for model in (ChatAcknowledgement, ChatMessage, ErrorMessage, RequestPayment)
}
_LIFETIME = 60
_MOST_ENDPOINTS = 3


@dataclass(frozen=True)
class LocalAgent:
    """One agent.

    Args:
        identity: Its key.
        behaviour: What it does with a question.
        delay: Seconds of each pause.
    """

    identity: Identity = field(repr=False)
    behaviour: Behaviour
    delay: float

    async def answer(self, question: ChatMessage) -> AsyncIterator[Model]:
        """Yield the messages that follow a question, each in its time."""
        if not isinstance(self.behaviour, str):
            yield ChatAcknowledgement(question.msg_id)
            await asyncio.sleep(self.delay)
            yield await _call(self.behaviour, question)
            return
        for step in list_steps(self.behaviour, question):
            if step is None:
                await asyncio.sleep(self.delay)
            else:
                yield step


async def _call(function: Callable[[str], Any], question: ChatMessage) -> Model:
    """Return what a test's function answers, or that it failed."""
    try:
        return make_message(await asyncio.to_thread(function, question.text()))
    except Exception:
        logger.exception("The function of a local agent raised")
        return ErrorMessage(error="The agent could not answer.")


def read_question(envelope: Envelope) -> ChatMessage | None:
    """Return an envelope's chat message; ``None`` if it holds something else."""
    if envelope.schema_digest != _DIGESTS[ChatMessage]:
        return None
    try:
        message: ChatMessage = ChatMessage.parse_raw(envelope.decode_payload())
    except (ValidationError, ValueError):
        return None
    return message


def seal(sender: Identity, target: str, session: UUID, message: Model) -> Envelope:
    """Return a signed envelope."""
    envelope = Envelope(
        version=1,
        sender=sender.address,
        target=target,
        session=session,
        schema_digest=_DIGESTS[type(message)],
        protocol_digest=CHAT_PROTOCOL,
        expires=int(time.time()) + _LIFETIME,
    )
    envelope.encode_payload(message.json())
    envelope.sign(sender)
    return envelope


async def deliver(client: httpx.AsyncClient, envelope: Envelope, urls: list[str]) -> None:
    """Post an envelope to the first endpoint that takes it.

    Only this machine is asked.
    """
    for url in [url for url in urls if is_local(url)][:_MOST_ENDPOINTS]:
        try:
            response = await client.post(
                url,
                content=envelope.model_dump_json(),
                headers={"content-type": "application/json"},
            )
        except httpx.HTTPError as error:
            logger.debug("A local agent could not post to %s: %s", url, type(error).__name__)
            continue
        if response.is_success:
            return
        logger.debug("A local agent's envelope was refused with %d", response.status_code)


def is_local(url: str) -> bool:
    """Return whether an endpoint is a plain one of this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "http" and (
            host == "localhost" or ipaddress.ip_address(host).is_loopback
        )
    except ValueError:
        return False
