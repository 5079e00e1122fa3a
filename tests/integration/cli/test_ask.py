"""`python -m langchain_asi_one`: flags, output, errors and exit statuses, over a real socket."""

from __future__ import annotations

import json
import re
import signal
import sys
from typing import Any

import pytest

import langchain_asi_one.__main__ as question
from langchain_asi_one.testing import LocalASIOne
from tests.support.command import (
    COMMAND,
    Finished,
    run,
    run_main,
    run_process,
    run_unread,
    start_read,
)
from tests.support.model import API_KEY
from tests.support.patience import FOREVER

QUESTION = "Which bad agent can tell me the weather in Paris?"
SESSION = "4f3c2b1a-0d9e-4c8b-9a7f-6e5d4c3b2a10"


@pytest.fixture
def live(server: LocalASIOne) -> dict[str, str]:
    """The environment of a user whose API is at the stand-in's address."""
    return {"ASI_ONE_BASE_URL": server.base_url, "ASI_ONE_API_KEY": API_KEY}


def data_of(finished: Finished) -> dict[str, Any]:
    assert (finished.returncode, finished.stderr) == (0, "")
    data = json.loads(finished.stdout)
    assert isinstance(data, dict)
    return data


PLAIN = """\
Asking {url}, which is not ASI:One's own address

Thought
  The user said 'Which bad agent can tell me the weather in Paris?'. A stand-in has no model, \
so a fixed rule answers.

Answer
  [local stand-in] You said: "Which bad agent can tell me the weather in Paris?". \
This is turn 1 of the session.

Steps
  1. action  search_agents
     input   Which bad agent can tell me the weather in Paris?
     status  completed
  2. action  rank_agents
     output  ["Stand-in Weather", "Stand-in Flights"]
     status  completed

Tools that ASI:One ran
  1. id         {tool}
     tool_name  web_search
     args       {{"query": "Which bad agent can tell me the weather in Paris?"}}
     result     {{"results": [{{"title": "[local stand-in] No search was made", \
"url": "https://example.com/stand-in"}}]}}

Agents named
  Stand-in Weather
    handle   @stand-in-weather
    address  agent1q2s25dz79wlykf8kczjw0333y9ru5dl42vflyks9tvrz4qcny7gucd0pk92
    rating   4.5
    about    Example agent of the local stand-in: tells the weather.
  Stand-in Flights
    handle   @stand-in-flights
    address  agent1qg0jawpnuknvqmqv3cf7q5jtccmhfur0uj2thhuz3xenggnlv8qyyg9vrl7
    about    Example agent of the local stand-in: finds flights.
  Stand-in Impostor
    handle  @stand-in-impostor
    rating  4.5
    about   Example entry whose address has one wrong character.
    ! `address` is not an agent address (bech32, 'agent1' and 59 characters, checksum): \
'agent1q2s25dz79wlykf8kczjw0333y9ru5dl42vflyks9tvrz4qcny7gucd0pk93'.

About this answer
  model    asi1-ultra
  session  {session}
  tokens   14 in, 44 out (23 to think, 52%), 58 in all
"""


@pytest.mark.no_cover
def test_a_question_through_the_graph(server: LocalASIOne, live: dict[str, str]) -> None:
    arguments = ("--model", "asi1-ultra", "--session", SESSION, "--web-search", QUESTION)
    finished = run_process(*COMMAND, *arguments, **live)
    tool = re.search(r"toolcall-\w+", finished.stdout)
    assert tool
    expected = PLAIN.format(url=server.base_url, tool=tool[0], session=SESSION)
    assert (finished.returncode, finished.stderr, finished.stdout) == (0, "", expected)
    [request] = server.requests
    assert request.session_id == SESSION
    assert request.body == {
        "model": "asi1-ultra",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "web_search": True,
    }


def test_planner(server: LocalASIOne, live: dict[str, str]) -> None:
    data = data_of(run("Book a flight", "--planner", "--json", **live))
    assert server.requests[0].body["planner_mode"] is True
    assert data["plan_state"]["status"] == "completed"
    assert [entry["name"] for entry in data["named"]] == ["Stand-in Weather", "Stand-in Flights"]


