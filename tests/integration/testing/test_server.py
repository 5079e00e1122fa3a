"""What the stand-in remembers, its connections, and where it listens."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import re
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from langchain_asi_one.testing import LocalASIOne, fault, local_asi_one, raw, stream
from tests.support.model import API_KEY
from tests.support.patience import FOREVER, PATIENCE, eventually
from tests.support.stand_in_wire import (
    SPEECH,
    ask,
    chunks_of,
    client_of,
    read_message,
    request_body,
)


def test_requests_are_kept_without_the_key(server: LocalASIOne) -> None:
    with client_of(server, **{"x-session-id": "s1", "X-Extra": "1"}) as client:
        before = time.monotonic()
        ask(client, "Hello")
    (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer ***"
    assert (request.headers["x-extra"], request.session_id) == ("1", "s1")
    assert request.authorized
    assert request.key_fingerprint == hashlib.sha256(API_KEY.encode()).hexdigest()[:12]
    assert request.body == json.loads(request.raw) == request_body()
    assert before < request.received_at < time.monotonic()
    assert API_KEY not in repr(request)
    server.requests.clear()
    assert len(server.requests) == 1
    server.clear()
    assert server.requests == []


def test_other_credentials_are_masked_and_not_accepted(server: LocalASIOne) -> None:
    headers = {"Authorization": f"Basic {API_KEY}", "Proxy-Authorization": API_KEY}
    url = f"{server.base_url}/chat/completions?a=1"
    response = httpx.post(
        url, json=request_body(), headers=headers, timeout=PATIENCE, trust_env=False
    )
    (request,) = server.requests
    assert response.status_code == 401
    assert (request.headers["authorization"], request.headers["proxy-authorization"]) == (
        "***",
    ) * 2
    assert (request.authorized, request.key_fingerprint) == (False, "")
    assert request.path == "/v1/chat/completions?a=1"


def test_connections_are_kept_alive_and_counted(quiet_server: LocalASIOne) -> None:
    with client_of(quiet_server) as client:
        for _ in range(3):
            ask(client)
        assert (quiet_server.connections, quiet_server.total_connections) == (1, 1)
        assert {request.connection for request in quiet_server.requests} == {1}
    assert eventually(lambda: quiet_server.connections == 0)
    with client_of(quiet_server) as client:
        ask(client)
    assert quiet_server.total_connections == 2
    assert quiet_server.requests[-1].connection == 2


def test_an_abandoned_stream_closes_its_connection(quiet_server: LocalASIOne) -> None:
    quiet_server.enqueue(stream([{"choices": []}] * 1000, delay=FOREVER))
    with client_of(quiet_server) as client:
        with client.stream("POST", "/chat/completions", json=request_body()) as response:
            pieces = response.iter_raw()  # httpx closes the response when its iterator is dropped
            assert next(pieces)
            assert quiet_server.connections == 1
        client.close()
        assert eventually(lambda: quiet_server.connections == 0)


def test_an_abandoned_fast_stream_is_dropped_without_a_warning(
    quiet_server: LocalASIOne, caplog: pytest.LogCaptureFixture
) -> None:
    quiet_server.enqueue(stream([{"choices": [], "n": "x" * 1000}] * 20_000))
    with client_of(quiet_server) as client:
        with client.stream("POST", "/chat/completions", json=request_body()) as response:
            pieces = response.iter_raw()
            assert next(pieces)
        client.close()
        assert eventually(lambda: quiet_server.connections == 0)
    assert [record.message for record in caplog.records if record.name != "httpx"] == []


def test_two_servers_do_not_share_anything() -> None:
    with local_asi_one() as one, local_asi_one() as two:
        assert one.base_url != two.base_url
        one.enqueue(raw(b"one"))
        with client_of(one) as client_one, client_of(two) as client_two:
            assert read_message(ask(client_two))["content"].startswith(SPEECH)
            assert ask(client_one).content == b"one"
        assert (len(one.requests), len(two.requests)) == (1, 1)


async def test_twenty_requests_at_once(server: LocalASIOne) -> None:
    # No stream ends before all have begun: one after another, none would.
    server.enqueue(*[stream([{"n": n}], delay=FOREVER) for n in range(20)])
    all_begun = asyncio.Barrier(20)

    async def begin(number: int) -> int:
        body = request_body(f"question {number}")
        async with client.stream("POST", "/chat/completions", json=body) as response:
            pieces = response.aiter_raw()
            piece = await anext(pieces)
            await all_begun.wait()
        return int(chunks_of(piece)[0]["n"])

    async with (
        asyncio.timeout(PATIENCE),
        httpx.AsyncClient(
            base_url=server.base_url,
            headers={"Authorization": f"Bearer {API_KEY}"},
            timeout=PATIENCE,
            trust_env=False,
        ) as client,
    ):
        begun = await asyncio.gather(*map(begin, range(20)))
    assert sorted(begun) == list(range(20))
    assert len({request.connection for request in server.requests}) == 20


def test_stops_at_once_with_open_streams() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(local_asi_one())
        # Were it to wait for them, it would not end.
        server._server.config.timeout_graceful_shutdown = FOREVER
        client = stack.enter_context(client_of(server))
        server.enqueue(
            fault("stall", seconds=FOREVER),
            fault("stall_before_headers", seconds=FOREVER),
            stream(["data: x\n\n"] * 2, delay=FOREVER),
        )
        posted = client.stream("POST", "/chat/completions", json=request_body(stream=True))
        stalled = stack.enter_context(posted).iter_raw()
        assert next(stalled)
        failures: list[Exception] = []

        def wait_for_headers() -> None:
            try:
                ask(client)
            except httpx.HTTPError as error:
                failures.append(error)

        waiting = threading.Thread(target=wait_for_headers)
        waiting.start()
        assert eventually(lambda: len(server.requests) == 2)
        posted = client.stream("POST", "/chat/completions", json=request_body(stream=True))
        endless = stack.enter_context(posted).iter_raw()
        assert next(endless)
        assert server.connections == 3
        server.stop()
        assert eventually(lambda: server._thread not in threading.enumerate())
        waiting.join(PATIENCE)
        assert len(failures) == 1
        server.stop()
        with pytest.raises(RuntimeError):
            server.start()


# Where it listens.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1"])  # noqa: S104
def test_refuses_to_be_reached_by_others(host: str) -> None:
    with pytest.raises(ValueError, match=r"refusing to listen on.*allow_remote=True"):
        LocalASIOne(host=host)


def test_can_be_told_to_listen_elsewhere() -> None:
    with local_asi_one(host="0.0.0.0", allow_remote=True) as server:  # noqa: S104
        url = server.base_url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(url, timeout=PATIENCE, trust_env=False).status_code == 404
    with local_asi_one(host="localhost") as server:
        assert re.match(r"http://(127\.0\.0\.1|\[::1\]):\d+/v1$", server.base_url)


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python was built without IPv6")
def test_listens_on_the_ipv6_loopback() -> None:
    try:
        server = LocalASIOne(host="::1")
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback address: {error}")
    with server:
        assert server.base_url.startswith("http://[::1]:")
        assert httpx.get(server.base_url, timeout=PATIENCE, trust_env=False).status_code == 404


def test_arguments_out_of_range() -> None:
    with pytest.raises(ValueError, match="port must be from 0"):
        LocalASIOne(port=65536)
    with pytest.raises(ValueError, match="chunk_delay must be 0 or more seconds, not -1"):
        LocalASIOne(chunk_delay=-1)
    with pytest.raises(ValueError, match="chunk_delay must be 0 or more seconds, not nan"):
        LocalASIOne(chunk_delay=float("nan"))
    with local_asi_one() as server:
        port = int(server.base_url.rpartition(":")[2].removesuffix("/v1"))
        with pytest.raises(OSError, match="in use"):
            LocalASIOne(port=port)


def test_chunk_delay_paces_generated_streams() -> None:
    with local_asi_one(chunk_delay=0.02) as server, client_of(server) as client:
        started = time.monotonic()
        chunks = chunks_of(ask(client, stream=True).content)
        assert time.monotonic() - started > 0.02 * len(chunks)


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer x\r\n"


def write_request(text: str) -> bytes:
    body = json.dumps({"model": "asi1", "messages": [{"role": "user", "content": text}]}).encode()
    return HEAD + b"content-length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        HEAD[:40],
        HEAD + b"content-length: 1000\r\n\r\n{",
        write_request("[fault: stall seconds=60]"),
        write_request("Hello"),
    ],
    ids=["silent", "in the headers", "in the body", "answered late", "idle"],
)
def test_a_server_that_stops_leaves_no_connection_open(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def stop_one(number: int) -> None:
        with LocalASIOne() as server, ExitStack() as stack:
            address = ("127.0.0.1", urlsplit(server.base_url).port)
            clients = [
                stack.enter_context(socket.create_connection(address))
                for _ in range(1 + number % 3)
            ]
            for client in clients:
                client.sendall(sent)
            time.sleep(number % 5 / 1_000)  # the states of a connection while it is accepted
            server.stop()

    with warnings.catch_warnings(record=True) as caught, ThreadPoolExecutor(25) as pool:
        warnings.simplefilter("always")
        list(pool.map(stop_one, range(50)))
        gc.collect()
    assert [str(one.message) for one in caught] == []
    assert caplog.text == ""
