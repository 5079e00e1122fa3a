"""Checks of key, address, headers and timeout: each error names what it is about, and no secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from langchain_asi_one import ChatASIOne
from langchain_asi_one._httpx_compat import http
from langchain_asi_one._validators import (
    check_api_key,
    check_base_url,
    check_headers,
    check_timeout,
    is_loopback,
)


def test_blanks_around_a_key_go() -> None:
    assert check_api_key(SecretStr(" sk\n")) == SecretStr("sk")
    assert check_api_key(SecretStr(" ")) is check_api_key(None) is None


def test_a_key_that_cannot_be_sent_is_not_shown() -> None:
    with pytest.raises(ValueError, match="in MY_KEY cannot be sent: its character 3") as caught:
        check_api_key(SecretStr("sk\u2028secret"), name="MY_KEY")
    assert "secret" not in str(caught.value)


def test_an_address_is_named_by_where_it_comes_from() -> None:
    assert check_base_url("https://a.example/v1/") == "https://a.example/v1"
    with pytest.raises(ValueError, match="MY_URL must be like"):
        check_base_url("a.example", name="MY_URL")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Authorization": "x"}, "use api_key="),
        ({"X-Session-Id": "x"}, "use session_id="),
        ({"Content-Length": "3"}, "use nothing: it is counted"),
        ({"transfer-encoding": "chunked"}, "use nothing: the body is sent whole"),
        ({"X-A": "x", "x-a": "y"}, "'x-a' is in default_headers twice"),
        ({"a b": "x"}, "'a b' in default_headers cannot be sent"),
        ({"x-a": "secret\r\n"}, "'x-a' in default_headers cannot be sent"),
    ],
)
def test_headers_of_others_are_refused(headers: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        check_headers(headers)
    assert "secret" not in str(caught.value)
    assert check_headers({"x-team": "blue"}) == {"x-team": "blue"}


def test_timeouts() -> None:
    limit = http.Timeout(5)
    assert [check_timeout(one) for one in (1, 0.5, None, limit)] == [1, 0.5, None, limit]
    for wrong in (0, -1, True, float("nan"), "5"):
        with pytest.raises(ValueError, match="timeout must be a number of seconds above 0; got"):
            check_timeout(wrong)


@pytest.mark.parametrize("value", [10**400, -(10**5000), 10**9 + 1, 1e300], ids=range(4))
def test_a_number_of_seconds_that_no_clock_takes_is_refused_by_name(value: float) -> None:
    wanted = "above 0 and at most 1,000,000,000 seconds"
    for name in ("timeout", "deadline"):
        options: dict[str, Any] = {name: value}
        with pytest.raises(ValidationError, match=f"{name} must be {wanted}"):
            ChatASIOne(api_key="any", **options)
        with pytest.raises(ValueError, match=f"{name} must be {wanted}"):
            ChatASIOne(api_key="any").invoke("Hi", **options)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        *[(one, True) for one in ("localhost", "a.localhost", "127.0.0.2", "::1")],
        *[(one, False) for one in ("api.asi1.ai", "10.0.0.1", "localhost.example")],
    ],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
