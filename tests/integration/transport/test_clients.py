"""One HTTP client a process or a loop, for however many models; imports where they are needed."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import pickle
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from langchain_core.messages import AIMessage, messages_to_dict
from langchain_core.runnables import ConfigurableField
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from langchain_asi_one import ChatASIOne
from langchain_asi_one._httpx_compat import HTTPCORE, http
from langchain_asi_one._transport import client_pool, clients
from langchain_asi_one.agents import _endpoints
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.testing import LocalASIOne, answer, raw
from tests.support import other_process
from tests.support.model import API_KEY, MakeModel
from tests.support.patience import FOREVER, PATIENCE, eventually
from tests.support.strict import STRICT

ROOT = Path(__file__).parents[3]


class City(BaseModel):
    """A city."""

    name: str


def look(city: str) -> str:
    """Look a city up."""
    return city


class Built:
    """How many HTTP clients were built."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("Client", "AsyncClient"), 0)

    def watch(self, patched: pytest.MonkeyPatch, name: str) -> None:
        kind = getattr(http, name)
        build = kind.__init__

        def counted(client: Any, *args: Any, **kwargs: Any) -> None:
            self.counts[name] += 1
            build(client, *args, **kwargs)

        patched.setattr(kind, "__init__", counted)

    @property
    def all(self) -> tuple[int, int]:
        """Sync ones and async ones."""
        return self.counts["Client"], self.counts["AsyncClient"]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[Built]:
    """Count clients; the process has none yet, as at its start."""
    process = client_pool._Process()
    monkeypatch.setattr(client_pool, "_PROCESSES", [process])
    found = Built()
    for name in found.counts:
        found.watch(monkeypatch, name)
    yield found
    for client in process.threads.clients.values():
        client.close()


Variant = Callable[[ChatASIOne], Any]


def configured(model: ChatASIOne) -> Any:
    fields = model.configurable_fields(temperature=ConfigurableField(id="temperature"))
    return fields.with_config(configurable={"temperature": 0.1})


# Each is a model of its own to Python, and the same client's to the wire.
VARIANTS: dict[str, Variant] = {
    "itself": lambda model: model,
    "bind_tools": lambda model: model.bind_tools([look]),
    "bind_tools of many": lambda model: model.bind_tools([look, City]),
    "structured": lambda model: model.with_structured_output(City),
    "json_schema": lambda model: model.with_structured_output(City, method="json_schema"),
    "include_raw": lambda model: model.with_structured_output(City, include_raw=True),
    "model_copy": lambda model: model.model_copy(update={"temperature": 0.2}),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),  # noqa: S301 - our own pickle
    "configurable": configured,
    "with_config": lambda model: model.with_config(tags=["x"]),
    "with_retry": lambda model: model.with_retry(),
    "bind": lambda model: model.bind(temperature=0.3),
    "made anew": lambda model: ChatASIOne(
        base_url=model.openai_api_base, api_key=API_KEY, max_retries=0, temperature=0.9
    ),
}
QUESTION = "Which city? Answer in JSON with 'name'."


def test_every_model_of_a_process_uses_one_client(built: Built, quiet_server: LocalASIOne) -> None:
    model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0)
    for variant in VARIANTS.values():
        made = variant(model)
        assert built.counts["Client"] <= 1
        made.invoke(QUESTION)
        made.invoke(QUESTION)
    assert built.all == (1, 0)
    assert len(quiet_server.requests) == 2 * len(VARIANTS)
    assert {request.connection for request in quiet_server.requests} == {1}


async def test_every_model_of_a_loop_uses_one_client(
    built: Built, quiet_server: LocalASIOne
) -> None:
    model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0)
    for variant in VARIANTS.values():
        made = variant(model)
        await made.ainvoke(QUESTION)
        assert [chunk async for chunk in made.astream(QUESTION)]
    assert built.all == (0, 1)
    assert len(quiet_server.requests) == 2 * len(VARIANTS)
    assert {request.connection for request in quiet_server.requests} == {1}


def test_streams_use_the_client_of_calls(built: Built, quiet_server: LocalASIOne) -> None:
    for _ in range(3):
        model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY)
        assert list(model.stream("Hi"))
        model.invoke("Hi")
    assert built.all == (1, 0)


