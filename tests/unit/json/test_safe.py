"""Values and text from the wire become safe for every serialiser, whatever they were."""

from __future__ import annotations

import enum
import json
import math
import random
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_asi_one._json.safe import (
    CIRCULAR,
    MAX_DEPTH,
    UNPRINTABLE,
    dumps,
    is_json,
    is_json_safe,
    loads,
    make_json_safe,
    make_scalar_safe,
    make_shallow,
    make_text_safe,
)
from tests.support.examples import examples
from tests.support.json_texts import (
    ANY_TEXT,
    BIG,
    BROKEN,
    CLEAN,
    DEEP_NEWLINE,
    SOUP,
    UNSAFE,
    assert_storable,
    depth_of,
    nested,
    parses,
)

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("", ""),
        ("plain é 😀 \u2028", "plain é 😀 \u2028"),
        ("a\0b\0", "ab"),
        ("\ud83d\ude00", "😀"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00!", "\ufffd😀!"),
        ("\ud83d\0\ude00", "\ufffd\ufffd"),
        ("\ufeffa\ud800", "\ufeffa\ufffd"),
    ],
)
def test_safe_text(text: str, safe: str) -> None:
    assert make_text_safe(text) == safe


@examples(100)
@given(ANY_TEXT)
def test_safe_text_is_utf8_without_nul_and_stable(text: str) -> None:
    safe = make_text_safe(text)
    assert safe.encode().decode() == safe
    assert "\0" not in safe
    assert make_text_safe(safe) == safe


class _Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError("no attributes")


class _Raising(dict[str, object]):
    def items(self) -> None:  # type: ignore[override]
        raise RuntimeError("no items")

    __iter__ = keys = __getitem__ = items  # type: ignore[assignment]


class _Point(NamedTuple):
    x: int
    y: int


class _Colour(enum.IntEnum):
    RED = 1


class _Name(enum.StrEnum):
    BOB = "bob\0"


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        (2**64 - 1, 2**64 - 1),
        (-(2**63), -(2**63)),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (math.nan, None),
        (math.inf, None),
        (-0.0, -0.0),
        (True, True),
        ((1, (2,)), [1, [2]]),
        (_Point(1, 2), [1, 2]),
        ({1: "a", "1": "b", None: "c", 0.5: 1}, {"1": "b", "None": "c", "0.5": 1}),
        ({"a": 1, "a\0": 2}, {"a": 2}),
        ({2**70: 1}, {str(2**70): 1}),
        ([b"x", 1j, {3}], ["b'x'", "1j", "{3}"]),
        ([_Hostile(), {_Hostile: 1}], [UNPRINTABLE, {str(_Hostile): 1}]),
        (_Raising(a=[1]), {"a": [1]}),
        ([_Colour.RED, _Name.BOB], [1, "bob"]),
    ],
)
def test_make_json_safe(value: object, safe: object) -> None:
    result = make_json_safe(value)
    assert result == safe
    assert repr(result) == repr(safe)  # 1, True and IntEnum are equal, but not the same
    assert_storable(result)


@examples(100)
@given(CLEAN)
def test_json_safe_keeps_clean_values(value: object) -> None:
    assert make_json_safe(value) == value


@examples(100)
@given(UNSAFE)
def test_json_safe_is_storable_and_idempotent(value: object) -> None:
    safe = make_json_safe(value)
    assert_storable(safe)
    assert make_json_safe(safe) == safe


def test_json_safe_shares_no_container() -> None:
    inner = [1]
    value = {"a": inner, "b": inner}
    safe = make_json_safe(value)
    inner.append(2)
    assert safe == {"a": [1], "b": [1]}
    assert isinstance(safe, dict)
    assert safe["a"] is not safe["b"]


def test_json_safe_int_beyond_the_digit_limit() -> None:
    number = 10 ** (sys.get_int_max_str_digits() + 1)
    assert make_json_safe({"n": number, number: 0}) == {"n": hex(number), hex(number): 0}


def test_json_safe_cuts_circles() -> None:
    circle: list[object] = [1]
    circle += [circle, circle, {"a": circle}]
    assert make_json_safe(circle) == [1, CIRCULAR, CIRCULAR, {"a": CIRCULAR}]
    assert CIRCULAR in json.dumps(make_json_safe(nested(MAX_DEPTH, circle)))


LEAF = {"é\0": [2**64, math.nan, "\ud800", (), {}, None, 'q"', True, 0.5]}
SAFE_LEAF: dict[str, object] = {"é": [str(2**64), None, "\ufffd", [], {}, None, 'q"', True, 0.5]}


