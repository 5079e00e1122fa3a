"""`python -m langchain_asi_one.agents`, against a local Agentverse over real sockets."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver

from langchain_asi_one import ChatASIOne
from langchain_asi_one._cli import agents as command
from langchain_asi_one._cli.asker import Asker
from langchain_asi_one.agents import AgentChat
from langchain_asi_one.agents.__main__ import main
from langchain_asi_one.agents._inbox import Letter
from langchain_asi_one.display import card
from langchain_asi_one.langgraph import create_asi_one_graph
from langchain_asi_one.testing import local_agentverse, local_asi_one
from langchain_asi_one.testing._agentverse.server import LocalAgentverse
from tests.support.command import Finished, environment, run_main, run_unread
from tests.support.patience import PATIENCE
from tests.support.record_agents import main as record_main
from tests.support.record_agents import record

COMMAND: Final = (sys.executable, "-m", "langchain_asi_one.agents")
SEED: Final = "a seed of the tests of the command"
NO_SEED: Final = {"AGENTVERSE_AGENT_SEED": "", "AGENT_URI": "", "AGENTVERSE_API_KEY": ""}
HOSTILE: Final = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m\nover [bold red]"
ESCAPED: Final = r"\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m"


@pytest.fixture(scope="module")
def agentverse() -> Iterator[LocalAgentverse]:
    with local_agentverse() as server:
        yield server


def run(*arguments: str, typed: str = "", **added: str) -> Finished:
    return run_main(main, arguments, {**NO_SEED, **added}, typed)


@pytest.fixture
def chat(agentverse: LocalAgentverse, monkeypatch: pytest.MonkeyPatch) -> AgentChat:
    """The command asks as this identity, on an Agentverse that goes on when the command ends."""
    made = AgentChat(
        seed=f"{SEED} {secrets.token_hex()}",  # a mailbox of its own
        api_key=agentverse.api_key,
        agentverse=agentverse.url,
        poll_interval=0.02,
        quiet=0.1,
    )

    @contextmanager
    def open_asker(*, offline: bool) -> Iterator[Asker]:
        assert not offline
        yield Asker(made, agentverse.url)

    monkeypatch.setattr(command, "open_asker", open_asker)
    return made


def test_an_agent_is_asked_by_a_process_that_reads_standard_input() -> None:
    """One process: standard input, one JSON object, nothing on standard error."""
    done = subprocess.run(
        [*COMMAND, "ask", "@local-weather", "--offline", "--json"],
        input="What is the weather?\n",
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
        env=environment(NO_SEED),
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said.pop("answer") == said.pop("content")
    assert re.fullmatch(r"[0-9a-f-]{36}", said.pop("session_id"))
    assert said.pop("agent").startswith("agent1q")
    assert said == {"acknowledged": True, "ended": "end-session", "inbox": "mailbox"}


def test_nobody_reads_the_output() -> None:
    finished = run_unread(main.__module__, "register", "--offline", **NO_SEED)
    assert (finished.returncode, finished.stderr) == (141, "")


def test_it_shows_who_has_signed_what(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    agent = agentverse.agent()
    finished = run("ask", agent, "Hello", "there", "--session", "ours")
    assert (finished.returncode, finished.stderr) == (0, "")
    first, *rest = finished.stdout.splitlines()
    where = f"by a mailbox on Agentverse at {agentverse.url}"
    assert first == f"Asking agents as {chat.address} {where}"
    assert rest[:-1] == [
        "",
        "Answer",
        "  echo: Hello there",
        "",
        "About this answer",
        "  asked      directly, the answer came by mailbox",
        f"  signed by  {agent}",
    ]
    assert rest[-1].startswith("  session    ")


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("error", "answered with an error: The agent is out of credit."),
        ("payment", "asks for a payment first: 0.1 FET; nothing was paid"),
    ],
)
@pytest.mark.usefixtures("chat")
def test_a_failure_is_one_line(agentverse: LocalAgentverse, behaviour: Any, words: str) -> None:
    agent = agentverse.agent(behaviour)
    finished = run("ask", agent, "Hello")
    assert finished.returncode == 1
    assert finished.stderr.startswith(f"error: the agent {agent} {words}")
    assert finished.stderr.count("\n") == 1
    assert SEED not in finished.stdout + finished.stderr


@pytest.mark.usefixtures("chat")
def test_what_an_agent_says_does_nothing_to_a_terminal(agentverse: LocalAgentverse) -> None:
    agent = agentverse.agent(lambda _: HOSTILE)
    finished = run("ask", agent, "Hello")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert [c for c in finished.stdout if c != "\n" and not c.isprintable()] == []
    assert ESCAPED in finished.stdout


def test_mail_is_shown() -> None:
    # With --offline the command asks an agent first.
    finished = run("inbox", "--offline")
    assert (finished.returncode, finished.stderr) == (0, "")
    mail = finished.stdout.partition("\nMail (2)\n")[2]
    assert re.findall(r"kind +(.+)", mail) == ["acknowledgement", "answer"]
    assert len(set(re.findall(r"session +(.+)", mail))) == 1
    [agent] = {*re.findall(r"signed by +(\w+), checked", mail)}
    assert mail.count(f"  {agent}\n") == 2
    assert "text       Sunny, 21 °C" in mail


def test_mail_of_strangers_is_told_apart(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    assert run("inbox").stdout.endswith("\nMail\n  (none)\n")
    agent = agentverse.agent()
    forged = {
        "version": 1,
        "sender": agent,
        "target": chat.address,
        "session": "2f18a9c6-1348-46c3-afdd-8a8dc7ab33f2",
        "schema_digest": "model:2601825997203ee07dbb9ff6e7c71ae7bdaf6a7c8b817361f2f88f4b29c68d0c",
        "payload": "e30=",
        "signature": "sig1forged",
    }
    lines = [
        f"{line.start}{line.text}"
        for envelope in (forged, {"no": "envelope"})
        for line in command._describe_letter(Letter(envelope), chat.address)
    ]
    assert lines == [
        f"  {agent}",
        "    ! its signature is missing or wrong, so it never counts as an answer",
        "  (unknown sender)",
        "    ! it is no envelope",
    ]


def test_an_identity_is_registered(agentverse: LocalAgentverse, chat: AgentChat) -> None:
    finished = run("register", "--description", "Asks in tests.")
    assert (finished.returncode, finished.stderr) == (0, "")
    where = f"with a mailbox on Agentverse at {agentverse.url}"
    assert finished.stdout == f"Registered {chat.address} {where}\n"
    assert agentverse.mail(chat.address) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ask", "agent1q", "Hello"), "error: who asks agents needs an identity of its own"),
        (("register",), "error: who asks agents needs an identity of its own"),
        (("inbox",), "error: who asks agents needs an identity of its own"),
        (("ask", "agent1q", "Hello", "--offline"), "is neither the address of an agent"),
        (("register", "--offline", "--description", "x" * 301), "error: description must have"),
        (("ask", "@a"), "the question is empty"),
        (("ask", "@a", "Hello", "--timeot"), "Did you mean --timeout?"),
        (("ask", "@a", "Hello", "--timeout", "0"), "must be a number of seconds above 0"),
        (("ask", "@a", "Hello", "--timeout", "long"), "must be a number of seconds above 0"),
        (("ask", "@a", " "), "the question is empty"),
        (("inbox", "--all"), "unrecognized arguments: --all"),
        (("serve",), "invalid choice: 'serve'"),
        ((), "the following arguments are required"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    finished = run(*arguments)
    assert (finished.returncode, finished.stdout.count("\nAnswer\n")) == (2, 0)
    assert words in finished.stderr


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_asi_one.testing", None)
    finished = run("inbox", "--offline")
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: ")
    assert finished.stderr.count("\n") == 1


def test_envelopes_are_recorded(agentverse: LocalAgentverse, tmp_path: Path) -> None:
    chat = AgentChat(
        seed=SEED, api_key=agentverse.api_key, agentverse=agentverse.url, poll_interval=0.02
    )
    agents = [agentverse.agent(), agentverse.agent("error")]
    told = record(chat, agents, tmp_path)
    assert told[0] == f"{agents[0]}: 2 envelopes, end-session"
    assert told[1].startswith(f"{agents[1]}: 2 envelopes, AgentRefusedError: ")
    kept = [json.loads(path.read_text("utf-8")) for path in sorted(tmp_path.iterdir())]
    assert {one["sender"] for one in kept} == {*agents}
    assert len({one["session"] for one in kept}) == 2
    assert agentverse.api_key not in "".join(map(str, kept))


def test_nothing_is_recorded_without_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AGENTVERSE_API_KEY", raising=False)
    monkeypatch.setenv("AGENTVERSE_AGENT_SEED", SEED)
    assert record_main() == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("error: AGENTVERSE_API_KEY not set. Recording asks real agents")
    assert (printed.err.count("\n"), printed.out) == (1, "")


async def test_a_snapshot_shows_whose_answer_is_awaited(
    agentverse: LocalAgentverse, chat: AgentChat
) -> None:
    """A run that is left after the question was sent, as by a killed process."""
    agent = agentverse.agent("ack_only")
    with local_asi_one(agents=[agent]) as server:
        graph = create_asi_one_graph(
            ChatASIOne(base_url=server.base_url, api_key="any"),
            allow={agent},
            worker=chat.durable_worker(),
            checkpointer=InMemorySaver(),
        )
        config: RunnableConfig = {"configurable": {"thread_id": "1"}}
        question: Any = {"messages": [("user", "Which agent knows it?")]}
        run = graph.astream(
            question, config, stream_mode="updates", subgraphs=True, durability="sync"
        )
        async with aclosing(cast("AsyncGenerator[Any]", run)) as updates:
            async for _, update in updates:
                if "send" in update:
                    break
    shown = str(card(graph, graph.get_state(config)))
    assert "… pending: it may be asked, and has not answered yet\n" in shown
    assert "The run has not ended: it goes on with ask_agent." in shown
    assert f"address  {agent}" in shown