def test_each_loop_has_a_client_of_its_own_and_no_more(
    built: Built, quiet_server: LocalASIOne
) -> None:
    async def turn() -> None:
        for _ in range(3):
            model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY)
            await model.ainvoke("Hi")

    for loops in range(1, 4):
        asyncio.run(turn())
        assert built.all == (0, loops)
    connections = [request.connection for request in quiet_server.requests]
    assert connections == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_other_settings_share_the_http_client_and_are_sent(
    built: Built, quiet_server: LocalASIOne
) -> None:
    given: list[dict[str, Any]] = [
        {"api_key": "sk_one_0123456789"},
        {"api_key": "sk_two_0123456789"},
        {"api_key": "sk_one_0123456789", "max_retries": 4},
        {"api_key": "sk_one_0123456789", "timeout": PATIENCE},
        {"api_key": "sk_one_0123456789", "default_headers": {"x-team": "blue"}},
    ]
    models = [ChatASIOne(base_url=quiet_server.base_url, **arguments) for arguments in given]
    for _ in range(2):
        for model in models:
            model.invoke("Hi")
    assert built.all == (1, 0)
    requests = quiet_server.requests
    assert {request.connection for request in requests} == {1}
    prints = [request.key_fingerprint for request in requests]
    assert prints[:5] == prints[5:]
    assert [key == prints[0] for key in prints[:5]] == [True, False, True, True, True]
    assert [request.headers.get("x-team") for request in requests[:5]] == [None] * 4 + ["blue"]


def test_no_session_leaks_from_one_model_to_another(
    built: Built, quiet_server: LocalASIOne
) -> None:
    cookie = {"set-cookie": "seen=1; Path=/", "content-type": "application/json"}
    for number in range(3):
        body = json.dumps({"choices": [{"message": {"content": "Hi"}}]}).encode()
        quiet_server.enqueue(raw(body, headers=cookie))
        model = ChatASIOne(
            base_url=quiet_server.base_url, api_key=API_KEY, session_id=f"s-{number}"
        )
        model.invoke("Hi")
    assert [request.session_id for request in quiet_server.requests] == ["s-0", "s-1", "s-2"]
    assert all("cookie" not in request.headers for request in quiet_server.requests)
    assert built.counts["Client"] == 1


def test_every_key_goes_with_its_own_requests(built: Built, quiet_server: LocalASIOne) -> None:
    """One HTTP client for all, and nothing that lives as long as the process for each key."""
    for number in range(40):
        ChatASIOne(base_url=quiet_server.base_url, api_key=f"sk_number_{number:09}").invoke("Hi")
    assert built.all == (1, 0)
    assert len({request.key_fingerprint for request in quiet_server.requests}) == 40
    assert {request.connection for request in quiet_server.requests} == {1}


# --- A client of one's own ---


def test_an_own_client_is_used_alone_and_never_shared(
    built: Built, quiet_server: LocalASIOne
) -> None:
    own = http.Client(headers={"x-client": "own"})
    given: dict[str, Any] = {"base_url": quiet_server.base_url, "api_key": API_KEY}
    with own:
        model = ChatASIOne(http_client=own, **given)
        for one in (model, ChatASIOne(**given), model.bind_tools([look]), ChatASIOne(**given)):
            one.invoke("Hi")
        assert built.counts["Client"] == 2
        del model, one
        assert not own.is_closed
        own.get(f"{quiet_server.base_url}/models")
    said = [r.headers.get("x-client") for r in quiet_server.requests if r.method == "POST"]
    assert said == ["own", None, "own", None]
    connections = [r.connection for r in quiet_server.requests if r.method == "POST"]
    assert connections == [1, 2, 1, 2]
    # The shared one outlives it.
    ChatASIOne(**given).invoke("Hi")
    assert quiet_server.requests[-1].connection == 2


async def test_an_own_async_client_is_used_alone_and_never_shared(
    built: Built, quiet_server: LocalASIOne
) -> None:
    given: dict[str, Any] = {"base_url": quiet_server.base_url, "api_key": API_KEY}
    async with http.AsyncClient(headers={"x-client": "own"}) as own:
        model = ChatASIOne(http_async_client=own, **given)
        for one in (model, ChatASIOne(**given), model.bind_tools([look]), ChatASIOne(**given)):
            await one.ainvoke("Hi")
            assert [chunk async for chunk in one.astream("Hi")]
        assert built.counts["AsyncClient"] == 2
        del model, one
        assert not own.is_closed
    said = [request.headers.get("x-client") for request in quiet_server.requests]
    assert said == ["own", "own", None, None] * 2
    assert [request.connection for request in quiet_server.requests] == [1, 1, 2, 2] * 2


