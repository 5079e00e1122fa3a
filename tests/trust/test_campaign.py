"""The quick part of `make trust`: the soak, small, and the table that it makes."""

from __future__ import annotations

import pytest

from tests.support.examples import choose_number
from tests.trust.run import tabulate
from tests.trust.soak import COUNTS, soak
from tests.trust.wire_faults import KINDS, count_outcomes
from tests.trust.wire_server import ROWS

BAD = ("raw", "mixed", "doubled", "lost", "hung")


@pytest.mark.deep
@pytest.mark.no_cover
def test_no_question_loses_its_answer() -> None:
    asked = choose_number(160, deep=400)
    result = soak("ChatASIOne", asked, 2)
    assert result["asked"] == asked
    assert [result[kind] for kind in BAD] == [0] * len(BAD), result["processes"]
    assert result["right"] > 0.85 * asked
    assert result["typed"] > 0


# What no other test sends; all rows are those of `make trust`.
QUICK = ("F15", "F17 CR", "F22", "F30", "F35", "N5", "N6", "N19", "N21", "N22 a", "N24 length and")


@pytest.mark.no_cover
def test_each_fault_of_the_wire_ends_as_it_must() -> None:
    rows = [name for name in ROWS if name.startswith(QUICK)]
    result = count_outcomes("ChatASIOne", rows)
    assert [result[kind] for kind in KINDS[2:]] == [0] * 6, result["examples"]
    assert result["right"] > 60
    assert result["typed"] > 30


def test_figures_become_a_table() -> None:
    held = {"MiB": 100, "descriptors": 9}
    row = dict.fromkeys(COUNTS, 0) | {
        "peer": "ChatASIOne",
        "asked": 1_000,
        "right": 990,
        "typed": 10,
        "processes": [{"before": held, "after": held | {"MiB": 101}}],
    }
    figures = {
        "date": "1 December 2026",
        "python": "3.11.7",
        "versions": {"openai": "3"},
        "wire": [
            dict.fromkeys(KINDS, 0) | {"peer": "ChatASIOne", "rows": 1, "cases": 8, "right": 8}
        ],
        "lifecycle": [{"peer": "ChatASIOne", "forks": [99, 101]}],
        "faults": [{"peer": "ChatASIOne", "cases": 2, "typed": 2}],
        "soaks": [row, dict(row), dict(row)],
    }
    table = tabulate(figures).splitlines()
    assert table[0] == "Figures of 1 December 2026: Python 3.11.7, openai 3."
    assert "| ChatASIOne, 1 rows, 8 cases | 8 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |" in table
    assert "| ChatASIOne | 99 of 101 |" in table
    assert "| ChatASIOne, 2 cases | 0 | 2 | 0 | 0 | 0 |" in table
    assert "| ChatASIOne, 1,000 | 990 | 10 | 0 | 0 | 0 | 0 | 0 | 100 to 101 | 9 to 9 |" in table
