"""Every fault of the wire, in every call mode, ends in the right answer or in an error of ours."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from langchain_core import exceptions as core
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_asi_one import ChatASIOne, errors
from langchain_asi_one.testing import (
    LocalASIOne,
    fault,
    local_asi_one,
    raw,
    stream,
)
from langchain_asi_one.testing._faults import list_faults
from tests.support.model import API_KEY, MakeModel
from tests.support.patience import PATIENCE

TIMEOUT = 1  # all of it a wait, so as short as a busy machine can begin an answer in
MODES = ("invoke", "ainvoke", "stream", "astream")

FAMILIES: dict[type[errors.ASIOneError], tuple[type[Exception], type[Exception]]] = {
    errors.ASIOneError: (openai.APIError, core.ModelError),
    errors.ASIOneStatusError: (openai.APIStatusError, core.ModelError),
    errors.ASIOneBadRequestError: (openai.BadRequestError, core.ModelInvalidRequestError),
    errors.ASIOneAuthenticationError: (openai.AuthenticationError, core.ModelAuthenticationError),
    errors.ASIOnePermissionDeniedError: (
        openai.PermissionDeniedError,
        core.ModelPermissionDeniedError,
    ),
    errors.ASIOneNotFoundError: (openai.NotFoundError, core.ModelNotFoundError),
    errors.ASIOneUnprocessableError: (
        openai.UnprocessableEntityError,
        core.ModelInvalidRequestError,
    ),
    errors.ASIOneRateLimitError: (openai.RateLimitError, core.ModelRateLimitError),
    errors.ASIOneServerError: (openai.InternalServerError, core.ModelAPIError),
    errors.ASIOneConnectionError: (openai.APIConnectionError, core.ModelConnectionError),
    errors.IncompleteStreamError: (openai.APIConnectionError, core.ModelConnectionError),
    errors.ASIOneTimeoutError: (openai.APITimeoutError, core.ModelTimeoutError),
    errors.InvalidResponseError: (openai.APIResponseValidationError, core.ModelAPIError),
}


@dataclass(frozen=True)
class Expected:
    """How a fault ends with `max_retries=1`; without an error class in the right answer."""

    error: type[errors.ASIOneError] | None = None
    words: str = ""
    requests: int = 1
    partial: str = ""


OK = Expected()
EARLIER = "[local stand-in] This is a short fixed answer, used "
REFUSED = "The server had an error while processing your request"
OVERLOADED = "The model is overloaded"
NO_MESSAGE = "no message in 'choices'"


def _status(error: type[errors.ASIOneError], words: str, requests: int = 1) -> Expected:
    return Expected(error, words, requests)


def _invalid(words: str, partial: str = "") -> Expected:
    return Expected(errors.InvalidResponseError, words, partial=partial)


def _slow(partial: str = "") -> Expected:
    # Sent once: the server is still at work, and another try would be paid for as well.
    return Expected(errors.ASIOneTimeoutError, f"{TIMEOUT} s", partial=partial)


BAD, SERVER = errors.ASIOneBadRequestError, errors.ASIOneServerError
DROPPED = Expected(errors.ASIOneConnectionError, "chat/completions failed", 2)
CUT = Expected(errors.IncompleteStreamError, "broke off after", partial=EARLIER)
HALF = _invalid("is not JSON (application/json")

# Fault, and how it ends for a call that is not streamed and for one that is.
TABLE: dict[str, Expected | tuple[Expected, Expected]] = {
    "http_400_unknown_parameter": _status(BAD, "400 Bad Request: Unknown parameter: 'top_k'"),
    "http_400_empty": _status(BAD, "400 Bad Request: no explanation"),
    "http_400_stream_options": (OK, Expected(requests=2)),
    "error_string": _status(BAD, "400 Bad Request: Something is wrong with this request"),
    "error_empty": _status(BAD, "400 Bad Request: no explanation"),
    "http_401": _status(errors.ASIOneAuthenticationError, "401 Unauthorized: Invalid API key pro"),
    "echo_key": _status(errors.ASIOneAuthenticationError, "Incorrect API key provided: ***."),
    "http_403": _status(errors.ASIOnePermissionDeniedError, "403 Forbidden: Your key may not use"),
    "http_404": _status(errors.ASIOneNotFoundError, "404 Not Found: Not found"),
    "http_422_session": _status(
        errors.ASIOneUnprocessableError,
        "422 Unprocessable Content: header.x-session-id: missing header x-session-id",
    ),
    "http_429": _status(
        errors.ASIOneRateLimitError,
        "429 Too Many Requests: Your plan's rate limit is exhausted. Try again in 1 s",
        requests=2,
    ),
    "http_429_forever": _status(errors.ASIOneRateLimitError, "Try again in 3600 s"),
    "http_500": _status(SERVER, f"500 Internal Server Error: {REFUSED}", requests=2),
    "http_503_html": _status(SERVER, "503 Service Unavailable: an HTML page", requests=2),
    "redirect": _status(errors.ASIOneStatusError, "/v1/redirected'; redirects are not followed"),
    "html_200": _invalid("text/html"),
    "empty_200": (_invalid("an empty body (application/json)"), _invalid("an empty stream (text/")),
    "error_in_200": _status(SERVER, OVERLOADED),
    "detail_in_200": _status(errors.ASIOneError, OVERLOADED),
    "wrong_content_type": OK,
    "json_for_stream": OK,
    "sse_for_json": (_invalid("is not JSON (text/event-stream"), OK),
    "error_event": (
        _status(SERVER, REFUSED),
        Expected(SERVER, REFUSED, partial=EARLIER),
    ),
    "error_event_named": (
        _status(errors.ASIOneError, REFUSED),
        Expected(errors.ASIOneError, REFUSED, partial=EARLIER),
    ),
    "error_event_string": (
        _status(errors.ASIOneError, REFUSED),
        Expected(errors.ASIOneError, REFUSED, partial=EARLIER),
    ),
    "truncated_stream": (HALF, CUT),
    "cut_event": (HALF, CUT),
    "cut_stream": (
        DROPPED,
        Expected(errors.IncompleteStreamError, "incomplete chunked read", partial=EARLIER),
    ),
    "cut_stream reset=true": (
        DROPPED,
        Expected(errors.IncompleteStreamError, "ReadError", partial=EARLIER),
    ),
    "close_before_reply": DROPPED,
    "close_before_reply reset=true": DROPPED,
    "stall": (_slow(), _slow(EARLIER)),
    "stall_before_headers": _slow(),
    "keepalive_only": _slow(),
    "malformed_json_line": (HALF, _invalid('event of ASI:One is not JSON: \'{"id"', EARLIER)),
    "malformed_json_body": (HALF, _invalid('event of ASI:One is not JSON: \'{"id"', EARLIER)),
    "choices_empty": _invalid(NO_MESSAGE),
    "choices_null": _invalid(NO_MESSAGE),
    "choices_missing": _invalid(NO_MESSAGE),
    "message_null": _invalid(NO_MESSAGE),
    "invalid_utf8": (
        _invalid("not UTF-8 (byte 159"),
        _invalid("not UTF-8", "[local stand-in] This is a short "),
    ),
    "bom": OK,
    "crlf": OK,
    "gzip": OK,
    "deep_json": OK,
}


def ask(model: ChatASIOne, mode: str, text: str, **options: Any) -> AIMessage:
    """Ask in one of the four modes; the chunks of a stream are summed up."""
    if mode == "invoke":
        return model.invoke(text, **options)
    if mode == "ainvoke":
        return asyncio.run(model.ainvoke(text, **options))
    if mode == "stream":
        return _sum(list(model.stream(text, **options)))
    return asyncio.run(_collected(model, text, options))


async def _collected(model: ChatASIOne, text: str, options: dict[str, Any]) -> AIMessage:
    return _sum([chunk async for chunk in model.astream(text, **options)])


def _sum(chunks: list[AIMessageChunk]) -> AIMessage:
    return sum(chunks[1:], chunks[0])


def failure(model: ChatASIOne, mode: str, text: str, **options: Any) -> errors.ASIOneError:
    """Ask, and return the error that must come."""
    with pytest.raises(errors.ASIOneError) as caught:
        ask(model, mode, text, **options)
    return caught.value


LOG = "langchain_asi_one"


def waits(caplog: pytest.LogCaptureFixture) -> list[float]:
    """Seconds that were to be waited before each further try."""
    retries = [record.args for record in caplog.records if "trying again in" in record.msg]
    return [
        wait for args in retries if isinstance(args, tuple) and isinstance(wait := args[2], float)
    ]


def chain(error: BaseException) -> Iterator[BaseException]:
    """Everything that a traceback, or a tracer, can reach from an error."""
    for earlier in (error.__cause__, error.__context__):
        if earlier is not None:
            yield earlier
            yield from chain(earlier)


def test_the_table_holds_every_fault_of_the_stand_in() -> None:
    assert {name.split()[0] for name in TABLE} == set(list_faults())
    assert set(FAMILIES) - {errors.ASIOneError} <= set(_subclasses(errors.ASIOneError))


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


LONG = ("deep_json",)  # traced, they take ten times as long


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.no_cover] * (name in LONG)) for name in TABLE]
)
def test_fault(
    name: str, make_model: MakeModel, server: LocalASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    """In all modes at once, as most of the time is spent waiting."""
    caplog.set_level(logging.INFO, LOG)
    with ThreadPoolExecutor(len(MODES)) as pool:
        list(pool.map(lambda mode: check_row(name, mode, make_model(max_retries=1)), MODES))
    row = TABLE[name]
    sent = Counter(request.session_id for request in server.requests)
    retries = 0
    for mode in MODES:
        expected = row if isinstance(row, Expected) else row[mode.endswith("stream")]
        assert sent[f"session-of-{mode}"] == expected.requests, mode
        retries += expected.requests - 1 if expected.error else 0  # else it is sent again by us
    # At most 0.5 s between two tries, or the second that a 429 asks for.
    assert len(waits(caplog)) == retries
    assert all(wait <= (1 if name == "http_429" else 0.5) for wait in waits(caplog))


@pytest.mark.parametrize(
    ("status", "phrase"),
    [
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
        (499, "499:"),
    ],
)
def test_a_status_is_named_alike_on_each_python(
    status: int, phrase: str, server: LocalASIOne, model: ChatASIOne
) -> None:
    """Python 3.13 renamed four of them; RFC 9110 has one name for each."""
    server.enqueue(raw(b"{}", status=status))
    with pytest.raises(errors.ASIOneStatusError, match=f"ASI:One answered .*{phrase}"):
        model.invoke("Hi")


def check_row(name: str, mode: str, model: ChatASIOne) -> None:
    row = TABLE[name]
    expected = row if isinstance(row, Expected) else row[mode.endswith("stream")]
    # A fault that stalls ends long after the timeout, and then in the right answer.
    limit = TIMEOUT if expected.error is errors.ASIOneTimeoutError else PATIENCE
    options = {"session_id": f"session-of-{mode}", "timeout": limit}
    text = f"[fault: {name}]"
    if expected.error is None:
        message = ask(model, mode, text, **options)
        assert message.text.startswith("[local stand-in] ")
        assert message.response_metadata["finish_reason"] == "stop"
        assert message.usage_metadata or name == "http_400_stream_options"
        return
    error = failure(model, mode, text, **options)
    assert type(error) is expected.error
    assert all(isinstance(error, family) for family in FAMILIES[expected.error])
    assert expected.words in str(error)
    assert str(error).endswith(f"(model 'asi1', session 'session-of-{mode}')")
    assert API_KEY not in f"{error}{error!r}{vars(error)}"
    assert (error.model, error.session_id) == ("asi1", f"session-of-{mode}")
    assert error.partial_text == expected.partial
    assert all(isinstance(earlier, errors.ASIOneError) for earlier in chain(error))


@pytest.mark.parametrize("mode", MODES)
def test_a_retry_waits_as_long_as_the_api_asks(
    mode: str, make_model: MakeModel, server: LocalASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOG)
    message = ask(make_model(max_retries=1), mode, "[fault: http_429 retry_after=0.7 times=1] Hi")
    first, second = server.requests
    assert second.received_at - first.received_at >= 0.7
    assert waits(caplog) == [0.7]
    assert first.raw == second.raw
    assert first.session_id == second.session_id == message.response_metadata["session_id"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["http_500", "close_before_reply reset=true"])
def test_a_passing_failure_is_overcome(
    name: str, mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    message = ask(make_model(max_retries=1), mode, f"[fault: {name} times=1] Hi")
    assert "Hi" in message.text
    assert len(server.requests) == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("http_429 retry_after=0", errors.ASIOneRateLimitError),
        ("http_500", errors.ASIOneServerError),
        ("http_503_html", errors.ASIOneServerError),
        ("close_before_reply", errors.ASIOneConnectionError),
        ("cut_stream", errors.ASIOneConnectionError),
        ("stall_before_headers", errors.ASIOneTimeoutError),
        ("html_200", errors.InvalidResponseError),
    ],
)
@pytest.mark.parametrize("agentic", [{"planner_mode": True}, {"extra_body": {"agents": ["a"]}}])
def test_a_request_that_makes_agents_act_is_sent_once(
    agentic: dict[str, Any],
    name: str,
    error: type[errors.ASIOneError],
    mode: str,
    make_model: MakeModel,
    server: LocalASIOne,
) -> None:
    limit = TIMEOUT if error is errors.ASIOneTimeoutError else PATIENCE
    model = make_model(max_retries=2, timeout=limit)
    caught = failure(model, mode, f"[fault: {name}]", **agentic)
    assert isinstance(caught, error)
    assert len(server.requests) == 1
    if not name.startswith("http_429"):  # refused before anything could act
        assert caught.is_retryable is False
        assert "was not sent again by itself" in str(caught)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    status: int, mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    with local_asi_one() as other:
        place = f"{other.base_url}/chat/completions"
        server.enqueue(fault("redirect", status=status, location=place))
        error = failure(make_model(max_retries=1), mode, "Hi")
        assert type(error) is errors.ASIOneStatusError
        assert f"{status} " in str(error)
        assert repr(place) in str(error)
        assert (len(server.requests), other.requests, other.total_connections) == (1, [], 0)


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_a_refused_stream_options_is_left_out_from_then_on(
    mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    model = make_model(max_retries=1)
    for turn in range(3):
        message = ask(model, mode, f"[fault: http_400_stream_options] {turn}")
        assert f"{turn}" in message.text
    assert ["stream_options" in request.body for request in server.requests] == [
        True,
        *[False] * 3,
    ]


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_no_usage_is_asked_for_when_it_is_not_wanted(
    mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    ask(make_model(stream_usage=False), mode, "Hi")
    ask(make_model(), mode, "Hi", stream_usage=False)
    assert ["stream_options" in request.body for request in server.requests] == [False, False]


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_another_400_is_not_taken_for_a_refusal_of_usage(
    mode: str, make_model: MakeModel, server: LocalASIOne
) -> None:
    model = make_model()
    failure(model, mode, "[fault: http_400_unknown_parameter]")
    ask(model, mode, "Hi")
    assert ["stream_options" in request.body for request in server.requests] == [True, True]


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_a_finish_reason_without_done_completes_a_stream(
    mode: str, model: ChatASIOne, server: LocalASIOne
) -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
    server.enqueue(stream([{"choices": [choice]}], done=False))
    assert ask(model, mode, "Hello").text == "Hi"


# What an ASGI server cannot send: bytes that are no HTTP, or that come one by one.


@contextlib.contextmanager
def raw_server(reply: bytes, *, drip: Iterable[bytes] = (), pause: float = 0.01) -> Iterator[str]:
    """Answer each connection with these bytes, those of `drip` one by one with pauses between."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(reply)
                    for byte in drip:
                        connection.sendall(byte)
                        time.sleep(pause)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(PATIENCE)
    assert not thread.is_alive()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\nconnection: close\r\n\r\n"
