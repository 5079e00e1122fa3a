"""An endpoint of one's own: any ASGI server serves it, on a loop of its own."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
import uvicorn

from langchain_asi_one.agents import AgentChat, AgentTimeoutError
from langchain_asi_one.agents._envelope import MAX_BYTES
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.support.patience import PATIENCE, eventually
from tests.support.puppet import Puppet, say


@pytest.fixture
def served(_agentverse: LocalAgentverse) -> Iterator[tuple[AgentChat, str]]:
    """An identity whose endpoint is served by uvicorn."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/agent"
    chat = AgentChat(
        seed=secrets.token_hex(), agentverse=_agentverse.url, inbox=url, quiet=PATIENCE
    )
    server = uvicorn.Server(
        uvicorn.Config(chat.app, log_level="critical", lifespan="on", ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    assert eventually(lambda: server.started)
    yield chat, url
    server.should_exit = True
    thread.join(PATIENCE)
    listener.close()
    chat.close()


def test_agents_answer_to_the_endpoint(
    agentverse: LocalAgentverse, served: tuple[AgentChat, str]
) -> None:
    chat, url = served
    agents = [agentverse.agent(behaviour) for behaviour in ("echo", "parts", "no_ack")]
    with ThreadPoolExecutor() as pool:
        texts = [*pool.map(lambda agent: chat.ask(agent, "Rain?").text, agents)]
    assert [text.splitlines()[-1] for text in texts] == [
        "echo: Rain?",
        "part 3 of 3: Rain?",
        "echo: Rain?",
    ]
    paths = [one.path for one in agentverse.requests]
    assert not [path for path in paths if "mailbox" in path]
    registrations = [one for one in agentverse.requests if one.path == "/v1/almanac/agents"]
    assert [one.body["endpoints"] for one in registrations] == [[{"url": url, "weight": 1}]]
    assert "authorization" not in registrations[0].headers  # no account is needed


def test_a_forged_letter_at_the_door_changes_nothing(
    agentverse: LocalAgentverse, served: tuple[AgentChat, str], puppet: Puppet
) -> None:
    chat, url = served
    stranger = Puppet(agentverse)
    with ThreadPoolExecutor() as pool, httpx.Client(trust_env=False, verify=False) as client:  # noqa: S501 - no TLS
        future = pool.submit(chat.ask, puppet.address, "Rain?", timeout=PATIENCE)
        question = puppet.wait_for()
        forged = [
            puppet.write(question, say("FORGED"), is_signed=False),
            puppet.write(question, say("FORGED"), signer=stranger.identity),
            stranger.write(question, say("FORGED")),
            puppet.write(question, say("FORGED"), session=uuid4()),
            {"odd": True},
        ]
        # A stranger learns nothing from the answer.
        answers = [client.post(url, json=letter) for letter in forged]
        assert {(one.status_code, one.text) for one in answers} == {(200, "{}")}
        odd = [client.post(url, content=body) for body in (b"", b"[]", b"{", b"\xff", b"7")]
        assert {one.status_code for one in odd} == {400}
        assert client.post(url, content=b" " * (MAX_BYTES + 1)).status_code == 413
        assert client.get(url).status_code == 405
        client.post(url, json=puppet.write(question, say("It rains.")))
        assert future.result().text == "It rains."


def test_a_silent_agent_may_not_reach_the_endpoint(
    agentverse: LocalAgentverse, served: tuple[AgentChat, str]
) -> None:
    chat, url = served
    with pytest.raises(AgentTimeoutError, match=f"answers are to come to {url}: is it served"):
        chat.ask(agentverse.agent("silent"), "Rain?", timeout=0.3)


def test_a_mailbox_serves_no_endpoint(chat: AgentChat, served: tuple[AgentChat, str]) -> None:
    with pytest.raises(ValueError, match="the inbox is a mailbox"):
        _ = chat.app
    with pytest.raises(ValueError, match="needs inbox='mailbox'"):
        served[0].durable_worker()
    with pytest.raises(ValueError, match="only a mailbox is registered"):
        served[0].register()


def test_a_websocket_is_closed(served: tuple[AgentChat, str]) -> None:
    import asyncio

    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    asyncio.run(served[0].app({"type": "websocket"}, receive, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1000}]
