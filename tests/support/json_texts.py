"""JSON values and texts that Hypothesis makes up: clean, unsafe and broken."""

from __future__ import annotations

import json

import ormsgpack
from hypothesis import strategies as st

BIG = "9" * 5000
DEEP_NEWLINE = "[" * 100_000 + '"\n"' + "]" * 100_000
CLEAN_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
ANY_TEXT = st.text(st.characters() | st.sampled_from('\0\ud83d\ude00\udc00\ud800\\"\n'))


def tree(
    text: st.SearchStrategy[str], leaf: st.SearchStrategy[object]
) -> st.SearchStrategy[object]:
    return st.recursive(
        leaf | text | st.none() | st.booleans(),
        lambda child: st.lists(child, max_size=4) | st.dictionaries(text, child, max_size=4),
        max_leaves=12,
    )


CLEAN = tree(
    CLEAN_TEXT,
    st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False),
)
UNSAFE = tree(
    ANY_TEXT,
    st.integers()
    | st.floats()
    | st.sampled_from([2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**100]),
)
PIECES = r"""
{ } [ ] " \ , : \u \\ \" \x \n d83d de00 \ud83d \ude00 \uDBFF \udC00 \u0000 \u00e9 \ud \u12
0 1 -1 01 1.5 1e5 1e999 -1e999 1. - -- e5 NaN Infinity -Infinity null true fals
18446744073709551615 18446744073709551616 -9223372036854775808 -9223372036854775809
99999999999999999999999 {"a": {"a":"b"} [[1],2] "x" é 😀 "k": ,"k":
""".split()  # noqa: SIM905
SPACES_AND_RAW = [" ", "\n", "\t", "\0", "\x01", "\ud83d", "\ude00", "\u00a0", "\ufeff"]
NESTS = ["[" * 63, '{"a":' * 64, "]" * 63, "}" * 64, '[{"k":' * 32, "}]" * 32]
SOUP = st.lists(st.sampled_from([*PIECES, *SPACES_AND_RAW, *NESTS]), max_size=14).map("".join)
BROKEN = st.builds(
    lambda value, at, bit: (text := json.dumps(value))[:at] + bit + text[at + 1 :],
    UNSAFE,
    st.integers(0, 60),
    st.sampled_from(PIECES) | st.just(""),
)


def assert_storable(value: object) -> None:
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    assert ormsgpack.unpackb(ormsgpack.packb(value)) == value
    assert "\0" not in json.dumps(value, ensure_ascii=False)
    assert "\\u0000" not in json.dumps(value).replace("\\\\", "")


def nested(depth: int, inner: object = 1) -> object:
    for level in range(depth):
        inner = [inner] if level % 2 else {"k": inner}
    return inner


def depth_of(value: object) -> int:
    depth, level = 0, [value]
    while level := [child for child in level if isinstance(child, (dict, list))]:
        depth += 1
        level = [c for p in level for c in (p.values() if isinstance(p, dict) else p)]
    return depth


def parses(text: str, *, strict: bool = False) -> bool:
    try:
        json.loads(text, strict=strict)
    except ValueError:
        return False
    return True