EVENT = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
EVENTS = HEAD % b"text/event-stream" + EVENT


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "reply",
    [b"", b"garbage\r\n\r\n", b"HTTP/9.9 OK", b"HTTP/1.1 200 OK\r\nx: " + b"x" * 300_000],
    ids=["nothing", "no-status-line", "no-version", "huge-header"],
)
def test_what_is_no_http_is_a_connection_error(reply: bytes, mode: str) -> None:
    with raw_server(reply) as url:
        model = ChatASIOne(base_url=url, api_key=API_KEY, max_retries=0, timeout=PATIENCE)
        error = failure(model, mode, "Hi")
    assert type(error) is errors.ASIOneConnectionError
    assert f"{url}/chat/completions" in str(error)


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_a_body_that_ends_with_the_connection_is_not_taken_for_complete(mode: str) -> None:
    with raw_server(EVENTS) as url:
        model = ChatASIOne(base_url=url, api_key=API_KEY, max_retries=0)
        error = failure(model, mode, "Hi")
    assert type(error) is errors.IncompleteStreamError
    assert error.partial_text == "Hi"


@pytest.mark.parametrize("mode", ["stream", "astream"])
def test_an_event_that_comes_byte_by_byte_must_be_there_in_time(mode: str) -> None:
    endless = itertools.repeat(b"x", 100 * PATIENCE)
    with raw_server(EVENTS + b"data: ", drip=endless) as url:
        model = ChatASIOne(base_url=url, api_key=API_KEY, max_retries=0, timeout=TIMEOUT)
        error = failure(model, mode, "Hi")
    assert type(error) is errors.ASIOneTimeoutError
    assert error.partial_text == "Hi"


@pytest.mark.parametrize("mode", ["invoke", "ainvoke"])
def test_a_body_that_keeps_coming_is_read_to_its_end(mode: str) -> None:
    body = b'{"choices":[{"message":{"content":"Hello from afar"}}]}'
    drip = [body[at : at + 1] for at in range(len(body))]
    begun, limit = time.monotonic(), 2
    with raw_server(HEAD % b"application/json", drip=drip, pause=1.25 * limit / len(body)) as url:
        model = ChatASIOne(base_url=url, api_key=API_KEY, max_retries=0, timeout=limit)
        assert ask(model, mode, "Hi").text == "Hello from afar"
    assert time.monotonic() - begun > limit
