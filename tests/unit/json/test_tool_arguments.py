"""Tool arguments that arrive in pieces become safe to parse, whatever they were."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.utils.json import parse_partial_json
from typing_extensions import override

from langchain_asi_one._json.safe import MAX_DEPTH, make_json_safe
from langchain_asi_one._json.tool_arguments import MOST_LEVELS, ToolArgumentsFilter
from tests.support.examples import examples
from tests.support.json_texts import (
    BIG,
    BROKEN,
    CLEAN,
    NESTS,
    PIECES,
    SOUP,
    SPACES_AND_RAW,
    UNSAFE,
    assert_storable,
    nested,
    parses,
)
from tests.support.patience import least_times

if TYPE_CHECKING:
    from collections.abc import Callable


def cut(text: str, places: list[int]) -> list[str]:
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(marks)]


def filtered(text: str, places: list[int] | None = None) -> str:
    arguments = ToolArgumentsFilter()
    output = "".join(map(arguments.feed, cut(text, places or [])))
    return output if arguments.complete else output + arguments.make_unparseable()


def is_complete(text: str) -> bool:
    arguments = ToolArgumentsFilter()
    arguments.feed(text)
    assert arguments.received == text
    return arguments.complete


def read_as_object(read: Callable[..., object], text: str) -> bool:
    try:
        return isinstance(read(text, strict=False), dict)
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ('{"a": [1, -2.5e3, "x\\n\\u00e9"], "b": null}\n', None),
        ('{"n": 18446744073709551616}', '{"n": "18446744073709551616"}'),
        ('{"n": -9223372036854775809}', '{"n": "-9223372036854775809"}'),
        ('{"n": -9223372036854775808}', None),
        ('{"n": [NaN,Infinity,-Infinity,1e999,1e99]}', '{"n": [null,null,null,null,1e99]}'),
        (f'{{"n": {BIG}}}', f'{{"n": "{BIG}"}}'),
        (r'{"a\u0000b": "\u0000"}', '{"ab": ""}'),
        ('{"a": "b\0c"}', '{"a": "bc"}'),
        (r'{"a": "\ud83d\ude00 \uD83D\uDE00"}', None),
        (
            r'{"a": "\ud800 \udc00 \ud83d\ud83d\ude00 \ud83d\n"}',
            r'{"a": "\ufffd \ufffd \ufffd\ud83d\ude00 \ufffd\n"}',
        ),
        (r'{"a": "\\ud800"}', None),
        ('{"a": "\ud83d\ude00 \ud800"}', '{"a": "😀 \ufffd"}'),
        # Malformed: what comes out is not parsed either.
        ('{"a": 1\0}', '{"a": 1}]'),
        ('\0{"a": 1}', '{"a": 1}]'),
        ('{"a"\0: 1}', '{"a": 1}]'),
        ('{"a": "\\u0\x00000"}', '{"a": ""}]'),
        ('{"a": "\\\0"}', '{"a": "\\"}"]'),
        ("{9999999999999999999999: NaN}", '{"9999999999999999999999": null}]'),
        (r'{"a": "\x \ud8"} NaN', r'{"a": "\x \ud8"} null]'),
        ("[1]", "[1]]"),
        ("12", "12]"),
        ('{"a": [1}, 9', '{"a": [1}, 9'),
    ],
)
def test_filter(text: str, output: str | None) -> None:
    assert filtered(text) == (text if output is None else output)
    assert filtered(text, list(range(len(text)))) == (text if output is None else output)


@examples(200)
@given(SOUP | BROKEN, st.lists(st.integers(0, 500), max_size=20))
def test_filter_output_does_not_depend_on_the_pieces(text: str, places: list[int]) -> None:
    assert filtered(text, places) == filtered(text)
    assert filtered(text, list(range(len(text)))) == filtered(text)


@examples(350)
@given(SOUP | BROKEN)
@example('{"a":' * 64 + "[1" + "}" * 64)
@example('{"a":' * 64 + '[1}"' + "}" * 64)
@example('{"a":' * 64 + '["\\x"' + "}" * 64)
@example("[" * 70 + "1 2" + "]" * 70)
@example(r'{"\u\u000001f0": 1}')
@example('{"a": 1\0}')
@example('{"a": [1]\0}')
@example("\0{}")
@example('{"\0": "\\\0n"}')
@example('{"a": "\\u\x000041"}')
def test_filter_output_parses_as_the_input_does(text: str) -> None:
    output = filtered(text)
    well_formed = read_as_object(json.loads, text)
    assert is_complete(text) == well_formed
    assert parses(output) == well_formed
    output.encode()
    assert "\0" not in output
    if well_formed:
        assert_storable(json.loads(output))
        assert filtered(output) == output


@examples(100)
@given(CLEAN, st.booleans(), st.sampled_from([None, 2]))
def test_filter_passes_clean_text_unchanged(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps({"a": value}, ensure_ascii=ascii_only, indent=indent)
    assert filtered(text) == text


@examples(100)
@given(UNSAFE, st.integers(0, MAX_DEPTH + 10))
def test_filter_means_what_json_safe_means(value: object, depth: int) -> None:
    text = json.dumps({"a": nested(depth, value)}, ensure_ascii=False)
    assert json.loads(filtered(text)) == make_json_safe(json.loads(text))


@pytest.mark.parametrize(
    ("fed", "emitted"),
    [
        ('{"a": "Hel', '{"a": "Hel'),
        ('{"a": "x\\', '{"a": "x'),
        ('{"a": "x\\u00', '{"a": "x'),
        ('{"a": "x\\ud83d\\ude0', '{"a": "x'),
        ('{"a": 12', '{"a": '),
        ('{"a": 12,', '{"a": 12,'),
        ("tru", ""),
        ("[" * 66 + '"x', "[" * 64 + '"[[\\"x'),
    ],
)
def test_filter_holds_back_only_what_may_change(fed: str, emitted: str) -> None:
    assert ToolArgumentsFilter().feed(fed) == emitted


def test_filter_complete() -> None:
    arguments = ToolArgumentsFilter()
    states = []
    for piece in (" ", "{", '"a"', ": 1", "}", " \n", "\ud83d", "x"):
        arguments.feed(piece)
        states.append(arguments.complete)
    assert states == [False, False, False, False, True, True, False, False]
    for rest in ("\0", "\ud83d", "]", " 1"):
        arguments = ToolArgumentsFilter()
        arguments.feed("{}")
        arguments.feed(rest)
        assert not arguments.complete
    assert not is_complete("[]")
    assert not is_complete("{} {}")


def test_nothing_follows_a_mismatched_bracket() -> None:
    arguments = ToolArgumentsFilter()
    assert arguments.feed("[12") + arguments.make_unparseable() == "[12}"
    assert arguments.feed('"\0 99999999999999999999') == '" 99999999999999999999'
    assert arguments.make_unparseable() == ""


RICH = (
    r'{"to\u0000": "B\\o\"b\ud83d\ude00\ud800", "n": [1, -2.5e3, {"x": {}}, NaN], "t": true, '
    '"deep": ' + '{"k": [' * 40 + r'"\\\u00e9\ud83d\ude00", 1' + "]}" * 40 + "}"
)


def assert_spoilt(text: str) -> None:
    arguments = ToolArgumentsFilter()
    output = arguments.feed(text) + arguments.make_unparseable()
    assert not read_as_object(json.loads, output)
    assert not read_as_object(parse_partial_json, output)


@pytest.mark.no_cover
def test_spoil_at_every_place() -> None:
    healed = 0
    for end in range(len(RICH) + 1):
        assert_spoilt(RICH[:end])
        healed += read_as_object(parse_partial_json, RICH[:end])
    assert healed > len(RICH) // 2  # unspoilt, most prefixes are read as an object


@examples(220)
@given(SOUP | BROKEN | UNSAFE.map(json.dumps), st.integers(0, 500))
@example(r'{"a": "b\ ', 9)
@example(r'{"a": "\u12 ', 10)
def test_spoil_any_text(text: str, end: int) -> None:
    assert_spoilt(text[: end % (len(text) + 1)])
    assert_spoilt(text)


# --- time


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("head", "unit"),
    [
        ('{"a": "', "text and \\n escapes \\u00e9 "),
        ("[", '{"id": 12, "ok": true}, '),
        ("", "1234567890123456"),
        ("", "[[[["),
        ("", "garbage"),
        ('"', "\\ud800\\u0000"),
    ],
)
def test_filter_takes_linear_time(head: str, unit: str) -> None:
    def seconds(times: int) -> float:
        text = head + unit * times
        pieces = [text[at : at + 64] for at in range(0, len(text), 64)]
        arguments = ToolArgumentsFilter()
        start = time.process_time()
        for piece in pieces:
            arguments.feed(piece)
        arguments.make_unparseable()
        return time.process_time() - start

    def measure() -> tuple[float, ...]:
        return tuple(seconds(size // len(unit)) for size in (40_000, 400_000))

    def is_linear(small: float, large: float) -> bool:
        return large < 40 * small + 0.05  # ten times the text; quadratic would be a hundred

    assert is_linear(*least_times(measure, is_linear))


class _Thorough(ToolArgumentsFilter):
    """Which takes no text for plain."""

    @override
    def feed_plain(self, text: str) -> bool:
        return False


SAFE_PIECES = st.sampled_from(["a", "abc ", "{", "1", "", "\n", "]", "é", "u0041", "d83d", ":"])


@examples(250)
@given(st.lists(SAFE_PIECES | st.sampled_from([*PIECES, *SPACES_AND_RAW, *NESTS])))
@example(['{"a": "', "b", "\ud83d", "c", "\\", "u0041", "d", '"', "}"])
@example(['{"a": "\\ud83d', "b", "\\ude00", "c"])
@example(['"', "a\n", "b"])
@example(["[" * 65 + '"', "a\n", '"' + "]" * 65])
@example(['{"a"}, "', "b"])
@example(['["a"}"', "b"])
def test_plain_text_is_fed_to_the_same_end(pieces: list[str]) -> None:
    quick, thorough = ToolArgumentsFilter(), _Thorough()
    for piece in pieces:
        before = quick.complete
        output = thorough.feed(piece)
        if quick.feed_plain(piece):  # as a reader of calls does
            assert output == piece
            assert quick.complete == before
        else:
            assert quick.feed(piece) == output
        assert quick.complete == thorough.complete
    assert quick.make_unparseable() == thorough.make_unparseable()
    assert quick.received == thorough.received
    assert quick.complete == thorough.complete


def test_no_text_is_plain_outside_a_plain_string() -> None:
    for begun in ("", "{", '{"a"', '{"a": 1', '{"a": "b\\', '["\\ud83d', "[" * 65 + '"', '["a"}"'):
        arguments = ToolArgumentsFilter()
        arguments.feed(begun)
        assert not arguments.feed_plain("a"), begun
    inside = ToolArgumentsFilter()
    inside.feed('{"a": "b')
    assert [inside.feed_plain(piece) for piece in ("a", '"', "\\", "\0", "é", "\ud83d")] == [
        True,
        *[False] * 5,
    ]


@pytest.mark.parametrize("high", [chr(0xD800), chr(0xDBFF)])
def test_a_surrogate_pair_may_be_cut_in_two(high: str) -> None:
    pair = f"{high}\udc00".encode("utf-16", "surrogatepass").decode("utf-16")
    arguments = ToolArgumentsFilter()
    pieces = [arguments.feed(piece) for piece in ('{"a": "' + high, '\udc00"}')]
    assert json.loads("".join(pieces)) == {"a": pair}


@pytest.mark.no_cover
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_text_without_end_of_its_levels_costs_a_bounded_time(opening: str) -> None:
    text = '{"a":' + opening * 1_000_000
    arguments = ToolArgumentsFilter()
    start = time.process_time()
    output = arguments.feed(text) + arguments.make_unparseable()
    assert time.process_time() - start < 1  # each level read: 2 s and more
    assert (arguments.is_too_deep, arguments.complete) == (True, False)
    with pytest.raises(json.JSONDecodeError):
        json.loads(output)


def test_levels_up_to_the_bound_are_read() -> None:
    for extra, complete in ((0, True), (1, False)):
        levels = MOST_LEVELS - 1 + extra
        arguments = ToolArgumentsFilter()
        arguments.feed('{"a":' + "[" * levels + "]" * levels + "}")
        assert (arguments.complete, arguments.is_too_deep) == (complete, not complete)


def test_the_deepest_level_stays_and_what_is_below_becomes_text() -> None:
    deepest = '{"a":' * (MAX_DEPTH - 1) + '{"a": "x"}' + "}" * (MAX_DEPTH - 1)
    assert filtered(deepest) == deepest
    below = '[1, "x"]'
    value = json.loads(filtered('{"a":' * MAX_DEPTH + below + "}" * MAX_DEPTH))
    for _ in range(MAX_DEPTH):
        value = value["a"]
    assert value == below
