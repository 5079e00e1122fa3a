"""A running stand-in, emptied before each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from langchain_asi_one.testing import LocalASIOne, local_asi_one
from tests.support.stand_in_wire import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def shared_server() -> Iterator[LocalASIOne]:
    with local_asi_one() as server:
        yield server


@pytest.fixture
def server(shared_server: LocalASIOne) -> LocalASIOne:
    shared_server.clear()
    return shared_server


@pytest.fixture
def client(server: LocalASIOne) -> Iterator[httpx.Client]:
    with client_of(server) as opened:
        yield opened
