"""The proxy that the environment names for an address."""

from __future__ import annotations

import pytest

from langchain_asi_one._transport.proxies import Proxy, find_proxy

API = "https://api.example:8443/v1"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1"}, Proxy("http://p:1", "HTTPS_PROXY")),
        ({"https_proxy": "p:1"}, Proxy("http://p:1", "https_proxy")),
        ({"ALL_PROXY": "socks5://p:1"}, Proxy("socks5://p:1", "ALL_PROXY")),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"HTTPS_PROXY": ""}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.example"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example"}, None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        (
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "::1,[::1],fe80::/10"},
            Proxy("http://p:1", "HTTPS_PROXY"),
        ),
    ],
)
def test_proxies(
    variables: dict[str, str], proxy: Proxy | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert find_proxy(API) == proxy


def test_an_ipv6_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://p:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,::1,[::1],fe80::/10")
    assert find_proxy("http://[2001:db8::1]:8000/v1") == Proxy("http://p:1", "HTTP_PROXY")
