"""JSON as models write it: found where it is the only value, refused where it is cut."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one._structured_output.json_text import read_document, read_json
from tests.support.examples import examples
from tests.support.patience import least_times

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT,
    lambda child: st.lists(child, max_size=3) | st.dictionaries(TEXT, child, max_size=3),
    max_leaves=8,
)
CONTAINERS = st.dictionaries(TEXT, JSON, max_size=3) | st.lists(JSON, max_size=3)
PROSE = st.sampled_from(
    ["", "Sure! ", "Use {name} here: ", "As said [see above], ", 'She said "yes". ', "\n\n", "} ] "]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        (' {"a": 1}\n', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ("```\n[1]```\nand ```[2]```", [1]),
        ('```json\n{"a": "```b```"}\n```', {"a": "```b```"}),
        ('```json\n{"a": 1}', {"a": 1}),
        ('The answer: {"a": [1, 2]}. Well?', {"a": [1, 2]}),
        ('Fill {name} in [here]: [{"a": 1}] (done)', [{"a": 1}]),
        ('{"a": "x\n\ty\r\x01"}', {"a": "x\n\ty\r\x01"}),
        ('Line: {"a": "x\ny"}!', {"a": "x\ny"}),
        ('{"a": "\\\n"}', None),
        ('{"a": "x\0y"}', {"a": "xy"}),
        ('{"a": 99999999999999999999}', {"a": "99999999999999999999"}),
        ('n: {"a": 99999999999999999999}', {"a": "99999999999999999999"}),
    ],
)
def test_json_as_models_write_it(text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(ValueError):  # noqa: PT011 - its text is the json module's
            read_json(text)
    else:
        assert read_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rome, I think.",
        "Fill {name} in [here].",
        '{"a": 1}{"b": 2}',
        'Either {"a": 1} or {"b": 2}.',
        'See [1]: {"a": 1}',
        # Cut: the inner value is not the answer.
        '{"a": {"b": 1}',
        'Here: {"a": {"b": 1}, "c": [{"d": 1}',
        'Here: {"a": 1} and {',
        '[{"a": 1}, ',
        '```json\n[{"a": 1},\n',
        '{"a": "x\ny',
        # Malformed: the same.
        '{"a": 1, oops, "b": {"c": 1}}',
        "{'a': 1}",
        '{"a": {"b": 1},}',
        "Deep: " + "[" * 100_000 + "]" * 100_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is for nobody
        read_json(text)


@examples(100)
@given(CONTAINERS, PROSE, PROSE)
def test_the_only_value_in_prose_is_read(value: Any, before: str, behind: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert read_json(before + text + behind) == value


@examples(100)
@given(CONTAINERS.filter(bool), PROSE, st.integers(1, 200))
def test_a_cut_value_is_never_read(value: Any, before: str, cut: int) -> None:
    text = json.dumps({"value": value})
    with pytest.raises(ValueError):  # noqa: PT011 - its text is for nobody
        read_json(before + text[: -1 - cut % (len(text) - 1)])


@examples(100)
@given(CONTAINERS)
def test_raw_control_characters_are_those_of_the_escapes(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for control in map(chr, range(1, 0x20)):
        text = text.replace(json.dumps(control)[1:-1], control)
    try:
        expected = json.loads(text, strict=False)
    except ValueError:  # a backslash in front of an escape
        return
    assert read_document(text) == expected


HOSTILE = {
    "prose brackets": "{x [y ",
    "openings": '{"',
    "arrays": "[",
    "blanks": "[   ",
    "escaped quotes": '\\"\n',
    "fences": "```",
    "values": '{"a": 1} ',
}


@pytest.mark.no_cover
@pytest.mark.parametrize("begin", ["", '{"a": "'])
@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_takes_quadratic_time(name: str, begin: str) -> None:
    def measure_time(size: int) -> float:
        text = begin + HOSTILE[name] * size
        begun = time.process_time()
        with pytest.raises(ValueError):  # noqa: PT011 - its text is for nobody
            read_json(text)
        return time.process_time() - begun

    def is_linear(short: float, long: float) -> bool:
        return long < 9 * max(short, 0.002)

    assert is_linear(*least_times(lambda: (measure_time(20_000), measure_time(80_000)), is_linear))
