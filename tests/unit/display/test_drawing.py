"""A graph drawn with characters."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one.display import card, show
from langchain_asi_one.display._drawing import draw_text
from tests.support.examples import examples
from tests.support.graphs import make_graph, small_graph

SMALL: Final = """\
Graph
     ╭───────╮
     │ start │
     ╰───┬───╯
    ┌────▼────┐
    │    a    │
    └──┬─▲───┬┘
       ┆ │   ┆
  ┌────▼─┴┐ ╭▼────╮
  │   b   │ │ end │
  └───────┘ ╰─────╯"""
LOOP: Final = """\
  ╭───────╮
  │ start │
  ╰───┬───╯
  ┌───▼───┬┄╮
  │ wait  │ ┆
  └───┬───◀┄╯
      ┆
   ╭──▼──╮
   │ end │
   ╰─────╯"""
# The sides on which each character goes on.
ARMS: Final = {
    character: arms
    for arms, characters in {
        "EW": "─┄",
        "NS": "│┆",
        "SE": "╭┌",
        "SW": "╮┐",
        "NE": "╰└",
        "NW": "╯┘",
        "SEW": "┬▲",
        "NEW": "┴▼",
        "ENW": "◀",
    }.items()
    for character in characters
}
STEPS: Final = {"N": (0, -1, "S"), "S": (0, 1, "N"), "E": (1, 0, "W"), "W": (-1, 0, "E")}


def test_a_graph_on_a_terminal_is_lines_and_boxes() -> None:
    assert str(card(small_graph())) == SMALL


def test_a_node_that_leads_to_itself() -> None:
    assert LOOP in str(card(make_graph([("", "wait")], {"wait": ["wait", ""]})))


def test_a_drawing_that_is_too_wide_becomes_a_list() -> None:
    graph = make_graph([("", "a" * 12), ("", "b" * 12), ("a" * 12, "")], {"b" * 12: ["a" * 12]})
    assert "╭" in card(graph).text(40)
    assert card(graph).text(20).splitlines() == [
        "Graph",
        "  start ─▶ aaaaaaaaaaaa",
        "  start ─▶ bbbbbbbbbbbb",
        "  bbbbbbbbbbbb ┄▶ aaaaaaaaaaaa",
        "  aaaaaaaaaaaa ─▶ end",
    ]


def test_a_name_of_wide_and_combining_characters_fits_its_box() -> None:
    lines = str(card(make_graph([("", "東京e\u0301")]))).splitlines()
    assert "  │ 東京e\u0301 │" in lines
    assert "  └───┬───┘" in lines


def test_a_file_without_these_characters_gets_others() -> None:
    data = io.BytesIO()
    out = io.TextIOWrapper(data, encoding="ascii")
    show(small_graph(), file=out)
    lines = data.getvalue().decode().splitlines()
    assert lines[-5:] == [
        "    +--+-^---++",
        "       : |   :",
        "  +----v-++ +v----+",
        "  |   b   | | end |",
        "  +-------+ +-----+",
    ]


@examples(60)
@given(
    edges=st.lists(
        st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.booleans()), max_size=10
    )
)
def test_no_line_of_any_drawing_is_broken(edges: list[tuple[str, str, bool]]) -> None:
    labels = {"a": "a", "b": "bb", "c": "c" * 9, "d": "d", "e": "e"}
    graph: Any = SimpleNamespace(labels=labels, edges=edges, ends=frozenset("a"))
    lines = draw_text(graph, None).splitlines()
    width = max(map(len, lines))
    rows = [line.ljust(width) for line in lines]
    for y, row in enumerate(rows):
        for x, character in enumerate(row):
            for arm in ARMS.get(character, ""):
                right, down, other = STEPS[arm]
                met = rows[y + down][x + right]
                # Where two lines cross, the one from top to bottom is drawn through.
                assert other in ARMS[met] or (arm in "EW" and met in "│┆"), "\n".join(rows)
