"""Whatever went wrong becomes an `ASIOneError`; no secret is in it, and little of a body."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_asi_one import errors
from langchain_asi_one._httpx_compat import http
from langchain_asi_one._transport.connections import SetupError
from langchain_asi_one._transport.decoders import ProtocolError, excerpt
from langchain_asi_one._transport.failures import (
    DeadlineError,
    RequestContext,
    StatusError,
    map_error,
    map_status,
    spell_secrets,
    was_sent,
)
from langchain_asi_one.errors import ASIOneError, InvalidResponseError
from tests.support.examples import examples

URL = "https://api.example/v1/chat/completions"
SECRET = "sk_0123456789"
LIMITS = {"connect": 10.0, "read": 150.0, "write": 150.0, "pool": None}
BASE_URL = URL.removesuffix("/chat/completions")
CONTEXT = RequestContext(URL, BASE_URL, "asi1", "s-1", (SECRET,), timeouts=LIMITS)
AGENTIC = replace(CONTEXT, agentic=True)
RESENT = "not sent again by itself"


def answered(status: int, body: object = None, **headers: str) -> ASIOneError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return map_status(status, names, json.dumps(body or {}).encode(), CONTEXT)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, errors.ASIOneBadRequestError, "Check the arguments"),
        (401, errors.ASIOneAuthenticationError, "Check the key in ASI_ONE_API_KEY"),
        (402, errors.ASIOneStatusError, "Check the balance"),
        (403, errors.ASIOnePermissionDeniedError, "may use"),
        (404, errors.ASIOneNotFoundError, "Check base_url and the model name"),
        (407, errors.ASIOneStatusError, "credentials in the address of the proxy"),
        (408, errors.ASIOneTimeoutError, "waited too long"),
        (413, errors.ASIOneContextOverflowError, "Shorten the messages"),
        (422, errors.ASIOneUnprocessableError, "a missing field or header"),
        (429, errors.ASIOneRateLimitError, "max_retries= does so"),
        (503, errors.ASIOneServerError, "server's side"),
    ],
)
def test_a_status(status: int, kind: type[ASIOneError], advice: str) -> None:
    error = answered(status, {"error": {"message": "no"}})
    assert type(error) is kind
    assert advice in str(error)
    assert (error.api_message, error.info.status_code) == ("no", status)
    assert str(error).endswith("(model 'asi1', session 's-1')")


def test_the_fields_of_an_error() -> None:
    error = answered(400, {"error": {"message": "m", "code": "unknown_parameter", "param": "x"}})
    assert (error.code, error.param) == ("unknown_parameter", "x")
    assert "does not know the field 'x'" in str(error)
    error = answered(400, {"error": {"param": "temperature"}})
    assert "refuses the value of 'temperature'" in str(error)
    error = answered(400, {"error": {"message": "maximum context length is 8"}})
    assert type(error) is errors.ASIOneContextOverflowError
    error = answered(302, location="/there")
    assert "It redirects to '/there'" in str(error)


def test_headers_that_help_are_kept() -> None:
    headers = {
        "retry_after": "7", "x_ratelimit_remaining_requests": "0", "X_Request_Id": "r",
        "cookie": "c",
    }  # fmt: skip
    error = answered(429, None, **headers)
    assert error.retry_after == 7
    assert dict(error.info.headers) == {
        "retry-after": "7", "x-ratelimit-remaining-requests": "0", "x-request-id": "r"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2.5", 2.5), ("-3", 0), ("0", 0), ("nan", None), ("1e999", None), ("soon", None),
        ("Mon, 1 Jan 99999999999999999999", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: float | None) -> None:
    assert answered(429, retry_after=value).retry_after == seconds


def test_retry_after_behind_litellms_proxy() -> None:
    assert map_status(429, {"llm_provider-retry-after": "7"}, b"{}", CONTEXT).retry_after == 7


@pytest.mark.parametrize("path", ["chat/completions", "image/generate"])
def test_a_base_url_without_v1_is_said_to_be_so(path: str) -> None:
    for base_url, is_said in (("https://api.example", True), (BASE_URL, False)):
        context = replace(CONTEXT, url=f"{base_url}/{path}", base_url=base_url)
        text = str(map_status(404, {}, b"", context))
        assert ("does not end in '/v1'" in text) is is_said


@pytest.mark.parametrize(
    ("reason", "kind", "words", "sent"),
    [
        (
            http.ConnectTimeout("t"),
            errors.ASIOneTimeoutError,
            f"Could not connect to {URL} within 10 s .*network, a firewall, the proxy .* base_url",
            False,
        ),
        (http.ConnectError("no"), errors.ASIOneConnectionError, "Could not connect to", False),
        (SetupError("X=1 is bad"), errors.ASIOneConnectionError, "X=1 is bad", False),
        (http.ReadTimeout("t"), errors.ASIOneTimeoutError, "sent nothing within .* 150 s", True),
        (http.ReadError(""), errors.ASIOneConnectionError, r"failed \(ReadError\)", True),
        (
            KeyError("x"),
            ASIOneError,
            "in an unexpected way .*. If you gave an HTTP client of",
            True,
        ),
        (
            ProtocolError(InvalidResponseError, "what is this", body=[1]),
            InvalidResponseError,
            "what is this. Try again",
            True,
        ),
        (StatusError(503, {}, b""), errors.ASIOneServerError, "503 Service Unavailable", True),
    ],
)
def test_a_reason(reason: Exception, kind: type[ASIOneError], words: str, sent: bool) -> None:
    assert was_sent(reason) is sent
    error = map_error(reason, CONTEXT)
    assert type(error) is kind
    with pytest.raises(ASIOneError, match=words):
        raise error
    agentic = map_error(reason, AGENTIC)
    assert agentic.info.may_have_acted is sent
    assert (RESENT in str(agentic)) is sent
    assert RESENT not in str(error)


class SlowError(http.TimeoutException):  # type: ignore[misc]
    """A timeout of none of the four kinds."""


def test_a_timeout_of_another_kind_is_one_of_reading() -> None:
    assert "within the timeout of 150 s (SlowError" in str(map_error(SlowError("t"), CONTEXT))


def test_a_limit_that_is_none_is_not_given_in_seconds() -> None:
    assert "within the time limit" in str(map_error(http.PoolTimeout("t"), CONTEXT))


def test_an_error_names_session_and_model() -> None:
    error = map_error(http.ReadError(""), CONTEXT)
    assert (error.info.session_id, error.info.model) == ("s-1", "asi1")
    assert map_error(http.ReadError(""), replace(CONTEXT, model=["asi1"])).info.model is None


def test_a_refusal_makes_no_agent_act() -> None:
    assert RESENT not in str(map_error(StatusError(429, {}, b""), AGENTIC))


def test_a_stream_that_breaks_off_and_a_deadline() -> None:
    error = map_error(http.ReadError("gone"), replace(CONTEXT, begun=True))
    assert type(error) is errors.IncompleteStreamError
    assert "broke off after 5 characters: the connection" in str(
        error.with_partial(text="Hel", thought="Hm")
    )
    for reason in (DeadlineError(), http.ReadTimeout("t")):
        error = map_error(reason, replace(CONTEXT, deadline=2.5))
        assert type(error) is errors.ASIOneTimeoutError
        assert "within the deadline of 2.5 s" in str(error)


@pytest.mark.parametrize(
    "reason",
    [
        http.ConnectError("no"),
        http.ConnectTimeout("t"),
        http.ReadError("no"),
        http.ReadTimeout("t"),
        SetupError("X=1 is bad"),
        DeadlineError(),
        KeyError("x"),
        StatusError(407, {}, b""),
        StatusError(502, {}, b"<html>Bad"),
        ProtocolError(InvalidResponseError, "not JSON", body="<html>"),
    ],
    ids=repr,
)
def test_a_proxy_is_named(reason: Exception) -> None:
    context = replace(CONTEXT, proxy="http://p.example:1 (HTTPS_PROXY)", deadline=1.0)
    ending = ", through the proxy http://p.example:1 (HTTPS_PROXY))"
    assert str(map_error(reason, context)).endswith(ending)


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise ValueError


def test_an_error_that_cannot_be_described_is_ours_too() -> None:
    error = map_error(UnspeakableError(), AGENTIC)
    assert type(error) is ASIOneError
    assert "UnspeakableError" in str(error)
    assert error.info.url == URL
    assert error.info.may_have_acted


@pytest.mark.parametrize(
    "secret",
    [SECRET, "Digest  realm12345", "abc\\def\\ghi12345", "a'b\"c'd\"e12345", '{"token":"abc123"}'],
)
@pytest.mark.parametrize("write", [str, repr, json.dumps, lambda s: {"x": s}, lambda s: [s]])
def test_a_secret_is_struck_out_however_it_is_quoted(secret: str, write: Any) -> None:
    context = replace(CONTEXT, secrets=spell_secrets([secret]))
    value = write(secret)
    for reason in (
        ProtocolError(InvalidResponseError, f"odd: {excerpt(value)}", body=value),
        StatusError(400, {"location": secret}, json.dumps({"error": value}).encode()),
        http.ReadError(str(value)),
    ):
        error = map_error(reason, context)
        text = f"{error} {error.api_message} {error.info.headers}"
        for spelling in (secret, " ".join(secret.split()), repr(secret)[1:-1]):
            assert spelling not in text


@pytest.mark.parametrize("place", range(186, 202))
def test_half_a_secret_at_the_end_of_an_excerpt_is_struck_out(place: int) -> None:
    text = "x" * place + SECRET
    error = map_error(ProtocolError(InvalidResponseError, f"odd: {excerpt(text)}"), CONTEXT)
    assert SECRET[:6] not in str(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["error", "detail", "message", "code", "param", "type", "status", "loc", "msg", "x"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "location", "x-request-id", "x-ratelimit-x", "content-type"]),
    st.text() | st.sampled_from(["1", "-1", "nan", "Mon, 99 Jan 2099 99:99:99", "9" * 400]),
)


@examples(150)
@given(
    st.integers(300, 1000),
    HEADERS,
    JSON.map(json.dumps).map(str.encode) | st.binary(),
    st.booleans(),
)
@example(status=408, headers={}, content=b"", agentic=False)
def test_any_response_is_an_error_of_ours(
    status: int, headers: dict[str, str], content: bytes, agentic: bool
) -> None:
    # Not by `map_error`, whose net would hide what is wrong.
    error = map_status(status, headers, content, replace(CONTEXT, agentic=agentic))
    late = errors.ASIOneTimeoutError
    assert isinstance(error, late if status == 408 else errors.ASIOneStatusError)
    assert error.info.status_code == status
    assert str(error).isprintable()
    assert error.api_message.isprintable()
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own pickle
    assert str(twin) == str(error)


def test_the_beginning_of_a_body_is_read() -> None:
    refusal = StatusError(400, {}, b'{"error": {"message": "No such field", "code": "odd"}}')
    error = map_error(refusal, CONTEXT)
    assert "400 Bad Request: No such field" in str(error)
    assert error.code == "odd"


@pytest.mark.parametrize("page", [b"<!doctype html><html>Bad", b"\n<HTML>Bad"])
def test_a_page_is_not_quoted(page: bytes) -> None:
    error = map_status(502, {}, page, CONTEXT)
    assert "an HTML page, not an answer of the API (is a proxy in between?)" in str(error)


def test_the_code_in_a_200_decides_as_that_of_a_status_does() -> None:
    body = {"error": {"message": "Too long", "code": "context_length_exceeded"}}
    found = ProtocolError(ASIOneError, "Too long", body=body, status_code=400)
    refused = answered(400, body)
    assert type(map_error(found, CONTEXT)) is type(refused)
    assert map_error(found, CONTEXT).info.status_code == 400
    assert type(refused) is not type(answered(400))


def test_a_broken_connection_comes_with_advice() -> None:
    error = map_error(http.ReadError("reset"), replace(CONTEXT, begun=True))
    assert "). Try again; if it stays, check the network and any proxy. (model" in str(error)


@pytest.mark.parametrize(("length", "is_cut"), [(8_192, False), (8_193, True)])
def test_a_long_text_in_place_of_a_body_is_cut(length: int, is_cut: bool) -> None:
    error = map_error(StatusError(500, {}, b"x" * length), CONTEXT)
    assert error.body == ("x" * 8_192 + "…" if is_cut else "x" * length)


def test_a_body_is_kept_but_for_its_secrets() -> None:
    body = {"detail": [{"loc": ["a", 1], "msg": SECRET}], SECRET: None}
    error = answered(400, body)
    assert error.body == {"detail": [{"loc": ["a", 1], "msg": "***"}], "***": None}
