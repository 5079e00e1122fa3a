"""Messages as text for people."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langchain_core.messages.ai import OutputTokenDetails, UsageMetadata

from langchain_asi_one._json.printable import one_line, printable
from langchain_asi_one.display import format_message, sections
from langchain_asi_one.display._printable import Flow, columns
from langchain_asi_one.testing._agents import BAD_AGENT, FLIGHT_AGENT, WEATHER_AGENT
from tests.support.examples import examples

SESSION = "4f3c2b1a-0d9e-4c8b-9a7f-6e5d4c3b2a10"
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\u200b\U000e0041\x9b31m\rover\x08\x00\x7f"

# Everything that text can hold, with a bias to what terminals act on.
hostile_text = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\r\n\t\x07\x9b\u202e\u200d\u2028\U000e0041東 "))
)
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

Plan
  status      completed
  agent_used  {{"agent_name": "Stand-in Weather", "agent_address": "{WEATHER_AGENT["address"]}"}}

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
        assert columns(line) <= width or not line.startswith(" ") or len(line.split()) <= 3, line
    assert card.split() == FULL_CARD.split()


@pytest.mark.parametrize("width", [19, 0, -1])
def test_a_width_that_is_none_is_refused(width: int) -> None:
    with pytest.raises(ValueError, match=f"20 columns or more.*got {width}"):
        format_message(AIMessage("x"), width=width)


def test_hostile_text_is_shown_and_does_nothing() -> None:
    assert printable(HOSTILE) == (
        r"\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\U000e0041\x9b31mover\x08\x00\x7f"
    )
    assert printable("a\tb\u00a0c\u2028d\r\n👩\u200d💻\ufe0f") == "a    b c\nd\n👩💻"


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
    assert [character for character in card if not is_harmless(character)] == []
    assert card == card.rstrip("\n")
    # Only thought, answer and refusal can have lines of their own; nothing can forge a title.
    titles = {section.title for section in sections(message)}
    assert {line for line in card.splitlines() if line and not line.startswith(" ")} == titles


@examples(100)
@given(pieces=st.lists(hostile_text))
def test_pieces_are_made_safe_as_the_whole_is(pieces: list[str]) -> None:
    assert "".join(map(printable, pieces)) == printable("".join(pieces))


@examples(100)
@given(pieces=st.lists(hostile_text), width=st.none() | st.integers(20, 40))
def test_a_stream_is_wrapped_as_the_whole_is(pieces: list[str], width: int | None) -> None:
    safe = [printable(piece) for piece in pieces]
    flow, whole = Flow(width=width, first="  "), Flow(width=width, first="  ")
    streamed = "".join(map(flow.feed, safe)) + flow.close()
    assert streamed == whole.feed("".join(safe)) + whole.close()
    assert "".join(streamed.split()) == "".join("".join(safe).split())


def test_wide_text_is_wrapped_by_columns() -> None:
    flow = Flow(width=11, first="> ", rest="  ")
    assert flow.feed("東京特許許可局 ok") + flow.close() == "> 東京特許\n  許可局 ok"


def test_blanks_at_the_start_of_a_line_stay_and_at_its_end_go() -> None:
    flow = Flow(width=None, first="  ", rest="  ")
    assert flow.feed("a  \n    b\n\n c ") + flow.close() == "  a\n      b\n\n   c"


def test_one_line_is_one_line() -> None:
    assert one_line("a\r\nb\u2029 c\x0b\t") == r"a b c\x0b"