def test_two_own_clients_do_not_mix(quiet_server: LocalASIOne) -> None:
    with http.Client(headers={"x-client": "a"}) as a, http.Client(headers={"x-client": "b"}) as b:
        given: dict[str, Any] = {"base_url": quiet_server.base_url, "api_key": API_KEY}
        models = [ChatASIOne(http_client=client, **given) for client in (a, b)]
        for model in [*models, *models]:
            model.invoke("Hi")
    assert [request.headers["x-client"] for request in quiet_server.requests] == ["a", "b"] * 2


def test_limits_of_an_own_client_hold(quiet_server: LocalASIOne) -> None:
    limits = http.Limits(max_connections=1, max_keepalive_connections=0)
    with http.Client(limits=limits) as own:
        model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, http_client=own)
        with ThreadPoolExecutor(4) as threads:
            said = list(threads.map(lambda n: model.invoke(f"<{n}>").text, range(8)))
    assert [f"<{n}>" in text for n, text in enumerate(said)] == [True] * 8
    assert [request.connection for request in quiet_server.requests] == list(range(1, 9))


# --- Many at once ---


@pytest.mark.no_cover
@pytest.mark.parametrize("streamed", [False, True], ids=["ainvoke", "astream"])
async def test_two_hundred_calls_at_once(
    streamed: bool, built: Built, quiet_server: LocalASIOne
) -> None:
    model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0)

    async def turn(number: int) -> str:
        text = f"number <{number}>, please"
        if streamed:
            return "".join([str(chunk.text) async for chunk in model.astream(text)])
        return str((await model.ainvoke(text)).text)

    said = await asyncio.gather(*map(turn, range(200)))
    wanted = [
        f'[local stand-in] You said: "number <{number}>, please". This is turn 1 of the session.'
        for number in range(200)
    ]
    assert said == wanted
    assert len(quiet_server.requests) == 200
    # Pools of bounded size, as the HTTP library's time for a call grows with its connections.
    assert built.all == (0, 4)
    assert quiet_server.total_connections <= 200

    # Afterwards, one after another, one connection is enough.
    quiet_server.clear()
    for number in range(5):
        assert f"<{number}>" in await turn(number)
    assert len({request.connection for request in quiet_server.requests}) == 1
    assert built.all == (0, 4)


async def test_a_call_that_fails_or_is_cancelled_gives_its_place_back(
    built: Built, quiet_server: LocalASIOne
) -> None:
    """Else each would leave its pool with room for one call less."""
    model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0)
    stall = f"[fault: stall seconds={FOREVER}]"
    for _ in range(2):
        quiet_server.clear()
        failed = await asyncio.gather(
            *[model.ainvoke("[fault: http_500]") for _ in range(40)], return_exceptions=True
        )
        assert all(isinstance(error, ASIOneError) for error in failed)
        slow = [asyncio.create_task(model.ainvoke(stall)) for _ in range(24)]
        assert await asyncio.to_thread(eventually, lambda: len(quiet_server.requests) == 40 + 24)
        for task in slow:
            task.cancel()
        assert {type(e) for e in await asyncio.gather(*slow, return_exceptions=True)} == {
            asyncio.CancelledError
        }
        for _ in range(20):
            async for _chunk in model.astream("Hi"):
                break
    await asyncio.sleep(0)
    assert "Hello" in (await model.ainvoke("Hello")).text
    assert built.all == (0, 1)


