"""Where the boxes and lines of a graph are placed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_asi_one.display import _drawing, _svg
from langchain_asi_one.display._layout import Layout, Metrics, layout_graph
from tests.support.examples import examples

NAMES = "abcdef"
METRICS = pytest.mark.parametrize("metrics", [_svg.METRICS, _drawing.METRICS], ids=["svg", "text"])
any_edges = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()), max_size=14
)


def layout(edges: list[tuple[str, str, bool]], metrics: Metrics) -> Layout:
    return layout_graph({name: name * 3 for name in NAMES}, edges, metrics)


@METRICS
@examples(100)
@given(edges=any_edges)
def test_any_graph_is_laid_out_without_overlap(
    metrics: Metrics, edges: list[tuple[str, str, bool]]
) -> None:
    found = layout(edges, metrics)
    boxes = list(found.boxes.values())
    assert list(found.boxes) == list(NAMES)
    for number, one in enumerate(boxes):
        assert one.x >= 0
        assert one.right <= found.width
        assert one.y >= 0
        assert one.bottom <= found.height
        for other in boxes[number + 1 :]:
            beside = one.right < other.x or other.right < one.x
            assert beside or one.bottom < other.y or other.bottom < one.y


@METRICS
@examples(100)
@given(edges=any_edges)
def test_each_line_leads_from_box_to_box_and_through_none(
    metrics: Metrics, edges: list[tuple[str, str, bool]]
) -> None:
    found = layout(edges, metrics)
    pairs = {(source, target) for source, target, _ in edges}
    assert set(found.loops) == {source for source, target in pairs if source == target}
    assert len(found.routes) == sum(source != target for source, target in pairs)
    ends = []
    for route in found.routes:
        (x, y), (end_x, end_y) = route.points[0], route.points[-1]
        [upper] = [n for n, b in found.boxes.items() if b.bottom == y and b.x < x < b.right]
        [lower] = [n for n, b in found.boxes.items() if b.y == end_y and b.x < end_x < b.right]
        ends.append((lower, upper) if route.backward else (upper, lower))
        assert all(0 <= x <= found.width for x, _ in route.points)
        for (x, y), (next_x, next_y) in pairwise(route.points):
            assert (x == next_x) != (y == next_y)
            assert y <= next_y
            for box in found.boxes.values():
                low, high = sorted((x, next_x))
                assert not (low < box.right and box.x < high and y < box.bottom and box.y < next_y)
                assert not (box.y < y == next_y < box.bottom)
    assert sorted(ends) == sorted(pair for pair in pairs if pair[0] != pair[1])


@METRICS
def test_no_line_leaves_the_picture(metrics: Metrics) -> None:
    pairs = zip("heeahhacacdg", "efghfcedgeeh", strict=True)
    edges = [(source, target, False) for source, target in pairs]
    found = layout_graph({name: name for name in "acdefgh"}, edges, metrics)
    assert min(x for route in found.routes for x, _ in route.points) >= 0


@METRICS
def test_a_chain_is_straight_and_a_way_round_it_keeps_its_side_free(metrics: Metrics) -> None:
    edges = [("a", "b", False), ("b", "c", False), ("c", "d", False), ("a", "d", True)]
    found = layout_graph({name: name * 9 for name in "abcd"}, edges, metrics, free_right=("c",))
    straight = [route for route in found.routes if not route.dotted]
    assert [len(route.points) for route in straight] == [2, 2, 2]
    [around] = [route for route in found.routes if route.dotted]
    assert len(around.points) == 6  # down, aside, down, aside, down
    assert min(x for x, _ in around.points) < found.boxes["c"].x


@METRICS
def test_a_long_graph_takes_little_time(metrics: Metrics) -> None:
    names = [str(number) for number in range(60)]
    edges = [(a, b, False) for a, b in pairwise(names)] + [("0", one, True) for one in names]
    assert len(layout_graph(dict.fromkeys(names, "x"), edges, metrics).routes) == 59 + 58