def test_a_planner_run_is_printed_as_it_goes_on(live: dict[str, str]) -> None:
    finished = run("Book a flight", "--planner", **live)
    _, _, rest = finished.stdout.partition("\nAgents at work\n")
    assert rest.startswith("""\
  status  planning
  goal  Book a flight
  status  running
  1. Stand-in Weather  in_progress
  1. Stand-in Weather  completed
  2. Stand-in Flights  in_progress
  2. Stand-in Flights  completed
  status  completed

Thought
""")


def test_an_answer_that_comes_later_is_waited_for(
    server: LocalASIOne, live: dict[str, str]
) -> None:
    deferred = "Book a table. [deferred: 2]"
    told = run(deferred, **live).stdout
    assert "I've sent the message" in told
    assert "still pending" in told

    told = run("--wait", "0.01", deferred, **live).stdout
    assert told.index("I've sent the message") < told.index('You said: "Book a table."')
    assert "still pending" not in told
    assert data_of(run("--wait", "0.01", "--json", deferred, **live))["answer"].endswith("session.")


def test_json_is_one_object_with_everything(server: LocalASIOne, live: dict[str, str]) -> None:
    data = data_of(run(QUESTION, "--json", "--session", SESSION, **live))
    named, metadata = data.pop("named"), data.pop("response_metadata")
    executable = data.pop("executable_data")
    assert data == {
        "source": "other",
        "base_url": server.base_url,
        "model": "asi1",
        "session_id": SESSION,
        "thought": f"The user said '{QUESTION}'. A stand-in has no model, so a fixed rule answers.",
        "intermediate_steps": [
            {"step": 1, "action": "search_agents", "input": QUESTION, "status": "completed"},
            {
                "step": 2,
                "action": "rank_agents",
                "output": ["Stand-in Weather", "Stand-in Flights"],
                "status": "completed",
            },
        ],
        "answer": f'[local stand-in] You said: "{QUESTION}". This is turn 1 of the session.',
        "refusal": None,
        "tool_calls": [],
        "invalid_tool_calls": [],
        "server_tool_calls": [],
        "plan_state": None,
        "usage": {
            "input_tokens": 14,
            "output_tokens": 44,
            "total_tokens": 58,
            "output_token_details": {"reasoning": 23},
        },
        "finish_reason": "stop",
    }
    assert [entry["raw"] for entry in named] == executable
    assert [("address" in entry, "problems" in entry) for entry in named] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert metadata["model_provider"] == "asi-one"
    assert metadata["extra"]["metadata"] == {"stand_in": True}


def test_offline_asks_the_stand_in_and_nobody_else(
    server: LocalASIOne, live: dict[str, str]
) -> None:
    finished = run("Hello", "--offline", **live)
    assert (finished.returncode, finished.stderr) == (0, "")
    first = finished.stdout.splitlines()[0]
    assert re.fullmatch(
        r"Asking the local stand-in, not the API, at http://127\.0\.0\.1:\d+/v1", first
    )
    assert server.base_url not in first
    assert "[local stand-in] You said" in finished.stdout
    assert server.requests == []
    assert data_of(run("Hello", "--offline", "--json"))["source"] == "stand-in"


@pytest.mark.parametrize("key", [None, " "])
def test_no_key_is_an_error_and_not_a_fall_back(key: str | None) -> None:
    finished = run("Hello", **({} if key is None else {"ASI_ONE_API_KEY": key}))
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == (
        "error: there is no API key: set ASI_ONE_API_KEY (keys are made at https://asi1.ai), "
        "or add --offline to ask the local stand-in.\n"
    )


