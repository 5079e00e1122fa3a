"""Real uAgents in one process; another interpreter runs this, with `uagents`.

bureau.py PORT AGENTVERSE [MORE]: `open` has an endpoint, `boxed` a mailbox, and so many more have
the endpoint, too. Their names and addresses are printed as JSON. The first word of a question says
what an agent does with it. `register` and `resolve` use the clients of uAgents that a Bureau does
not.
"""

from __future__ import annotations

import asyncio
import json
import sys
from uuid import uuid4

import uagents.agent
import uagents.asgi
from uagents import Agent, Bureau, Context, Protocol
from uagents.mailbox import MailboxClient
from uagents.registration import (
    AlmanacApiRegistrationPolicy,
    BatchAlmanacApiRegistrationPolicy,
    update_agent_status,
)
from uagents.resolver import AlmanacApiResolver
from uagents_core.contrib.protocols.chat import (
    ChatAcknowledgement,
    ChatMessage,
    EndSessionContent,
    Resource,
    ResourceContent,
    TextContent,
    chat_protocol_spec,
)
from uagents_core.contrib.protocols.payment import Funds, RequestPayment
from uagents_core.identity import Identity
from uagents_core.models import ErrorMessage
from uagents_core.registration import AgentStatusUpdate
from uagents_core.types import AgentEndpoint

uagents.asgi.HOST = "127.0.0.1"  # it would be all interfaces, and there is no setting
uagents.agent.get_almanac_contract = lambda _: None  # it asks a ledger on the Internet
PORT, AGENTVERSE, MORE = int(sys.argv[1]), sys.argv[2], int(["0", *sys.argv[3:]][-1])
ALMANAC = f"{AGENTVERSE}/v1/almanac"
END = EndSessionContent()
QUIET = ("quick", "silent")
"""First words of questions that are not acknowledged."""


def say(text: str, *more: object) -> ChatMessage:
    return ChatMessage([TextContent(text), *more])


async def take(ctx: Context, sender: str, message: ChatAcknowledgement) -> None:
    pass


async def answer(ctx: Context, sender: str, message: ChatMessage) -> None:
    word, _, rest = message.text().partition(" ")
    if word not in QUIET:
        await ctx.send(sender, ChatAcknowledgement(message.msg_id))
    if word == "slow":
        await asyncio.sleep(0.5)
    if word == "parts":
        for number in range(3):
            await ctx.send(sender, say(f"part {number} "))
            await asyncio.sleep(0.05)
        await ctx.send(sender, ChatMessage([END]))
    elif word not in ("ack", "silent"):
        await ctx.send(sender, await make_answer(ctx, word, rest))


async def make_answer(ctx: Context, word: str, rest: str) -> object:
    if word == "unended":
        return say(f"echo: {rest}")
    if word == "error":
        return ErrorMessage(error="out of credit")
    if word == "pay":
        funds = [Funds(amount="0.1", currency="FET")]
        return RequestPayment(accepted_funds=funds, recipient="fetch1x", deadline_seconds=300)
    if word == "picture":
        metadata = {"mime_type": "image/png", "role": "picture"}
        picture = Resource(uri="https://pictures.example/x.png", metadata=metadata)
        return say("here", ResourceContent(uuid4(), picture), END)
    if word == "ask":
        target, _, text = rest.partition(" ")
        reply, status = await ctx.send_and_receive(
            target, say(text), {ChatMessage, ErrorMessage}, timeout=20
        )
        return say(reply.text() if isinstance(reply, ChatMessage) else f"{status}", END)
    if word == "register":
        return say(await register(rest), END)
    if word == "resolve":
        _, endpoints = await AlmanacApiResolver(almanac_api_url=ALMANAC).resolve(rest)
        return say(json.dumps(endpoints), END)
    return say(f"echo: {rest}", END)


async def register(seed: str) -> str:
    """Register an identity by itself, and say that it is not there."""
    identity = Identity.from_seed(seed, 0)
    endpoints = [AgentEndpoint(url="http://127.0.0.1:9/submit", weight=2)]
    await AlmanacApiRegistrationPolicy(almanac_api=ALMANAC, max_retries=1).register(
        f"agent://{identity.address}", identity, ["proto:x"], endpoints, {"geolocation": {"a": 1}}
    )
    update = AgentStatusUpdate(agent_identifier=identity.address, is_active=False)
    update.sign(identity)
    await update_agent_status(update, ALMANAC)
    return str(identity.address)


def make_agent(name: str, loop: asyncio.AbstractEventLoop, **options: object) -> Agent:
    agent = Agent(
        name=name,
        seed=f"{name} of the tests at {PORT}",
        port=PORT,
        loop=loop,
        agentverse=AGENTVERSE,
        report_events=False,
        mark_inactive_on_shutdown=False,
        handle_messages_concurrently=True,
        log_level="WARNING",
        **options,
    )
    chat = Protocol(spec=chat_protocol_spec)
    chat.on_message(ChatMessage)(answer)
    chat.on_message(ChatAcknowledgement)(take)
    agent.include(chat, publish_manifest=True)
    return agent


def main() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    endpoint = [f"http://127.0.0.1:{PORT}/submit"]
    opened = make_agent("open", loop, enable_agent_inspector=False)
    boxed = make_agent("boxed", loop, mailbox=True)
    assert isinstance(boxed.mailbox_client, MailboxClient)
    boxed.mailbox_client._poll_interval = 0.1
    more = [make_agent(f"agent {n}", loop, enable_agent_inspector=False) for n in range(MORE)]
    agents = [opened, boxed, *more]
    bureau = Bureau(
        agents=agents,
        port=PORT,
        endpoint=endpoint,
        agentverse=AGENTVERSE,
        loop=loop,
        registration_policy=BatchAlmanacApiRegistrationPolicy(almanac_api=ALMANAC),
        log_level="WARNING",
    )
    print(json.dumps({one.name: one.address for one in agents}), flush=True)
    bureau.run()


main()
