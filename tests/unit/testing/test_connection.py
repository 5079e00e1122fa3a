"""The numbers of connections."""

from __future__ import annotations

from langchain_asi_one.testing import LocalASIOne
from tests.support.stand_in_wire import ask, client_of


def test_each_connection_has_the_next_number(server: LocalASIOne) -> None:
    before = server.total_connections
    for _ in range(2):
        with client_of(server) as client:
            ask(client)
            ask(client)
    first, second = before + 1, before + 2
    assert [one.connection for one in server.requests] == [first, first, second, second]
    assert server.total_connections == second