def test_offline_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):  # as if nobody had imported it
        if name.startswith("langchain_asi_one.testing"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    finished = run("Hello", "--offline")
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == (
        "error: langchain_asi_one.testing needs uvicorn, which is not installed; "
        "run: pip install starlette uvicorn\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "the question is empty"),
        ([" "], "the question is empty"),
        (["Hello", "--mode"], "unrecognized argument: --mode. Did you mean --model?"),
        (["Hello", "--session", "é", "--offline"], "error: session_id is sent as an HTTP header"),
        (["Hello", "--wait", "0", "--offline"], "error: --wait: interval must be"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str) -> None:
    finished = run(*arguments)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert words in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_question_from_standard_input(server: LocalASIOne, live: dict[str, str]) -> None:
    for arguments in ((), ("-",)):
        finished = run_main(question.main, arguments, live, "Hello,\nwho is there?\n")
        assert (finished.returncode, finished.stderr) == (0, "")
    asked = [request.body["messages"][0]["content"] for request in server.requests]
    assert asked == ["Hello,\nwho is there?\n"] * 2


def test_a_question_of_several_words(server: LocalASIOne, live: dict[str, str]) -> None:
    assert run("Who", "--json", "is", "there?", **live).returncode == 0
    assert run("--json", "--", "--is", "-5", "-", **live).returncode == 0
    asked = [request.body["messages"][0]["content"] for request in server.requests]
    assert asked == ["Who is there?", "--is -5 -"]


@pytest.mark.parametrize(("closed", "complaint"), [(">&-", True), (">&- 2>&-", False)])
def test_a_closed_standard_output(
    server: LocalASIOne, live: dict[str, str], closed: str, complaint: bool
) -> None:
    finished = run_process("sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "Hello", **live)
    said = "error: standard output is closed, so the answer could not be written.\n"
    assert (finished.returncode, finished.stderr) == (2, said if complaint else "")
    assert server.requests == []


def test_a_wrong_base_url() -> None:
    finished = run("Hello", ASI_ONE_API_KEY=API_KEY, ASI_ONE_BASE_URL="example.com")
    assert (finished.returncode, finished.stdout, finished.stderr) == (
        2,
        "",
        "error: ASI_ONE_BASE_URL must be like 'https://api.asi1.ai/v1'; got 'example.com'.\n",
    )


@pytest.mark.parametrize(
    ("fault", "form", "words"),
    [
        ("http_401", [], "401 Unauthorized: Invalid API key provided."),
        ("http_400_unknown_parameter", ["--json"], "Unknown parameter: 'top_k'"),
        ("truncated_stream", [], "(model 'asi1', session '"),
    ],
)
def test_a_failed_call_is_one_message(
    live: dict[str, str], fault: str, form: list[str], words: str
) -> None:
    finished = run(f"[fault: {fault}]", *form, **live)
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: ")
    assert finished.stderr.count("\n") == 1
    assert words in finished.stderr
    assert API_KEY not in finished.stderr
    if form:
        assert finished.stdout == ""
    else:
        assert finished.stdout.startswith("Asking http://127.0.0.1:")
        assert finished.stdout.endswith("\n")
        # What had arrived of a broken answer stays on the screen.
        assert ("short fixed answer" in finished.stdout) is (fault == "truncated_stream")


def test_a_warning_is_one_line_and_not_on_stdout(live: dict[str, str]) -> None:
    finished = run("Hello", "--model", "asi1-fast", **live)
    assert finished.stderr.splitlines()[0] == (
        "warning: ASI:One has retired the model 'asi1-fast'; use 'asi1-mini'."
    )
    assert "warning" not in finished.stdout


@pytest.mark.no_cover
def test_interrupted_while_the_answer_stalls(server: LocalASIOne, live: dict[str, str]) -> None:
    """It asks what sends a thought and then nothing more."""
    stall = f"[fault: stall seconds={FOREVER}]"
    with start_read(question.__name__, stall, **live) as (process, printed):
        # Thought and answer are printed as they arrive.
        assert b"Thought\n" in iter(printed.readline, b"")
        process.send_signal(signal.SIGINT)
    done = process.finish()
    assert (done.returncode, done.stderr) == (130, "error: interrupted.\n")
    assert [request.body["stream"] for request in server.requests] == [True]


def test_nobody_reads_the_output(live: dict[str, str]) -> None:
    finished = run_unread(question.__name__, QUESTION, **live)
    assert (finished.returncode, finished.stderr) == (141, "")
