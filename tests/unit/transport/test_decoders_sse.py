"""Server-sent events are read whatever the line ends, and wherever the bytes were cut."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from itertools import combinations, pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_asi_one._transport.decoders import ServerSentEvent, SSEDecoder
from langchain_asi_one.testing._replies import SAMPLES
from tests.support.examples import examples

STREAM = (
    "\ufeffdata: é\u2028😀\r\n\r\n: ping\n\nevent: error\r\r"
    "id: 1\ndata:a\ndata\rdata:  b\r\nretry: 5\n\n\n"
).encode()
EVENTS = [
    ServerSentEvent("", "é\u2028😀"),
    ServerSentEvent("error", ""),
    ServerSentEvent("", "a\n\n b"),
]


def decode(pieces: list[bytes]) -> list[ServerSentEvent]:
    decoder = SSEDecoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return events + decoder.close()


def cut(data: bytes, *places: int) -> list[bytes]:
    return [data[a:b] for a, b in pairwise(sorted({0, len(data), *places}))]


def by_the_standard(data: bytes) -> list[ServerSentEvent]:
    """The standard's steps over the whole text, with the decoder's two documented additions."""
    events, name, lines = [], "", list[str]()
    for line in [*re.split("\r\n|\r|\n", data.decode("utf-8-sig")), ""]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if lines or name:
                events.append(ServerSentEvent(name, "\n".join(lines)))
            name, lines = "", []
        elif field == "data":
            lines.append(value)
        elif field == "event":
            name = value
    return events


def test_event_has_defaults_and_is_frozen() -> None:
    assert ServerSentEvent() == ServerSentEvent(event="", data="")
    with pytest.raises(AttributeError):
        ServerSentEvent().data = "x"  # type: ignore[misc]


def test_every_cut_into_three() -> None:
    assert decode([STREAM]) == EVENTS
    for places in combinations(range(1, len(STREAM)), 2):
        assert decode(cut(STREAM, *places)) == EVENTS, places
    assert decode(cut(STREAM, *range(len(STREAM)))) == EVENTS


@pytest.mark.parametrize(
    ("data", "events"),
    [
        ("", []),
        ("\n\n\n", []),
        (": comment\n\n", []),
        ("id: 1\nretry: 2\nfoo: bar\nfoo\n\n", []),
        ("data\n\n", [("", "")]),
        ("data:\n\n", [("", "")]),
        ("data:  x \n\n", [("", " x ")]),
        ("data: a: b\n\n", [("", "a: b")]),
        ("data: a\n data: b\nDATA: c\n\n", [("", "a")]),
        ("event: error\n\n", [("error", "")]),
        ("event: error\n", [("error", "")]),
        ("event: a\nevent: b\ndata: x\n\ndata: y\n\n", [("b", "x"), ("", "y")]),
        ("event: a\nevent:\n\n", []),
        (
            "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n",
            [("", "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg")],
        ),
        ("\ufeff\ufeffdata: a\n\ndata: b\n\n", [("", "b")]),
        ("data: a\n\n\ufeffdata: b\n\n", [("", "a")]),
        ("\ufeff\n\ndata: \ufeffb\n\n", [("", "\ufeffb")]),
        ("data: [DONE]", [("", "[DONE]")]),
        ("data: a\n\ndata: [DONE]\n", [("", "a"), ("", "[DONE]")]),
        ("data: a\n\n: bye", [("", "a")]),
        ("data: a\r\n\r\n", [("", "a")]),
        ("data: a\n\rdata: b\r\n\n", [("", "a"), ("", "b")]),
    ],
)
def test_format(data: str, events: list[tuple[str, str]]) -> None:
    expected = [ServerSentEvent(*event) for event in events]
    raw = data.encode()
    assert decode([raw]) == expected
    assert decode(cut(raw, *range(len(raw)))) == expected
    assert by_the_standard(raw) == expected


LINE_ENDS = ["\r", "\n", "\r\n", "\n\n"]
FIELDS = ["data", "data:", "data: ", "event: ", "event", "id: 1", ":", " ", "x"]
NOT_LINE_ENDS = ["é", "😀", "\ufeff", "\u2028", "\x85", "\x0b", "\0"]


@examples(280)
@given(
    st.lists(st.sampled_from([*LINE_ENDS, *FIELDS, *NOT_LINE_ENDS])).map("".join),
    st.lists(st.integers(0, 100)),
)
def test_any_text_in_any_pieces_as_the_standard_says(text: str, places: list[int]) -> None:
    data = text.encode()
    assert decode(cut(data, *(place % (len(data) + 1) for place in places))) == by_the_standard(
        data
    )


def test_events_come_with_their_blank_line() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r\n") == []
    assert decoder.feed(b"\r") == [ServerSentEvent("", "a")]
    assert decoder.feed(b"\ndata: b\n") == []
    assert decoder.feed(b"") == []
    assert decoder.close() == [ServerSentEvent("", "b")]
    assert decoder.close() == []
    with pytest.raises(ValueError, match="new SSEDecoder"):
        decoder.feed(b"data: c\n\n")


def test_invalid_utf8_does_not_cost_the_events_before_it() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\n\ndata: b\n\ndata: \xff\n\ndata: c\n\n") == [
        ServerSentEvent("", "a"),
        ServerSentEvent("", "b"),
    ]
    with pytest.raises(UnicodeDecodeError):
        decoder.feed(b"data: d\n\n")
    for _ in range(2):
        with pytest.raises(UnicodeDecodeError):
            decoder.close()


@pytest.mark.parametrize("line", [b"data: \xff\n", b"event: \xc3\r", b"data: \xed\xa0\x80\r\n"])
def test_invalid_utf8_is_raised_at_once_without_events_before_it(line: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        SSEDecoder().feed(line)


def test_unfinished_utf8_at_the_end_raises() -> None:
    decoder = SSEDecoder()
    assert decoder.feed("data: é".encode()[:-1]) == []
    with pytest.raises(UnicodeDecodeError):
        decoder.close()


def test_ignored_lines_are_not_decoded() -> None:
    assert decode([b": \xff\n", b"id: \xff\ndata: a\n\n"]) == [ServerSentEvent("", "a")]


def test_a_long_comment_is_not_kept() -> None:
    decoder = SSEDecoder()
    decoder.feed(b"data: a\n:")
    tracemalloc.start()
    try:
        for _ in range(1000):
            decoder.feed(b"%10000d" % 0)
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
    assert decoder.feed(b"\n\n") == [ServerSentEvent("", "a")]


def test_documented_stream() -> None:
    raw = (SAMPLES / "asi1-mini-2025-02-stream-thought.sse").read_bytes()
    events = decode([raw])
    assert len(events) == raw.count(b"data:")
    assert [event.event for event in events] == [""] * len(events)
    payloads = [json.loads(event.data) for event in events if event.data != "[DONE]"]
    assert all(payload["model"] == "asi1-mini" for payload in payloads)
    assert "".join(payload.get("thought", "") for payload in payloads).startswith(
        "\nThe user has asked"
    )
    for size in (1, 7, 1024):
        assert decode([raw[at : at + size] for at in range(0, len(raw), size)]) == events


@pytest.mark.no_cover
def test_a_huge_event_takes_linear_time() -> None:
    data = b"data: " + b"x" * 10_000_000 + b"\n\n"
    pieces = [data[at : at + 1024] for at in range(0, len(data), 1024)]
    start = time.process_time()
    (event,) = decode(pieces)
    assert time.process_time() - start < 2
    assert len(event.data) == 10_000_000


@pytest.mark.no_cover
def test_many_events_in_one_piece_take_linear_time() -> None:
    start = time.process_time()
    assert len(decode([b'data: {"a": 1}\r\n\r\n' * 100_000])) == 100_000
    assert time.process_time() - start < 4


@pytest.mark.no_cover
def test_many_lines_of_one_event_take_linear_time() -> None:
    start = time.process_time()
    (event,) = decode([b"data: x\n"] * 100_000)
    assert time.process_time() - start < 4
    assert event.data.count("\n") == 99_999


def read_until_error(pieces: list[bytes]) -> tuple[list[ServerSentEvent], str | None]:
    """The events before an error, and what it complains of."""
    decoder, events = SSEDecoder(), list[ServerSentEvent]()
    try:
        for piece in pieces:
            events += decoder.feed(piece)
        events += decoder.close()
    except UnicodeDecodeError as error:
        return events, repr(error.object)
    return events, None


PLAIN_EVENTS = [
    "data: a\n\n",
    "data:b\n\n",
    'data: {"x": "é"}\n\n',
    "data:  c \n\n",
    "data: 😀\n\n",
]
OTHER_LINES = [
    *(": ping\n\n", ":\n", "data: a\n", "data: a\ndata: b\n\n", "event: error\ndata: x\n\n"),
    *(
        "event: e\n",
        "id: 1\ndata: a\n\n",
        "retry: 5\n\n",
        "data\n\n",
        "data\n",
        "\n",
        "\n\n\n",
        "x\n",
    ),
    *(
        "\r",
        "\r\n",
        "data: a\r\n\r\n",
        "data: a\r\r",
        "data: a\rb\n\n",
        "da",
        "data: ",
        "dat: a\n\n",
    ),
    *("\ufeff", "\u2028", " data: a\n\n", "DATA: a\n\n", "data: \x85\x0b\n\n"),
]


@examples(280)
@given(
    st.lists(
        st.sampled_from([text.encode() for text in [*PLAIN_EVENTS, *OTHER_LINES]])
        | st.sampled_from([*[text.encode() for text in PLAIN_EVENTS], b"data: \xff\n\n", b"\xc3"]),
        max_size=10,
    ),
    st.lists(st.integers(0, 200), max_size=6),
)
@example([b"data: a\n\n", b": ping\n\n", b"data: b\n\n"], [])
@example([b": pi", b"ng\n\n", b"data: b\n\ndata: c\n\n"], [4])
@example([b"data: a", b"\n\ndata: b\n\n"], [7])
@example([b"event: e\n", b"data: a\n\ndata: b\n\n"], [9])
@example([b"data: a\r", b"\ndata: b\n\ndata: c\n\n"], [8])
@example([b"\xef\xbb\xbf", b"data: a\n\n\xef\xbb\xbfdata: b\n\n"], [3])
@example(["data: é".encode()[:-1], "é".encode()[1:] + b"\n\ndata: b\n\n"], [7])
@example([b"data: a\n\ndata: \xff\n\ndata: b\n\n"], [])
def test_invalid_utf8_is_found_at_the_same_event_wherever_it_is_cut(
    parts: list[bytes], places: list[int]
) -> None:
    data = b"".join(parts)
    pieces = cut(data, *(place % (len(data) + 1) for place in places))
    assert read_until_error(pieces) == read_until_error(cut(data, *range(len(data))))
    assert read_until_error(pieces) == read_until_error([data])
