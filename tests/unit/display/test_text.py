"""Messages as text for people."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import OutputTokenDetails, UsageMetadata

from langchain_asi_one._json.printable import make_printable
from langchain_asi_one.display import format_message
from langchain_asi_one.display._card_content import list_answer_sections
from langchain_asi_one.display._text import TextSection, to_text_sections
from langchain_asi_one.display._wrap import count_columns
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.examples import examples
from tests.support.hostile import hostile_text

SESSION = "4f3c2b1a-0d9e-4c8b-9a7f-6e5d4c3b2a10"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | hostile_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile_text, inner, max_size=3),
    max_leaves=8,
)
extras = st.dictionaries(
    st.sampled_from(
        [
            "thought",
            "intermediate_steps",
            "executable_data",
            "server_tool_calls",
            "plan_state",
            "refusal",
        ]
    ),
    json_values
    | st.lists(
        st.dictionaries(
            st.sampled_from(["name", "address", "handle", "description", "tool", "args", "step"]),
            json_values,
        ),
        max_size=3,
    ),
)


def sections(message: AIMessage) -> list[TextSection]:
    return to_text_sections(list_answer_sections(message))


def full_message() -> AIMessage:
    return AIMessage(
        "Ask the weather agent.\n\n    code stays\n",
        additional_kwargs={
            "thought": "Who knows the weather?",
            "intermediate_steps": [
                {"step": 1, "action": "search_agents", "found": ["a", "b"]},
                "ranked",
            ],
            "executable_data": [
                WEATHER_AGENT,
                BAD_AGENT,
                {"tool": "book", "args": {"seats": 2}},
                {"surprise": True},
            ],
            "server_tool_calls": [{"id": "s1", "tool_name": "web_search", "result": None}],
            "plan_state": {
                "status": "completed",
                "agent_used": {
                    "agent_name": WEATHER_AGENT["name"],
                    "agent_address": WEATHER_AGENT["address"],
                },
            },
            "refusal": "No more than that.",
        },
        tool_calls=[{"name": "forecast", "args": {"city": "Paris"}, "id": "c1"}],
        invalid_tool_calls=[
            {"type": "invalid_tool_call", "name": None, "args": "{", "id": "c2", "error": None}
        ],
        response_metadata={
            "model_name": "asi1-ultra",
            "session_id": SESSION,
            "finish_reason": "length",
        },
        usage_metadata=UsageMetadata(
            input_tokens=1200,
            output_tokens=34,
            total_tokens=1234,
            output_token_details=OutputTokenDetails(reasoning=5),
        ),
    )


FULL_CARD = f"""\
Thought
  Who knows the weather?

Tasks of the plan
  1. Stand-in Weather
     status   completed
     address  {WEATHER_AGENT["address"]}

Steps
  1. action  search_agents
     found   ["a", "b"]
  2. ranked

Tools that ASI:One ran
  1. id         s1
     tool_name  web_search
     result     null

Answer
  Ask the weather agent.

      code stays

Refusal
  No more than that.

Tools to run
  forecast
    arguments  {{"city": "Paris"}}
    id         c1
  (no name)
    arguments  {{
    id         c2
    ! The arguments are not the JSON text of an object.

Agents named
  Stand-in Weather
    handle   @stand-in-weather
    address  {WEATHER_AGENT["address"]}
    rating   4.5
    about    Example agent of the local stand-in: tells the weather.
  Stand-in Impostor
    handle  @stand-in-impostor
    rating  4.5
    about   Example entry whose address has one wrong character.
    ! `address` is not an agent address (bech32, 'agent1' and 59 characters, checksum): \
'{BAD_AGENT["address"]}'.

Calls named
  book
    arguments  {{"seats": 2}}

Also named
  (no name)
    as sent  {{"surprise": true}}
    ! The entry names no agent (address or handle) and no tool; see `raw`.

About this answer
  model     asi1-ultra
  session   {SESSION}
  tokens    1,200 in, 34 out (5 to think, 15%), 1,234 in all
  ended by  length (cut off: max_tokens is used up)"""


def test_everything_is_shown() -> None:
    assert format_message(full_message()) == FULL_CARD


def test_a_plain_message_of_any_model() -> None:
    assert format_message(AIMessage("Hello!")) == "Answer\n  Hello!"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_answer_is_said_to_be_one(text: str) -> None:
    assert format_message(AIMessage(text)) == "Answer\n  (no text)"


def test_a_tool_call_alone_is_no_empty_answer() -> None:
    message = AIMessage("", tool_calls=[{"name": "find", "args": {}, "id": "c"}])
    assert [section.title for section in sections(message)] == ["Tools to run"]


def test_an_agent_asked_in_a_plan_is_named_once() -> None:
    plan = {
        "agent_used": {
            "agent_name": FLIGHT_AGENT["name"],
            "agent_address": FLIGHT_AGENT["address"],
        }
    }
    kwargs = {"executable_data": [FLIGHT_AGENT], "plan_state": [plan]}
    [agents] = [
        s for s in sections(AIMessage("x", additional_kwargs=kwargs)) if s.title == "Agents named"
    ]
    assert [line.text for line in agents.lines if line.role == "name"] == ["Stand-in Flights"]


def test_long_values_are_cut_and_say_so_but_the_answer_never_is() -> None:
    long = "x" * 1000
    message = AIMessage(long, additional_kwargs={"thought": long, "intermediate_steps": [long]})
    card = format_message(message, width=40)
    assert card.count(long) == 2
    assert f"1. {'x' * 400}... (600 more characters)" in " ".join(card.split())


@pytest.mark.parametrize("width", [20, 60, 80, 120])
def test_lines_fit_unless_a_word_does_not(width: int) -> None:
    card = format_message(full_message(), width=width)
    for line in card.splitlines():
        assert count_columns(line) <= width or not line.startswith(" ") or len(line.split()) <= 3, (
            line
        )
    assert card.split() == FULL_CARD.split()


@pytest.mark.parametrize("width", [19, 0, -1])
def test_a_width_that_is_none_is_refused(width: int) -> None:
    with pytest.raises(ValueError, match=f"20 columns or more.*got {width}"):
        format_message(AIMessage("x"), width=width)


JOINERS = "\u200c\u200d\ufe0e\ufe0f"


def is_harmless(character: str) -> bool:
    return character == "\n" or (
        character.isprintable()
        and unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
    )


@examples(60)
@given(content=hostile_text, kwargs=extras, label=hostile_text, width=st.none() | st.just(30))
def test_nothing_that_a_terminal_acts_on_comes_out(
    content: str, kwargs: dict[str, Any], label: str, width: int | None
) -> None:
    message = AIMessage(
        content,
        additional_kwargs=kwargs,
        response_metadata={"model_name": label, "session_id": label, "finish_reason": label},
        tool_calls=[{"name": label, "args": {label: content}, "id": label}],
        invalid_tool_calls=[
            {
                "type": "invalid_tool_call",
                "name": label,
                "args": label,
                "id": label,
                "error": content,
            }
        ],
    )
    card = format_message(message, width=width)
    assert [one for one in card if not is_harmless(one) and one not in JOINERS] == []
    assert make_printable(card) == card
    assert card == card.rstrip("\n")
    # Only thought, answer and refusal can have lines of their own; nothing can forge a title.
    titles = {section.title for section in sections(message)}
    assert {line for line in card.splitlines() if line and not line.startswith(" ")} == titles