def peel(value: object, levels: int) -> object:
    for _ in range(levels):
        assert isinstance(value, (dict, list))
        (value,) = value.values() if isinstance(value, dict) else value
    return value


def test_json_safe_keeps_the_deepest_level_allowed() -> None:
    depth = MAX_DEPTH - depth_of(SAFE_LEAF)
    assert make_json_safe(nested(depth, LEAF)) == nested(depth, SAFE_LEAF)


@pytest.mark.parametrize("below", [0, 1, 2, 30])
def test_json_safe_writes_deeper_levels_as_text(below: int) -> None:
    safe = make_json_safe(nested(MAX_DEPTH + below, LEAF))
    assert_storable(safe)
    text = json.dumps(nested(below, SAFE_LEAF), ensure_ascii=False)
    assert peel(safe, MAX_DEPTH) == text


def test_a_deep_container_that_occurs_twice_is_written_twice() -> None:
    twice = ["a"]
    safe = make_json_safe(nested(MAX_DEPTH, [twice, twice]))
    assert peel(safe, MAX_DEPTH) == '[["a"], ["a"]]'


@pytest.mark.no_cover
def test_json_safe_any_depth() -> None:
    text = peel(make_json_safe(nested(100_000)), MAX_DEPTH)
    assert isinstance(text, str)
    assert text.count("[") == text.count("{") == (100_000 - MAX_DEPTH) / 2


# --- loads


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\xef\xbb\xbf{}", {}),
        ("\ufeff[]", []),
        ('"é"'.encode(), "é"),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", "18446744073709551616"),
        ("-9223372036854775808", -(2**63)),
        ("-9223372036854775809", "-9223372036854775809"),
        (f"[{BIG}, -{BIG}]", [BIG, f"-{BIG}"]),
        ("[NaN, Infinity, -Infinity, 1e999, -1e999, 1e-999]", [None, None, None, None, None, 0.0]),
        (f"[{BIG}.5]", [None]),
        (r'"\ud83d\ude00 \uD83D\uDE00"', "😀 😀"),
        (r'"\ud800 \udc00 \u0000"', "\ufffd \ufffd "),
        (r'"\\ud83d\udc00"', r"\ud83d" + "\ufffd"),
        ('"\ud83d\ude00 \ud800"', "😀 \ufffd"),
        (r'{"a": 1, "a\u0000": 2}', {"a": 2}),
    ],
)
def test_loads(data: bytes | str, value: object) -> None:
    assert loads(data) == value
    assert_storable(loads(data))


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "data", ["", "{", "nul", "[1] 2", '"\n"', '"\0"', "[1]\0", "[" * 100_000, DEEP_NEWLINE]
)
@pytest.mark.parametrize("as_bytes", [True, False])
def test_loads_malformed(data: str, as_bytes: bool) -> None:
    with pytest.raises(json.JSONDecodeError):
        loads(data.encode() if as_bytes else data)


