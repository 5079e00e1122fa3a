"""The options of faults: natural values are taken, others refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_asi_one.testing import fault
from langchain_asi_one.testing._faults import list_faults


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("http_429", {"retry_after": 1}),
        ("http_429", {"retry_after": 1.5}),
        ("http_429", {"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
        ("http_429", {"retry_after": None}),
        ("stall", {"seconds": 1}),
        ("stall", {"seconds": "0.5"}),
        ("http_500", {"status": "503"}),
        ("cut_stream", {"reset": True}),
        ("cut_stream", {"reset": "yes"}),
        ("cut_stream", {"reset": 0}),
        ("deep_json", {"levels": 10}),
    ],
)
def test_natural_values_are_taken(name: str, options: dict[str, Any]) -> None:
    assert fault(name, **options).name == f"fault {name}"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("stall", {"seconds": "long"}, "seconds must be a number from 0 to 10,000,000, not 'long'"),
        ("stall", {"seconds": -1}, "seconds must be a number from 0 to 10,000,000, not -1"),
        ("stall", {"seconds": float("nan")}, "seconds must be a number .*, not nan"),
        ("stall", {"seconds": True}, "seconds must be a number .*, not True"),
        ("stall", {"seconds": None}, "seconds must be a number .*, not None"),
        ("http_500", {"status": 99}, "status must be a whole number from 200 to 599, not 99"),
        ("http_500", {"status": 500.5}, "status must be a whole number .*, not 500.5"),
        ("cut_stream", {"reset": "perhaps"}, "reset must be true or false, not 'perhaps'"),
        ("http_429", {"retry_after": "1\r\nx: y"}, "retry_after must be a text of printable"),
        ("http_429", {"retry_after": [1]}, "retry_after must be a text of printable"),
        ("http_400_unknown_parameter", {"param": None}, "param must be a text of printable"),
    ],
)
def test_other_values_are_refused_by_name(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"fault '{name}': {message}"):
        fault(name, **options)


def test_the_list_is_a_copy() -> None:
    list_faults().clear()
    assert "http_429" in list_faults()
