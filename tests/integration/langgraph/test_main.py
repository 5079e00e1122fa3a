"""`python -m langchain_asi_one.langgraph` as a process, against the stand-in over a real socket."""

from __future__ import annotations

import re
import signal
import sys
from typing import Any

import pytest

from langchain_asi_one.langgraph.__main__ import main
from langchain_asi_one.testing import LocalASIOne, answer
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT
from tests.support.command import (
    Finished,
    run_main,
    run_process,
    run_unread,
    start_read,
)
from tests.support.model import API_KEY

COMMAND = (sys.executable, "-m", "langchain_asi_one.langgraph")
QUESTION = "Which bad agent knows the weather?"
WEATHER, FLIGHTS = WEATHER_AGENT["address"], FLIGHT_AGENT["address"]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31m\rover [bold red]"


@pytest.fixture
def live(server: LocalASIOne) -> dict[str, str]:
    """The environment of a user whose API is at the stand-in's address."""
    return {"ASI_ONE_BASE_URL": server.base_url, "ASI_ONE_API_KEY": API_KEY}


def run(*arguments: str, typed: str = "", **added: str) -> Finished:
    return run_main(main, arguments, added, typed)


GRAPH = """\
Graph
        ╭───────╮
        │ start │
        ╰───┬───╯
        ┌───▼───┐
        │ model │
        └───┬───┘
   ┌────────▼────────┐
   │ executable_data │
   └────────┬────────┘
    ┌───────▼───────┐
    │ review_agents │
    └┬──────┬───────┘
  ╭┄┄╯      ┆
  ┆   ┌─────▼─────┐
  ┆   │ ask_agent │
  ┆   └─────┬─────┘
  ┆         │
  ┆ ┌───────▼───────┐
  ┆ │ report_agents │
  ┆ └───────┬───────┘
  ┆         │
  ┆    ┌────▼────┐
  ┆    │ answer  │
  ┆    └────┬────┘
  ╰┄┄┄┄┄┄╮  │
        ╭▼──▼───╮
        │  end  │
        ╰───────╯
"""

ROUTED = """\
Asking {url}, which is not ASI:One's own address

{graph}
Question
  Which bad agent knows the weather?

Answer
  [local stand-in] You said: "Which bad agent knows the weather?". This is turn 1 of the session.

Agents named
  Stand-in Weather
    {weather}
    allowed
  Stand-in Flights
    {flights}
    ! refused: not among the agents that may be asked
  Stand-in Impostor
    (no address or handle that holds)
    ! refused: `address` is not an agent address (bech32, 'agent1' and 59 characters, checksum): \
'{impostor}'.

Review
  1. Ask the agent {weather}.
     Name, by its author: "Stand-in Weather"
     Description, by its author: "Example agent of the local stand-in: tells the weather."

Decisions
  1. approve, by this command; with --review it asks you

Agent asked
  {weather}
    [local stand-in] Stand-in Weather, asked "Which bad agent knows the weather?": 18 °C and \
light rain.
    asked      through ASI:One, which tells what the agent said; unsigned
    session    {asked}

Answer
  [local stand-in] The agents answered: Stand-in Weather, asked "Which bad agent knows the \
weather?": 18 °C and light rain.

Session
  {session}
"""


@pytest.mark.no_cover
def test_allowed_agents_are_asked_and_others_refused(
    server: LocalASIOne, live: dict[str, str]
) -> None:
    finished = run_process(*COMMAND, QUESTION, **live)
    first, asked, last = server.requests
    expected = ROUTED.format(
        url=server.base_url,
        graph=GRAPH,
        weather=WEATHER,
        flights=FLIGHTS,
        impostor=WEATHER[:-1] + "3",
        session=first.session_id,
        asked=asked.session_id,
    )
    assert (finished.returncode, finished.stderr, finished.stdout) == (0, "", expected)
    # The agent is asked by its address, in its own session, with the user's words only.
    assert last.session_id == first.session_id != asked.session_id
    assert asked.body == {
        "model": "asi1",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": False,
        "planner_mode": True,
        "agents": [WEATHER],
    }
    for request in (first, last):
        assert not {"planner_mode", "agents"} & request.body.keys()


def test_offline_asks_the_stand_in_and_nobody_else(
    server: LocalASIOne, live: dict[str, str]
) -> None:
    finished = run("--offline", **live)
    assert (finished.returncode, finished.stderr) == (0, "")
    first = finished.stdout.splitlines()[0]
    assert re.fullmatch(
        r"Asking the local stand-in, not the API, at http://127\.0\.0\.1:\d+/v1", first
    )
    assert server.base_url not in first
    assert server.requests == []
    # The question that is asked if none is given shows both reasons to refuse.
    for shown in ("    allowed\n", "! refused: not among", "! refused: `address` is not"):
        assert finished.stdout.count(shown) == 1
    question = "Which good and bad agents tell the weather in Paris?"
    why = "(Asked about bad agents, the stand-in also names one whose address is wrong.)"
    assert f"\nQuestion\n  {question}\n  {why}\n\n" in finished.stdout