def test_threads_with_and_without_loops_share_what_may_be_shared(
    built: Built, quiet_server: LocalASIOne
) -> None:
    model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0)
    model.invoke("first")
    ready = threading.Barrier(2)

    def sync(name: str) -> list[str]:
        ready.wait(PATIENCE)
        return [str(model.invoke(f"<{name}{n}>").text) for n in range(5)]

    async def turns(name: str) -> list[str]:
        return [str((await model.ainvoke(f"<{name}{n}>")).text) for n in range(5)]

    def own_loop(name: str) -> list[str]:
        ready.wait(PATIENCE)
        return asyncio.run(turns(name))

    with ThreadPoolExecutor(2) as threads:
        for work in (sync, own_loop):
            for name, said in zip("ab", threads.map(work, "ab"), strict=True):
                assert [f"<{name}{n}>" in text for n, text in enumerate(said)] == [True] * 5
    assert built.all == (1, 2)


@pytest.mark.usefixtures("built")
def test_streams_of_threads_that_begin_together_are_whole(quiet_server: LocalASIOne) -> None:
    """Whatever clients they build at once, none is closed before its stream has ended."""
    model = ChatASIOne(
        base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0, timeout=PATIENCE
    )
    ready = threading.Barrier(64)

    def turn(number: int) -> str:
        ready.wait(PATIENCE)
        chunks = model.stream("[fault: stall seconds=0.5] Hi")
        return "".join([str(chunk.text) for chunk in chunks])

    with ThreadPoolExecutor(64) as threads:
        said = list(threads.map(turn, range(64)))
    assert said == ["[local stand-in] This is a short fixed answer, used to show faults."] * 64
    assert len(quiet_server.requests) == 64


def test_threads_that_begin_together_use_one_client(
    built: Built, quiet_server: LocalASIOne
) -> None:
    model = ChatASIOne(base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0)
    ready = threading.Barrier(8)

    def turn(number: int) -> bool:
        ready.wait(PATIENCE)
        return f"<{number}>" in model.invoke(f"<{number}>").text

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(turn, range(8)))
    assert built.all == (1, 0)