@pytest.mark.parametrize("data", [b'"\xff"', b'"\xc3', b'"\xed\xa0\x80"', '"é"'.encode("utf-16")])
def test_loads_not_utf8(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        loads(data)


@examples(100)
@given(CLEAN, st.booleans(), st.sampled_from([None, 1]))
def test_loads_keeps_clean_values(value: object, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert loads(text) == value
    assert loads(text.encode()) == value


@examples(100)
@given(UNSAFE, st.booleans())
def test_loads_is_json_safe_of_plain_parsing(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert loads(text) == make_json_safe(json.loads(text))
    assert_storable(loads(text))


@examples(300)
@given(SOUP | BROKEN)
@example("[" * 65 + '"\n"' + "]" * 65)
@example("[" * 65 + '"\0"' + "]" * 65)
def test_loads_takes_what_the_standard_parser_takes(text: str) -> None:
    plain = text.removeprefix("\ufeff")
    try:
        value = loads(text)
    except json.JSONDecodeError:
        assert not parses(plain, strict=True)
    else:
        assert parses(plain, strict=True)
        assert_storable(value)
        assert make_json_safe(value) == value


@examples(100)
@given(UNSAFE, st.integers(MAX_DEPTH - 3, MAX_DEPTH + 10))
def test_loads_depth_is_that_of_make_json_safe(value: object, depth: int) -> None:
    text = json.dumps(nested(depth, value), ensure_ascii=False)
    assert loads(text) == make_json_safe(json.loads(text))
    assert depth_of(loads(text)) <= MAX_DEPTH


@pytest.mark.no_cover
@pytest.mark.parametrize("depth", [900, 100_000])
def test_loads_any_depth(depth: int) -> None:
    value = peel(loads("[" * depth + BIG + "]" * depth), MAX_DEPTH)
    below = depth - MAX_DEPTH
    assert value == "[" * below + f'"{BIG}"' + "]" * below


# --- What is seen at a glance is what a look would find ---


def exactly(value: object) -> tuple[object, str]:
    """A value with the kinds of its numbers and the order of its keys; not all of it is storable.

    `json` tells 1, 1.0 and true apart, and minus zero from zero, which `==` does not.
    """
    return value, json.dumps(value)


DIGITS = st.integers(17, 25).flatmap(
    lambda size: st.integers(10 ** (size - 1), 10**size - 1).map(str)
)
LITERALS = st.one_of(
    DIGITS,
    DIGITS.map(lambda digits: f"-{digits}"),
    st.builds(
        lambda sign, whole, rest, mark, power: f"{sign}{whole}{rest}{mark}{power}",
        st.sampled_from(["", "-"]),
        st.integers(0, 10**20).map(str),
        st.sampled_from(["", ".0", ".5", "." + "9" * 30]),
        st.sampled_from(["e", "E", "e+", "E+", "e-", "E-"]),
        st.sampled_from([0, 1, 19, 290, 307, 308, 309, 324, 400, 10**9]),
    ),
    st.sampled_from(
        [
            *("0", "-0", "-0.0", "1e308", "1e309", "1E+400", "-1e309", "1.7976931348623157e308"),
            *("1.7976931348623159e308", "5e-324", "1e-400", "9" * 4301, "-" + "9" * 5000),
            *(
                str(2**63 - 1),
                str(2**63),
                str(2**64 - 1),
                str(2**64),
                str(-(2**63)),
                str(-(2**63) - 1),
            ),
            *("NaN", "Infinity", "-Infinity", "1e5", "1E5", "100000000000000000000000.5"),
        ]
    ),
)


def plainly(text: str) -> object:
    """`make_json_safe` of what plain parsing gives, where it writes integers out in full."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return make_json_safe(json.loads(text))
    finally:
        sys.set_int_max_str_digits(limit)


@examples(230)
@given(st.lists(LITERALS, max_size=6), st.sampled_from(["", " ", "\n\t "]), st.booleans())
def test_loads_reads_every_number_as_json_safe_makes_it(
    literals: list[str], blank: str, as_bytes: bool
) -> None:
    pairs = ",".join(f'"k{n}":{blank}[{text}]{blank}' for n, text in enumerate(literals))
    for text in (f"{blank}{{{pairs}}}{blank}", *literals):
        value = loads(text.encode() if as_bytes else text)
        assert exactly(value) == exactly(plainly(text))
        assert_storable(value)


@examples(120)
@given(UNSAFE, st.integers(0, 3))
@example({"a": (1, 2)}, 0)
@example({1: 2}, 0)
@example([True, 1, 1.0, -0.0], 0)
@example(_Colour.RED, 1)
@example({_Name.BOB: 1}, 1)
@example([2**64 - 1, -(2**63)], 1)
@example([2**64], 1)
@example(float("nan"), 1)
@example(["\ud800", "\0", "\x7f", "é"], 1)
def test_what_is_safe_at_a_glance_is_only_copied(value: object, depth: int) -> None:
    for told in (value, nested(depth, value), nested(MAX_DEPTH - 1 + depth, value)):
        wanted = make_json_safe(told)
        assert dumps(told) == json.dumps(wanted, ensure_ascii=False)
        if is_json_safe(told):
            assert exactly(told) == exactly(wanted)
            assert json.dumps(told, allow_nan=False) == json.dumps(wanted, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ({"a": [1, "b", None, True, 1.5, {}]}, True),
        (nested(MAX_DEPTH - 1, [1]), True),
        (nested(MAX_DEPTH, [1]), False),
        (2**64 - 1, True),
        (2**64, False),
        (-(2**63) - 1, False),
        (math.inf, False),
        ("a\0", False),
        ({"a\0": 1}, False),
        ({1: 1}, False),
        ((1,), False),
        ([_Hostile()], False),
        ([_Raising(a=1)], False),
        (_Point(1, 2), False),
        ({None: 1}, False),
        ({True: 1}, False),
    ],
)
def test_is_json_safe(value: object, safe: bool) -> None:
    assert is_json_safe(value) is safe


def test_dumps_of_what_contains_itself() -> None:
    circle: list[object] = [1]
    circle += [circle, {"a": circle}]
    assert not is_json_safe(circle)
    assert dumps(circle) == json.dumps(make_json_safe(circle), ensure_ascii=False)


@pytest.mark.parametrize("value", [7, "x" * 20_000, [1], {"a": ["x" * 20_000, None]}])
def test_loads_long_documents(value: object) -> None:
    text = json.dumps(value) + " " * 20_000
    assert loads(text) == loads(text.encode()) == value


# --- Documents of any depth ---


@pytest.mark.parametrize(
    ("literal", "safe"),
    [
        ("-0", "-0"),
        ("1.5e3", "1.5e3"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", '"18446744073709551616"'),
        ("-9223372036854775809", '"-9223372036854775809"'),
        ("1e999", "null"),
        ("NaN", "null"),
        ("-Infinity", "null"),
        ("true", "true"),
        ("True", None),
        ("01", None),
        ("1.", None),
        ("+1", None),
        ("", None),
    ],
)
def test_safe_scalar(literal: str, safe: str | None) -> None:
    assert make_scalar_safe(literal) == safe


@examples(200)
@given(SOUP | BROKEN)
@example('{"a":' * 200 + "1" + "}" * 200)
@example('{"a":' * 64 + "{[1]: 2}" + "}" * 64)
@example("[" * 64 + "1[2]" + "]" * 64)
@example("[" * 128 + "[1 2]" + "]" * 128)
@example("[" * 70 + "]" * 69)
@example("[" * 70 + "]" * 71)
def test_a_shallow_document_is_as_well_formed(text: str) -> None:
    for strict in (True, False):
        try:
            shallow = make_shallow(text, strict=strict)
        except json.JSONDecodeError:
            assert not parses(text, strict=strict)
        else:
            assert parses(shallow, strict=strict) == parses(text, strict=strict)
    assert is_json(text) == parses(text)


@examples(100)
@given(UNSAFE, st.integers(0, 3 * MAX_DEPTH))
def test_a_shallow_document_has_the_values_of_the_deep_one(value: object, depth: int) -> None:
    text = json.dumps(nested(depth, value), ensure_ascii=False)
    shallow = json.loads(make_shallow(text, strict=True))
    assert make_json_safe(shallow) == make_json_safe(json.loads(text))


def test_the_text_of_a_deep_container_has_safe_tokens() -> None:
    text = "[" * (MAX_DEPTH + 1) + r'"", "\ud800", 1e999, 7, "é"' + "]" * (MAX_DEPTH + 1)
    shallow = json.loads(make_shallow(text, strict=True))
    assert peel(shallow, MAX_DEPTH) == '["", "\ufffd", null, 7, "é"]'


@pytest.mark.no_cover
def test_depth_costs_no_more_than_length() -> None:
    depth = 200_000
    began = time.process_time()
    for text in ("[" * depth + "]" * depth, "[" * depth, '{"a":' * depth + "1" + "}" * depth):
        assert is_json(text) == text.endswith(("]", "}"))
    assert time.process_time() - began < 4


@given(st.lists(st.tuples(st.sampled_from("[{"), st.integers(1, 150)), max_size=6), st.randoms())
def test_a_walk_through_many_levels_is_read_as_plain_parsing_does(
    runs: list[tuple[str, int]], chance: random.Random
) -> None:
    text, open_ones = "", list[str]()
    for opening, number in runs:
        part = "[" if opening == "[" else '{"[\\"{":'
        text += part * number
        open_ones += opening * number
        for _ in range(chance.randrange(len(open_ones))):
            text += ("1" if text.endswith(":") else "") + ("]" if open_ones.pop() == "[" else "}")
        text += "," if text.endswith(("]", "}")) and open_ones[-1] == "[" else ""
        if text.endswith("}") or (text.endswith("]") and open_ones[-1] == "{"):
            text += ',"k":'
    text += "1" + "".join("]" if one == "[" else "}" for one in reversed(open_ones))
    assert loads(text) == make_json_safe(json.loads(text))
    place = chance.randrange(len(text))
    broken = text[:place] + text[place + 1 :]
    try:
        json.loads(broken)
    except ValueError:
        assert not is_json(broken)
        with pytest.raises(json.JSONDecodeError):
            make_shallow(broken, strict=True)
    else:
        assert is_json(broken)


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("deep", "flat"),
    [
        ("[" * 300_000 + "]" * 300_000, "[" + "[]," * 199_999 + "[]]"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "[" + '{"a":1},' * 75_000 + "1]"),
    ],
)
def test_a_deep_document_costs_what_a_flat_one_of_its_length_does(deep: str, flat: str) -> None:
    def measure(text: str) -> float:
        began = time.process_time()
        loads(text)
        return time.process_time() - began

    assert len(deep) <= len(flat) + 2
    assert min(measure(deep) for _ in range(3)) < 5 * min(measure(flat) for _ in range(3))