def test_an_agent_is_asked_directly_and_its_signed_answer_comes_back() -> None:
    finished = run("--offline", "--direct")
    assert (finished.returncode, finished.stderr) == (0, "")
    asks, agents, *_ = finished.stdout.splitlines()[:2]
    assert asks.startswith("Asking the local stand-in, not the API, at http://127.0.0.1:")
    me, where = re.fullmatch(r"Asking agents as (agent1\w+) by a mailbox on (.+)", agents).groups()  # type: ignore[union-attr]
    assert where.startswith("a local Agentverse, not the real one, at http://127.0.0.1:")
    # ASI:One names two agents and one that is none; the rule allows the first only.
    named = finished.stdout.partition("\nAgents named\n")[2].partition("\n\n")[0]
    [(address, verdict), (other, refusal)] = re.findall(r"(agent1\w{59})\n    (.+)", named)[:2]
    assert (verdict, refusal) == ("allowed", "! refused: not among the agents that may be asked")
    shown = finished.stdout.partition("\nAgent asked\n")[2].partition("\n\n")[0]
    answer = "Sunny, 21 °C, says this local agent, which has not looked."
    assert re.fullmatch(
        rf"  {address}\n    {answer}\n    asked      directly, the answer came by mailbox\n"
        rf"    signed by  {address}\n    session    [0-9a-f-]{{36}}",
        shown,
    )
    assert len({me, address, other}) == 3
    # The model gets the answer as data, and sums it up.
    assert f"\n  [local stand-in] The agents answered: {answer}\n" in finished.stdout


def test_nobody_asks_directly_without_a_seed(live: dict[str, str]) -> None:
    finished = run("Hello", "--direct", **live, AGENTVERSE_AGENT_SEED="", AGENT_URI="")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr.startswith("error: who asks agents needs an identity of its own")
    assert finished.stderr.endswith("; or add --offline to ask agents on this machine\n")
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "allowed", "decisions", "asked"),
    [
        ("y\nn\n", (WEATHER, FLIGHTS), ["approve", "reject"], [[WEATHER]]),
        ("", (FLIGHTS,), ["reject"], []),
    ],
)
def test_a_person_decides(
    server: LocalASIOne,
    live: dict[str, str],
    typed: str,
    allowed: tuple[str, ...],
    decisions: list[str],
    asked: list[list[str]],
) -> None:
    options = [part for agent in allowed for part in ("--allow", agent)]
    finished = run(QUESTION, "--review", *options, typed=typed, **live)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert re.findall(r"\d\. (\w+), by you", finished.stdout) == decisions
    assert [r.body["agents"] for r in server.requests if "agents" in r.body] == asked
    assert finished.stdout.count("\nAgent asked\n") == len(asked)


def test_no_agent_is_allowed(server: LocalASIOne, live: dict[str, str]) -> None:
    finished = run(QUESTION, "--allow", "@somebody-else", **live)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "No agent is asked: allow one with --allow AGENT." in finished.stdout
    assert "Review" not in finished.stdout
    assert len(server.requests) == 1


def named(*entries: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": HOSTILE, "executable_data": list(entries)}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def test_an_agent_that_cannot_be_asked_is_told(server: LocalASIOne, live: dict[str, str]) -> None:
    server.enqueue(answer(named({"handle": "weather"})))
    finished = run("--allow", "@weather", **live)
    reason = "the agent was named without an address, which ASI:One needs to ask it"
    assert (finished.returncode, finished.stderr) == (
        0,
        f"warning: Asking the agent weather failed: ValueError: {reason}\n",
    )
    assert f"  @weather\n    ! no answer: ValueError: {reason}\n" in finished.stdout
    assert len(server.requests) == 2


def test_untrusted_text_does_nothing(server: LocalASIOne, live: dict[str, str]) -> None:
    entry = {"address": WEATHER, "name": HOSTILE, "description": HOSTILE, "handle": HOSTILE}
    server.enqueue(answer(named(entry, {"name": HOSTILE, "address": HOSTILE})))
    server.enqueue(answer(named()), answer(named()))
    finished = run(**live)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert [c for c in finished.stdout if c != "\n" and not c.isprintable()] == []
    assert finished.stdout.count(r"\x1b[2J\x1b]0;owned\x07\u202egnp.exe\x9b31mover") >= 5


def test_no_agent_is_named_and_the_output_has_no_unicode(live: dict[str, str]) -> None:
    finished = run("Hello", **live, PYTHONIOENCODING="ascii")
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "\nAgents named\n  No agent is asked: none was named.\n" in finished.stdout
    drawn = "  ...+      :\n  :   +-----v-----+\n  :   | ask_agent |\n  :   +-----+-----+\n"
    assert drawn.replace("...", "+..") in finished.stdout


def test_no_key_is_an_error_and_not_a_fall_back() -> None:
    finished = run("Hello")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == (
        "error: there is no API key: set ASI_ONE_API_KEY (keys are made at https://asi1.ai), "
        "or add --offline to ask the local stand-in.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([" "], "the question is empty"),
        (["Hello", "--reviews"], "unrecognized argument: --reviews. Did you mean --review?"),
        (["--allow", WEATHER[:-1] + "3"], "which is neither an agent address"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    printed = capsys.readouterr()
    assert (stopped.value.code, printed.out) == (2, "")
    assert words in printed.err


def test_a_failed_call_is_one_message(live: dict[str, str]) -> None:
    finished = run("[fault: http_401]", **live)
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: ")
    assert finished.stderr.count("\n") == 1
    assert "401 Unauthorized" in finished.stderr
    assert API_KEY not in finished.stderr


@pytest.mark.no_cover
def test_interrupted_while_a_person_is_asked(live: dict[str, str]) -> None:
    with start_read(main.__module__, QUESTION, "--review", **live) as (process, output):
        printed = b""
        while not printed.endswith(b"[y/N] "):
            piece = output.read(1)
            assert piece, printed
            printed += piece
        process.send_signal(signal.SIGINT)
    done = process.finish()
    assert (done.returncode, done.stderr) == (130, "error: interrupted.\n")


@pytest.mark.no_cover
def test_nobody_reads_the_output(live: dict[str, str]) -> None:
    finished = run_unread(main.__module__, QUESTION, **live)
    assert (finished.returncode, finished.stderr) == (141, "")