def run_script(script: str, *arguments: str) -> str:
    """Run code in a process that has imported nothing of ours; all it complains of fails."""
    done = other_process.run_script(script, *arguments, environ=os.environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


FORK = """
import asyncio, os, sys, threading
from langchain_asi_one import ChatASIOne
from langchain_asi_one._transport import client_pool, clients

clients.LIMITS.keepalive_expiry = None  # however long the child takes
model = ChatASIOne(base_url=sys.argv[1], api_key="any-key", max_retries=0)
model.invoke("parent")
(held,) = client_pool._PROCESSES[0].threads.clients.values()

async def parent():
    await model.ainvoke("parent")
    child = os.fork()
    if not child:
        # Two threads of a child, and a loop of each, while the parent's is in reach.
        said = []
        def turn(name):
            said.append(f"<{name}>" in model.invoke(f"<{name}>").text)
            async def aturn():
                return (await model.ainvoke(f"<a{name}>")).text
            said.append(f"<a{name}>" in asyncio.run(aturn()))
        threads = [threading.Thread(target=turn, args=(n,)) for n in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        (own,) = client_pool._PROCESSES[-1].threads.clients.values()
        os._exit(0 if said == [True] * 4 and own is not held and not held.is_closed else 1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    await model.ainvoke("parent")
    model.invoke("parent")
    kept = [*client_pool._PROCESSES[0].threads.clients.values()] == [held]
    print(status, len(client_pool._PROCESSES), kept)

asyncio.run(parent())
"""


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_builds_its_own_and_leaves_the_parents_alone(quiet_server: LocalASIOne) -> None:
    # Python 3.12 warns of any fork beside threads; of ours there are none.
    assert run_script(FORK, quiet_server.base_url) == "0 1 True\n"
    parents = [r for r in quiet_server.requests if "parent" in r.raw.decode()]
    assert [request.connection for request in parents] == [1, 2, 2, 1]
    others = [r.connection for r in quiet_server.requests if r not in parents]
    assert len(others) == 4
    assert not {1, 2} & set(others)


# --- What is imported, and when ---


def run_python(script: str, *arguments: str) -> str:
    """Run code as a fresh process; anything it complains of fails."""
    done = subprocess.run(
        [sys.executable, *STRICT, "-c", script, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


# The HTTP library that the SDK is not built on, and what only graphs or calls need.
OTHER_HTTP = "httpx" if http.__name__ == "httpx2" else "httpx2"
MODULES = """
import json, sys
before = set(sys.modules)
for code in sys.argv[1:]:
    exec(code)
    print(json.dumps(sorted(set(sys.modules) - before)))
"""
NOT_FOR_EACH = {"langchain_asi_one._structured_output", "langchain_asi_one.testing"}
FOR_CALLS = {
    HTTPCORE,
    "langchain_asi_one._transport.completions",
    *("langchain_asi_one._transport.client_pool", "langchain_asi_one._request.messages"),
    *NOT_FOR_EACH,
}


def imported(*codes: str) -> list[set[str]]:
    """Run codes one after the other, and return what is imported after each."""
    return [set(json.loads(line)) for line in run_python(MODULES, *codes).splitlines()]


@cache
def langsmiths() -> set[str]:
    """What LangChain's tracer imports by itself: httpx2 where it can, whatever the SDK has."""
    return imported("import langsmith.client")[0]


def test_no_connection_is_kept_until_a_server_closes_it() -> None:
    """Or a request would be lost now and then; uvicorn serves real agents, and many gateways."""
    closes_after = uvicorn.Config("app:app").timeout_keep_alive
    assert closes_after > clients.IDLE_SECONDS
    expiry = _endpoints._LIMITS.keepalive_expiry
    assert expiry is not None
    assert expiry < closes_after


def test_importing_the_package_imports_next_to_nothing() -> None:
    [found] = imported("import langchain_asi_one")
    assert not found & {"langgraph", "openai", "httpx", "httpx2", "langchain_core", "pydantic"}
    assert {name for name in found if name.startswith("langchain_asi_one")} == {
        "langchain_asi_one",
        "langchain_asi_one._version",
    }


@pytest.mark.no_cover
def test_what_only_calls_need_comes_with_them_and_no_second_http_library(
    quiet_server: LocalASIOne,
) -> None:
    model, called = imported(
        "from langchain_asi_one import ChatASIOne\n"
        f"model = ChatASIOne(base_url={quiet_server.base_url!r}, api_key='any')",
        "model.invoke('Hi'); list(model.stream('Hi'))",
    )
    assert "langchain_asi_one.chat_models" in model
    unwanted = {"langgraph", OTHER_HTTP, "langchain", "starlette", "uvicorn"}
    assert not model & unwanted - langsmiths()
    assert not model & FOR_CALLS
    assert called > FOR_CALLS - NOT_FOR_EACH
    assert (
        not called
        & {"langgraph", OTHER_HTTP, "langchain_asi_one._structured_output"} - langsmiths()
    )


LOADED = """
import base64, json, sys
from langchain_core.messages import messages_from_dict
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
{first}
(stored,) = messages_from_dict(json.loads(sys.argv[1]))
checkpointed = JsonPlusSerializer().loads_typed(("msgpack", base64.b64decode(sys.argv[2])))
calls = "langchain_asi_one._transport.completions" in sys.modules
print(json.dumps([stored.content_blocks, checkpointed.content_blocks, calls]))
"""
FIRSTS = {
    "model": "from langchain_asi_one import ChatASIOne",
    "graph": "import langchain_asi_one.langgraph",
}


@pytest.fixture
def told(make_model: MakeModel, server: LocalASIOne) -> AIMessage:
    """A message with all that only our translator reads."""
    body = {
        "id": "r1",
        "choices": [
            {
                "message": {
                    "content": "Hi",
                    "thought": "Hm",
                    "tool_calls": [{"tool_name": "search", "id": "t1", "args": {}, "result": "r"}],
                    "intermediate_steps": [{"a": 1}],
                },
                "finish_reason": "stop",
            }
        ],
    }
    server.enqueue(answer(body))
    message = make_model().invoke("x")
    assert [block["type"] for block in message.content_blocks] == [
        *("reasoning", "text", "server_tool_call", "server_tool_result", "non_standard"),
    ]
    return message


@pytest.mark.no_cover
@pytest.mark.parametrize("first", FIRSTS)
def test_a_stored_message_is_translated_where_no_call_was_made(first: str, told: AIMessage) -> None:
    kind, data = JsonPlusSerializer().dumps_typed(told)
    assert kind == "msgpack"
    stored = json.dumps(messages_to_dict([told]))
    code = LOADED.format(first=FIRSTS[first])
    said = json.loads(run_script(code, stored, b64encode(data).decode()))
    assert said == [told.content_blocks, told.content_blocks, False]
