"""The rules by which the stand-in answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_asi_one.langgraph import report_agents
from langchain_asi_one.testing._agents import FLIGHT_AGENT, WEATHER_AGENT
from langchain_asi_one.testing._default_answers import (
    MARK,
    find_last_user_text,
    make_plain_body,
    respond,
)
from langchain_asi_one.testing._sessions import Session
from tests.support.stand_in_wire import WEATHER_TOOL, request_body


def ask(text: str, session: Session | None = None, **fields: Any) -> dict[str, Any]:
    """Return the message of an answer, beside its reason to end."""
    body = respond(request_body(text, **fields), session or Session(), 0).body
    [choice] = body["choices"]
    message: dict[str, Any] = {**choice["message"], "finish_reason": choice["finish_reason"]}
    return message


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({}, ""),
        ({"messages": "no list"}, ""),
        ({"messages": [{"role": "user", "content": None}, 7]}, ""),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}, "a"),
        (
            {"messages": [{"role": "user", "content": [{"text": "a"}, {"url": 1}, {"text": "b"}]}]},
            "a b",
        ),
    ],
)
def test_the_last_text_of_the_user(payload: dict[str, Any], text: str) -> None:
    assert find_last_user_text(payload) == text


def test_sessions_count_turns_and_remember_texts() -> None:
    session = Session()
    ask("First", session)
    assert ask("Second", session)["content"].endswith("This is turn 2 of the session.")
    assert '"First"; "Second"' in ask("What did I say?", session)["content"]


def test_a_deferred_answer_comes_with_the_nth_poll() -> None:
    session = Session()
    texts = ["[deferred: 2] Rain?", "Any update?", "any update", "Any update?"]
    told = [ask(text, session)["content"].removeprefix(MARK) for text in texts]
    assert told[:2] == ["I've sent the message"] * 2
    assert told[2].startswith('You said: "Rain?".')
    assert told[3].startswith('You said: "Any update?".')


def test_a_tool_is_called_then_its_results_are_repeated() -> None:
    message = ask("How is the weather in Paris?", tools=[WEATHER_TOOL])
    [call] = message["tool_calls"]
    assert (message["finish_reason"], call["function"]["name"]) == ("tool_calls", "get_weather")
    assert json.loads(call["function"]["arguments"]) == {"location": "Paris"}
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "rain", "tool_call_id": call["id"]},
    ]
    answer = respond(request_body(messages=messages, tools=[WEATHER_TOOL]), Session(), 0)
    assert answer.body["choices"][0]["message"]["content"] == f"{MARK}The tools answered: rain"


def test_a_response_format_is_kept() -> None:
    form = {"type": "json_object"}
    assert [*json.loads(ask("Give me `city` and `sky`.", response_format=form)["content"])] == [
        "city",
        "sky",
    ]


@pytest.mark.parametrize(
    ("fields", "content", "reason"),
    [
        ({"stop": "said"}, f"{MARK}You ", "stop"),
        ({"max_tokens": 3, "enable_thinking": False}, "[local stand-in] You ", "length"),
    ],
)
def test_a_text_ends_early_on_request(fields: dict[str, Any], content: str, reason: str) -> None:
    message = ask("Hello", **fields)
    assert (message["content"], message["finish_reason"]) == (content, reason)


def test_thinking_can_be_limited_and_turned_off() -> None:
    assert ask("Hello", enable_thinking=False)["reasoning_content"] is None
    assert ask("Hello", thinking_budget=2)["reasoning_content"] == "The user "


def test_equal_requests_differ_in_their_id_only() -> None:
    first, second = (respond(request_body(), Session(), number).body for number in range(2))
    assert first.pop("id") != second.pop("id")
    assert first == second


def test_a_planner_run_ends_with_its_last_snapshot() -> None:
    answer = respond(request_body("Ask an agent", planner_mode=True), Session(), 0)
    assert answer.plan_states[-1] == answer.body["plan_state"]
    assert len(answer.body["executable_data"]) == 2


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (WEATHER_AGENT["address"], 'Stand-in Weather, asked "Rain?": 18 °C and light rain.'),
        (FLIGHT_AGENT["address"], 'Stand-in Flights, asked "Rain?": a seat at 9:40, 120 EUR.'),
        ("agent1unknown", 'Unknown agent, asked "Rain?": no more is known of this agent.'),
    ],
)
def test_an_agent_that_is_asked_through_the_planner_answers(address: str, told: str) -> None:
    fields = {"planner_mode": True, "agents": [address]}
    answer = respond(request_body("Rain?", **fields), Session(), 0)
    assert answer.body["choices"][0]["message"]["content"] == f"{MARK}{told}"
    assert answer.body["plan_state"]["tasks"][0]["agent_response"] == f"{MARK}{told}"


def test_several_agents_that_are_asked_answer_one_after_the_other() -> None:
    agents = [WEATHER_AGENT["address"], FLIGHT_AGENT["address"]]
    message = ask("A trip?", planner_mode=True, agents=agents)
    assert message["content"] == (
        f'{MARK}Stand-in Weather, asked "A trip?": 18 °C and light rain. '
        'Stand-in Flights, asked "A trip?": a seat at 9:40, 120 EUR.'
    )


def test_the_results_of_a_graphs_agents_are_summed_up() -> None:
    update = report_agents()(
        {
            "agent_results": [
                {"agent": WEATHER_AGENT["address"], "result": f"{MARK}Light rain."},
                {"agent": "flights", "error": "TimeoutError: no answer"},
                {"agent": "taxi", "result": {"price": 9}},
            ]
        }
    )
    told = ask(update["messages"][0].text)["content"]
    assert told == f'{MARK}The agents answered: Light rain.; TimeoutError: no answer; {{"price":9}}'


def test_what_faults_break_is_always_the_same() -> None:
    assert (
        make_plain_body(request_body("a"))["choices"]
        == make_plain_body(request_body("b"))["choices"]
    )
