"""JSON that is still arriving has at each piece the value that LangChain gives its beginning."""

from __future__ import annotations

import json
import re
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.utils.json import parse_partial_json

from langchain_asi_one._json.partial import PartialJSON
from langchain_asi_one._json.safe import MAX_DEPTH, loads, make_json_safe
from tests.support.examples import examples
from tests.support.patience import least_times

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, 2**64, -(2**63) - 1, 10**30, 1e308, -0.0, 1.5e-9])
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    LEAF,
    lambda child: st.lists(child, max_size=4) | st.dictionaries(TEXT, child, max_size=4),
    max_leaves=12,
)
CONTAINERS = st.dictionaries(TEXT, JSON, max_size=4) | st.lists(JSON, max_size=4)
# Of an escape that is cut, LangChain drops the string, or shows half of a pair: it goes on.
CUT_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(?:\\(?:u[0-9a-fA-F]{0,3})?|\\u[dD][89abAB]..)\Z")
PARTS = st.sampled_from(
    [
        *(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            '"a"',
            '"a":',
            "\\",
            "\\n",
            "\\u",
            "\\u00",
            "00e9",
            "d83d",
        ),
        *("\\ud83d", "\\ude00", "\\u0000", "\\x", "1", "-", "12", ".5", "e9", "E+", "01", "1e999"),
        *(
            "true",
            "tru",
            "nul",
            "l",
            "NaN",
            "Infinity",
            " ",
            "\n",
            "\0",
            "é",
            "😀",
            "x",
            "```",
            "/*",
        ),
        *(
            '{"a": [1, "',
            '"b": {"c": ',
            "99999999999999999999",
            "\xa0",
            "\ufeff",
            "\x01",
            '{"a": 1}',
        ),
    ]
)


def parse(*pieces: str) -> PartialJSON:
    answer = PartialJSON()
    for piece in pieces:
        answer.feed(piece)
    return answer


def exactly(value: Any) -> tuple[Any, str]:
    """A value with the kinds of its numbers and the order of its keys."""
    return value, json.dumps(value)


def by_langchain(text: str) -> Any:
    """What LangChain makes of a beginning; `None` while there is nothing to read."""
    try:
        value: Any = make_json_safe(parse_partial_json(text))
    except ValueError:
        return None
    return value if isinstance(value, (dict, list)) else None


def split(text: str, places: list[int]) -> list[str]:
    marks = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(marks)]


@examples(30)
@given(CONTAINERS, st.booleans(), st.sampled_from([None, 1, "\t"]))
@example({"a": 'x"\\/\b\f\n\r\té😀', "b": "\\u0041", "é": [[], {}, [{}]]}, True, None)
@example([1.5e-9, -1, 0, 10**30, "", True, None], False, None)
def test_each_beginning_is_read_as_langchain_reads_it(
    value: Any, ascii_only: bool, indent: int | str | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    answer = PartialJSON()
    for end, char in enumerate(text, 1):
        assert not answer.ended
        answer.feed(char)
        if not CUT_ESCAPE.search(text[:end]):
            assert exactly(answer.value) == exactly(by_langchain(text[:end])), text[:end]
    assert answer.ended
    assert exactly(answer.value) == exactly(loads(text))


@examples(200)
@given(st.lists(PARTS, max_size=14).map("".join), st.lists(st.integers(0, 200), max_size=6))
@example('{"a": "\\ud83d\\ude00", "b\\ud83d', [7, 9, 15, 20, 25])
@example('{"a": tru, "b": 1}', [8])
@example('{"a": 1 2}', [7])
def test_how_the_text_is_cut_changes_nothing(text: str, places: list[int]) -> None:
    one_by_one, by_pieces, at = PartialJSON(), PartialJSON(), 0
    for piece in split(text, places):
        for char in text[at : at + len(piece)]:
            one_by_one.feed(char)
        at += len(piece)
        by_pieces.feed(piece)
        assert exactly(by_pieces.value) == exactly(one_by_one.value)
        assert by_pieces.ended == one_by_one.ended


@examples(80)
@given(CONTAINERS, st.integers(0, 60), PARTS | st.just(""))
def test_malformed_text_is_read_up_to_where_it_is(value: Any, at: int, part: str) -> None:
    """Each beginning that JSON can begin with has LangChain's value; then nothing moves it."""
    text = json.dumps(value)
    text = text[:at] + part + text[at + 1 :]
    answer = PartialJSON()
    for char in text:
        before, over = answer.value, answer.ended
        answer.feed(char)
        if over:
            assert answer.ended
            assert exactly(answer.value) == exactly(before)
    if answer.ended:
        before = answer.value
        answer.feed('"}]} {"b": 1}')
        assert exactly(answer.value) == exactly(before)
    try:
        whole = loads(text.strip(" \t\n\r"))
    except ValueError:
        return
    if isinstance(whole, (dict, list)):
        assert exactly(answer.value) == exactly(whole)


@examples(200)
@given(st.lists(PARTS | st.text(st.characters(), max_size=5), max_size=12))
def test_nothing_raises_and_all_is_safe(pieces: list[str]) -> None:
    answer = PartialJSON()
    for piece in pieces:
        answer.feed(piece)
        value = answer.value
        assert value is None or isinstance(value, (dict, list))
        assert exactly(value) == exactly(make_json_safe(value))
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("text", "value", "ended"),
    [
        ("", None, False),
        (" \n", None, False),
        ("x", None, False),
        ("x ", None, True),
        ("5", None, False),
        ("5 ", None, True),
        ('"a', None, True),
        ("true{", None, True),
        ("}", None, True),
        ("{", {}, False),
        ('{"a', {}, False),
        ('{"a":', {}, False),
        ('{"a": 1', {"a": 1}, False),
        ('{"a": 1 ,', {"a": 1}, False),
        ('{"a": 1,}', {"a": 1}, True),
        ('{"a": 1, "a": 2, "b": 3, "a', {"a": 2, "b": 3}, False),
        ('{"a": "x", "a', {"a": "x"}, False),
        ('{"a": "x", "a": "', {"a": ""}, False),
        ('{"a": "x", "a": [', {"a": []}, False),
        ('{"a": tru', {}, False),
        ('{"a": true', {"a": True}, False),
        ('{"a": truex', {"a": True}, False),
        ('{"a": truex,', {"a": True}, True),
        ('{"a": "b\\x', {"a": "b"}, True),
        ('{"a": "b\\uzzzz', {"a": "b"}, True),
        ('{"a": 01', {"a": 0}, False),
        ('{"a": 01}', {"a": 0}, True),
        ("[12x]", [12], True),
        ("[1.5.5]", [1.5], True),
        ('{"a" 1}', {}, True),
        ("{1: 2}", {}, True),
        ("{null", {}, False),
        ('{"a": [1, 2]]', {"a": [1, 2]}, True),
        ('{"a": [1, 2}', {"a": [1, 2]}, True),
        ('{"a": 1} {"b": 2}', {"a": 1}, True),
        ('{"a": 1}x', {"a": 1}, True),
        ("[1,,2]", [1], True),
        ("[,", [], True),
        ("[1 2", [1], False),
        ("[1 2,", [1], True),
        ('{"a": 1 2', {"a": 1}, False),
        ('{"a" 5', {}, False),
        ("{5", {}, False),
        ("[" + "9" * 5000, ["9" * 5000], False),
        ("[18446744073709551615, 18446744073709551616", [2**64 - 1, str(2**64)], False),
        ("[-9223372036854775808, -9223372036854775809,", [-(2**63), str(-(2**63) - 1)], False),
        ('["\\u0000a\0b', ["ab"], False),
        ('["\\ud800a\\udc00', ["\ufffda\ufffd"], False),
    ],
)
def test_value(text: str, value: Any, ended: bool) -> None:
    """Where the text is no JSON any more, the value stays as it was."""
    for answer in (parse(text), parse(*text)):
        assert (exactly(answer.value), answer.ended) == (exactly(value), ended)
    if not ended and len(text) < 4000:  # it converts digits, of which there is a limit
        assert exactly(by_langchain(text)) == exactly(value)


