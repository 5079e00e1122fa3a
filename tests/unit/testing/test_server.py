"""The arguments and the address of a stand-in that is not started."""

from __future__ import annotations

import math
from typing import Any

import pytest

from langchain_asi_one.testing import LocalASIOne


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"chunk_delay": -1}, "chunk_delay must be 0 or more seconds, not -1"),
        ({"chunk_delay": math.inf}, "not inf"),
        ({"chunk_delay": math.nan}, "not nan"),
        ({"port": 65_536}, "port must be from 0"),
        ({"host": "192.0.2.1"}, "refusing to listen on '192.0.2.1'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LocalASIOne(**arguments)


def test_the_address_is_known_before_it_is_started() -> None:
    server = LocalASIOne()
    other = LocalASIOne()
    assert server.base_url.startswith("http://127.0.0.1:")
    assert server.base_url.endswith("/v1")
    assert server.base_url != other.base_url
    for one in (server, other):
        one.stop()  # never started: only its socket is closed
        one.stop()
    assert server.requests == []
