"""Which addresses of strangers a message may go to."""

from __future__ import annotations

import pytest

from langchain_asi_one.agents._endpoints import EndpointRule

PUBLIC, LOCAL = EndpointRule(), EndpointRule(allow_loopback=True)
BAD = [
    "http://agent.example/submit",
    "http://169.254.169.254/latest/meta-data",
    "https://user:pw@agent.example/submit",
    "https://@agent.example/submit",
    "file:///etc/passwd",
    "gopher://x/",
    "ftp://agent.example/",
    "//agent.example/submit",
    "https:///submit",
    "https://",
    "https://agent.example:port/",
    "https://agent.example:99999/",
    "https://[::1/submit",
    "https://agent.example/a b",
    "https://agent.example\\@evil.example/",
    "https://agent.example/\r\nX: y",
    "https://agént.example/",
    "https://agent.example/" + "a" * 2_000,
    "",
]


@pytest.mark.parametrize("url", BAD)
@pytest.mark.parametrize("rule", [PUBLIC, LOCAL])
def test_a_bad_address_is_refused(rule: EndpointRule, url: str) -> None:
    assert rule.find_problem(url)


@pytest.mark.parametrize("url", ["https://agent.example/submit", "https://a.example:8443/?a=b"])
@pytest.mark.parametrize("rule", [PUBLIC, LOCAL])
def test_an_https_address_is_taken(rule: EndpointRule, url: str) -> None:
    assert rule.find_problem(url) is None


def test_http_is_for_this_machine_and_tests_only() -> None:
    for url in ("http://127.0.0.1:8000/submit", "http://localhost:8000/", "http://[::1]:8000/"):
        assert LOCAL.find_problem(url) is None
        assert PUBLIC.find_problem(url) == "it is not https"
    assert LOCAL.find_problem("http://127.0.0.1.evil.example/") == "it is not https"


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "255.255.255.255",
        "224.0.0.1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:10.1.2.3",
        "2002:0a01:0203::",
        "64:ff9b::10.1.2.3",
        "2001:db8::1",
    ],
)
@pytest.mark.parametrize("rule", [PUBLIC, LOCAL])
def test_no_connection_goes_to_a_private_address(rule: EndpointRule, address: str) -> None:
    assert not rule.admits(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_for_tests_only(address: str) -> None:
    assert LOCAL.admits(address)
    assert not PUBLIC.admits(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8"])
def test_a_public_address_is_taken(address: str) -> None:
    assert PUBLIC.admits(address)