PAIR = '["a\\ud83d\\ude00b"]'


@pytest.mark.parametrize("place", range(len(PAIR)))
def test_a_pair_of_escapes_cut_in_half_is_never_shown_in_halves(place: int) -> None:
    answer = parse(PAIR[:place])
    shown = answer.value
    assert shown is None or shown in ([], [""], ["a"], ["a😀"], ["a😀b"])
    answer.feed(PAIR[place:])
    assert (answer.value, answer.ended) == (["a😀b"], True)


def test_half_a_pair_that_stays_half_is_replaced() -> None:
    for rest in ("x", '"', "\\n", "\\ud83d\\ude00"):
        answer = parse('["\\ud83d', rest)
        shown = {"x": "x", '"': "", "\\n": "\n", "\\ud83d\\ude00": "😀"}[rest]
        assert answer.value == ["\ufffd" + shown]


def test_levels_beyond_the_limit_are_not_read() -> None:
    text = '{"a": 1, "b": ' + "[" * 10_000 + "1" + "]" * 10_000 + "}"
    for answer in (parse(text), parse(*text)):
        assert answer.ended
        depth, value = 1, answer.value["b"]
        while value:
            depth, (value,) = depth + 1, value
        assert depth + 1 == MAX_DEPTH
    exact = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert exactly(parse(*exact).value) == exactly(loads(exact))


def test_open_containers_are_new_each_time() -> None:
    answer = parse('{"a": {"b": [1, "x')
    first = answer.value
    answer.feed('y"], "c": 2')
    assert first == {"a": {"b": [1, "x"]}}
    second = answer.value
    first["a"]["b"].append("changed")
    second["a"]["d"] = "changed"
    answer.feed("}}")
    assert answer.value == {"a": {"b": [1, "xy"], "c": 2}}


HOSTILE = {
    "one string": ('["', "abcd"),
    "escapes": ('["', "\\n\\u0041"),
    "halves of pairs": ('["', "\\ud83d"),
    "backslashes": ('["', "\\\\"),
    "digits": ("[", "1234"),
    "a word": ("[", "abcd"),
    "blanks": ("[", "    "),
    "items": ("[0", ",123"),
    "keys": ('{"": 0', ', "a": 1'),
    "brackets": ("", "[[[["),
    "closed": ("[]", "]]]]"),
    "empty objects": ("[0", ",{}"),
}


def measure_time(begin: str, piece: str, size: int, *, at_once: bool) -> float:
    answer, pieces = parse(begin), [piece * size] if at_once else [piece] * size
    begun = time.process_time()
    for each in pieces:
        answer.feed(each)
    return time.process_time() - begun


@pytest.mark.no_cover
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in pieces"])
def test_no_text_takes_quadratic_time(name: str, at_once: bool) -> None:
    def measure() -> tuple[float, ...]:
        return tuple(
            measure_time(*HOSTILE[name], size, at_once=at_once) for size in (4_000, 16_000)
        )

    def is_linear(short: float, long: float) -> bool:
        # A thousandth of a second is not measured well.
        return long < 9 * max(short, 0.002)

    assert is_linear(*least_times(measure, is_linear))
