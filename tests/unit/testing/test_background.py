"""Sockets of servers in the background."""

from __future__ import annotations

import pytest

from langchain_asi_one.testing._background import get_url, open_socket


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_address_is_that_of_the_socket(host: str) -> None:
    with open_socket(host, 0, allow_remote=False) as listener:
        address, port, *_ = listener.getsockname()
        assert get_url(listener) == f"http://{'[::1]' if address == '::1' else '127.0.0.1'}:{port}"


def test_a_port_in_use_is_an_error_that_leaves_no_socket() -> None:
    with open_socket("127.0.0.1", 0, allow_remote=False) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(OSError, match=rf"listen on 127.0.0.1, port {port} .*in use"):
            open_socket("127.0.0.1", port, allow_remote=False)


def test_others_are_let_in_only_on_request() -> None:
    host = ""  # all interfaces
    with pytest.raises(ValueError, match="not a loopback address"):
        open_socket(host, 0, allow_remote=False)
    with open_socket(host, 0, allow_remote=True) as listener:
        assert listener.getsockname()[1] > 0
