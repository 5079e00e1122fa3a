"""`ExecutableDataMiddleware` in agents that `create_agent` makes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_asi_one import ChatASIOne, parse_executable_data
from langchain_asi_one._request.session import make_thread_session
from langchain_asi_one.middleware import ExecutableDataMiddleware
from langchain_asi_one.testing import LocalASIOne, answer
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.patience import PATIENCE

WEATHER, FLIGHTS = parse_executable_data([WEATHER_AGENT, FLIGHT_AGENT])
ASK: Any = {"messages": [HumanMessage("Which bad agent knows the weather?")]}
THREAD: Any = {"configurable": {"thread_id": "t"}}


def agent_of(model: ChatASIOne, allow: Any, **arguments: Any) -> Any:
    middleware = ExecutableDataMiddleware(allow=allow, **arguments.pop("middleware", {}))
    return create_agent(model, middleware=[middleware], checkpointer=InMemorySaver(), **arguments)


@pytest.mark.parametrize(
    ("allow", "expected"),
    [
        ({WEATHER["address"]}, [WEATHER]),
        ("any", [WEATHER, FLIGHTS]),
        ({"stand-in-impostor"}, []),
        (lambda entry: "flights" in entry["handle"], [FLIGHTS]),
    ],
)
def test_the_allowed_agents_are_in_the_state(allow: Any, expected: Any, model: ChatASIOne) -> None:
    agent = agent_of(model, allow)

    assert agent.invoke(ASK, THREAD)["executable_data"] == expected
    assert agent.get_state(THREAD).values["executable_data"] == expected


async def test_it_works_asynchronously(model: ChatASIOne) -> None:
    state = await agent_of(model, "any").ainvoke(ASK, THREAD)

    assert state["executable_data"] == [WEATHER, FLIGHTS]


def test_a_second_turn_without_agents_empties_the_key(model: ChatASIOne) -> None:
    agent = agent_of(model, "any")
    agent.invoke(ASK, THREAD)

    assert agent.invoke({"messages": [("user", "Thank you!")]}, THREAD)["executable_data"] == []


def test_later_middleware_reads_the_key_after_each_call(
    model: ChatASIOne, server: LocalASIOne
) -> None:
    seen: list[int] = []

    class Reader(AgentMiddleware):
        def after_model(self, state: Any, runtime: Any) -> None:
            seen.append(len(state["executable_data"]))

    def get_temperature(city: str) -> float:
        """Measure the temperature of a city."""
        return 21.5

    # Hooks that run after the model run from the last middleware to the first.
    middleware: list[Any] = [Reader(), ExecutableDataMiddleware(allow="any")]
    agent = create_agent(model, tools=[get_temperature], middleware=middleware)
    text = "Which agent can use get_temperature for Paris?"
    agent.invoke({"messages": [HumanMessage(text)]}, THREAD)

    assert seen == [2, 2]
    assert len(server.requests) == 2
    assert {request.session_id for request in server.requests} == {make_thread_session("t")}


def test_the_rest_beyond_max_entries_is_counted(
    model: ChatASIOne, server: LocalASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    entries = [{"handle": f"agent-{number}"} for number in range(5)]
    message = {"role": "assistant", "content": "", "executable_data": entries}
    server.enqueue(answer({"choices": [{"message": message, "finish_reason": "stop"}]}))
    state = agent_of(model, "any", middleware={"max_entries": 2}).invoke(ASK, THREAD)

    assert [entry["handle"] for entry in state["executable_data"]] == ["agent-0", "agent-1"]
    assert [record.getMessage() for record in caplog.records] == [
        "ASI:One named 5 agents and calls; 3 beyond max_entries=2 were left out."
    ]


def test_wrong_rules_are_refused() -> None:
    with pytest.raises(
        TypeError,
        match=r"^ExecutableDataMiddleware\(\) needs allow=, which .* Give a set of agent addresses",
    ):
        ExecutableDataMiddleware()  # type: ignore[call-arg]
    with pytest.raises(ValueError, match=f"allow holds '{BAD_AGENT['address']}'"):
        ExecutableDataMiddleware(allow={BAD_AGENT["address"]})


def test_without_langchain_the_import_says_what_to_install() -> None:
    program = "import sys; sys.modules['langchain'] = None; import langchain_asi_one.middleware"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "ImportError: langchain_asi_one.middleware needs langchain, which is not installed; "
        "run: pip install langchain"
    )
