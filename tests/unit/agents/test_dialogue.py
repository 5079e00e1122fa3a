"""What comes of a question: in any order, with repetitions, with and without an end."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_asi_one.agents._dialogue import Dialogue
from langchain_asi_one.agents._envelope import MAX_BYTES, Kind, Message
from tests.support.examples import examples

QUESTION = str(uuid4())
QUIET = 2.0
END = {"type": "end-session"}
STREAM = str(uuid4())
OPEN, CLOSE = ({"type": f"{way}-stream", "stream_id": STREAM} for way in ("start", "end"))


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def chat(*items: Any, at: int | str = 0, msg_id: str | None = None, size: int = 10) -> Message:
    time = f"2026-11-26T03:00:{at:02}+00:00" if isinstance(at, int) else at
    body = {"timestamp": time, "msg_id": msg_id or str(uuid4()), "content": [*items]}
    return Message(Kind.CHAT, body, size)


def acknowledge(msg_id: str = QUESTION) -> Message:
    return Message(Kind.ACKNOWLEDGEMENT, {"acknowledged_msg_id": msg_id}, 10)


def listen(*messages: Message, now: float = 0.0) -> Dialogue:
    dialogue = Dialogue(QUESTION, QUIET)
    for message in messages:
        dialogue.take(message, now)
    return dialogue


def answer(dialogue: Dialogue) -> AIMessage:
    return dialogue.build_answer(agent="agent1q", session_id="s-1", ended="quiet")


def test_an_answer_ends_with_the_session() -> None:
    dialogue = listen(acknowledge(), chat(text("It rains."), END), now=5.0)
    assert dialogue.complete_at() == 5.0
    message = answer(dialogue)
    assert message.content == "It rains."
    assert message.response_metadata == {
        "agent": "agent1q",
        "session_id": "s-1",
        "acknowledged": True,
        "ended": "quiet",
    }


def test_silence_after_content_ends_an_answer() -> None:
    dialogue = listen(chat(text("It rains.")), now=5.0)
    assert dialogue.complete_at() == 5.0 + QUIET
    dialogue.take(chat(text("And it snows.")), 6.0)
    assert dialogue.complete_at() == 6.0 + QUIET
    dialogue.take(acknowledge(), 7.0)
    assert dialogue.complete_at() == 6.0 + QUIET


def test_silence_ends_nothing_before_content_or_in_a_stream() -> None:
    attachments = {"type": "metadata", "metadata": {"attachments": "true"}}
    dialogue = listen()
    for message in (acknowledge(), chat({"type": "start-session"}), chat(attachments)):
        dialogue.take(message, 1.0)
        assert dialogue.complete_at() is None
    dialogue.take(chat(OPEN), 1.0)
    dialogue.take(chat(text("It")), 1.0)
    assert dialogue.complete_at() is None
    dialogue.take(chat(CLOSE), 3.0)
    assert dialogue.complete_at() == 3.0 + QUIET


def test_a_card_is_content() -> None:
    card = {"card_kind": "review", "card_payload": "{}"}
    dialogue = listen(chat({"type": "metadata", "metadata": card}))
    assert dialogue.complete_at() == QUIET
    assert answer(dialogue).response_metadata["metadata"] == [card]


def test_an_end_without_content_waits_for_what_may_have_been_overtaken() -> None:
    dialogue = listen(chat(END), now=1.0)
    assert dialogue.complete_at() == 1.0 + QUIET
    dialogue.take(chat(text("It rains.")), 2.0)
    assert dialogue.complete_at() == 2.0
    assert answer(listen(chat(END))).content == ""


@pytest.mark.parametrize(
    ("messages", "wanted"),
    [
        ([chat(text("a"), text("b"))], "ab"),
        ([chat(text("a")), chat(text("b"), at=1)], "a\n\nb"),
        ([chat(text("a\n")), chat(text("b"), at=1)], "a\nb"),
        ([chat(text("b")), chat(text("a"))], "b\n\na"),
        ([chat(text("a"), OPEN, text("b")), chat(text("c"), at=1)], "a\n\nbc"),
        (
            [
                chat(text("a")),
                chat(OPEN, at=1),
                *(chat(text(c), at=n + 2) for n, c in enumerate("bcd")),
                chat(CLOSE, at=6),
                chat(text("e"), at=7),
            ],
            "a\n\nbcd\n\ne",
        ),
    ],
)
def test_texts_are_joined_as_they_were_said(messages: list[Message], wanted: str) -> None:
    assert answer(listen(*messages)).content == wanted
    assert listen(*messages).read_text() == wanted


def test_without_sound_times_the_order_is_that_of_arrival() -> None:
    messages = [chat(text("b"), at="never"), chat(text("a"), at=0)]
    assert answer(listen(*messages)).content == "b\n\na"
    mixed = [chat(text("b"), at="2026-11-26T03:00:01"), chat(text("a"), at="2026-11-26T03:00:00Z")]
    assert answer(listen(*mixed)).content == "a\n\nb"


def test_a_repetition_changes_nothing() -> None:
    once = chat(text("It rains."), END)
    dialogue = listen()
    assert dialogue.take(once, 1.0) == once.body["msg_id"]
    assert dialogue.take(once, 2.0) is None
    assert answer(dialogue).content == "It rains."
    assert dialogue.complete_at() == 1.0


def test_another_acknowledgement_is_not_ours() -> None:
    assert not listen(acknowledge(str(uuid4()))).acknowledged
    assert listen(acknowledge()).acknowledged


def test_an_error_and_a_payment_end_the_wait() -> None:
    dialogue = listen(chat(text("Well")), Message(Kind.ERROR, {"error": "out of credit"}, 9), now=3)
    assert (dialogue.is_failed, dialogue.refusal) == (True, "out of credit")
    assert (dialogue.complete_at(), dialogue.read_text()) == (3, "Well")
    assert listen(Message(Kind.ERROR, {}, 9)).refusal == "no reason given"
    dialogue = listen(Message(Kind.PAYMENT, {}, 9), now=4)
    assert (dialogue.is_failed, dialogue.payment_request, dialogue.complete_at()) == (True, {}, 4)


@pytest.mark.parametrize("size", [1, MAX_BYTES])
def test_an_endless_answer_fails(size: int) -> None:
    dialogue = listen(*(chat(OPEN, text("x"), size=size) for _ in range(1_001)))
    assert dialogue.is_too_long
    assert dialogue.complete_at() is not None
    assert dialogue.read_text().count("x") <= 1_000


def test_the_bound_on_bytes_is_for_all_messages_together() -> None:
    half = MAX_BYTES // 2
    assert not listen(*(chat(text("x"), size=half) for _ in range(2))).is_too_long
    assert listen(*(chat(text("x"), size=half) for _ in range(3))).is_too_long


BODIES: list[dict[str, Any]] = [
    {},
    {"msg_id": 7, "content": []},
    {"msg_id": "no uuid", "content": [text("a")]},
    {"msg_id": QUESTION},
    {"msg_id": QUESTION, "content": "text"},
]


@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_message_is_left_out(body: dict[str, Any]) -> None:
    dialogue = listen()
    assert dialogue.take(Message(Kind.CHAT, body, 9), 1.0) is None
    assert dialogue.complete_at() is None


ODD_ITEMS = [None, 3, "text", {}, {"type": 3}, {"type": "text"}, {"type": "resource"}]


def test_odd_content_is_kept_as_it_is() -> None:
    dialogue = listen(chat(*ODD_ITEMS, {"type": "metadata"}, text("a")))
    message = answer(dialogue)
    values = [block.get("value") for block in message.content if isinstance(block, dict)]
    assert values == [*ODD_ITEMS[3:6], None, None]
    assert message.text == "a"


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[Message], list[Message], str]:
    """Messages as they were sent, as they came, and the text of all."""
    words = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=6))
    streamed = draw(st.booleans())
    ended = draw(st.booleans())
    items = [[text(word)] for word in words]
    if streamed:
        items = [[OPEN], *items, [CLOSE]]
    sent = [chat(*one, at=n) for n, one in enumerate(items)]
    sent += [acknowledge(), acknowledge(str(uuid4()))]
    if ended:
        sent.append(chat(END, at=50))
    repeated = draw(st.lists(st.sampled_from(sent), max_size=3))
    return sent, draw(st.permutations([*sent, *repeated])), ("" if streamed else "\n\n").join(words)


@given(conversations())
@examples(200)
def test_any_order_gives_the_same_answer(
    conversation: tuple[list[Message], list[Message], str],
) -> None:
    sent, came, wanted = conversation
    dialogue = Dialogue(QUESTION, QUIET)
    owed = [dialogue.take(message, float(n)) for n, message in enumerate(came)]
    assert answer(dialogue).content == wanted
    assert dialogue.acknowledged
    chats = [message.body["msg_id"] for message in sent if message.kind is Kind.CHAT]
    assert sorted(msg_id for msg_id in owed if msg_id) == sorted(chats)
    last = max(n for n, msg_id in enumerate(owed) if msg_id)
    is_ended = any(END in m.body["content"] for m in sent if m.kind is Kind.CHAT)
    assert dialogue.complete_at() == (last if is_ended else last + QUIET)


def test_an_identifier_in_upper_case_is_the_same() -> None:
    dialogue = listen(acknowledge(str(UUID(QUESTION)).upper()))
    assert dialogue.acknowledged
