"""The HTTP library of the SDK, and its errors."""

from __future__ import annotations

import inspect
import ssl

import openai

from langchain_asi_one._httpx_compat import (
    http,
    list_connect_errors,
    list_timeout_errors,
    list_transport_errors,
)


def test_it_is_the_library_that_the_sdk_uses() -> None:
    client = inspect.signature(openai.OpenAI).parameters["http_client"].annotation
    assert f"{http.__name__}.Client" in str(client)
    # The SDK's errors take its requests.
    assert openai.APIError("x", http.Request("POST", "http://a.invalid"), body=None).message == "x"


def test_errors_of_a_connection_that_was_never_made_are_transport_errors() -> None:
    transport = list_transport_errors()
    for error in (*list_connect_errors(), *list_timeout_errors()):
        assert issubclass(error, transport)
    assert {http.ConnectError, http.ConnectTimeout} <= {*list_connect_errors()}
    assert http.ReadTimeout not in list_connect_errors()
    assert issubclass(http.ReadTimeout, list_timeout_errors())
    assert issubclass(ssl.SSLCertVerificationError, transport)
