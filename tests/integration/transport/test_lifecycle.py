"""One model in many event loops, threads and processes; connections that are reused and closed."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import gc
import json
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import HumanMessage

from langchain_asi_one import ChatASIOne
from langchain_asi_one._httpx_compat import http
from langchain_asi_one.errors import ASIOneTimeoutError
from langchain_asi_one.testing import LocalASIOne, stream
from tests.support import other_process
from tests.support.model import API_KEY, MakeModel
from tests.support.patience import FOREVER, PATIENCE, eventually
from tests.support.strict import STRICT

ROOT = Path(__file__).parents[3]
SLOW = f"[fault: stall seconds={FOREVER}] Hi"


def run_script(script: str, *arguments: str) -> str:
    """Run Python code with all warnings on; anything it complains of fails."""
    # In its debug mode, asyncio logs what takes 0.1 s, which a busy machine may.
    quiet = "import logging; logging.getLogger('asyncio').setLevel(logging.ERROR)\n"
    environ = {**os.environ, "PYTHONASYNCIODEBUG": "1"}
    done = other_process.run_script(quiet + script, *arguments, environ=environ)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def run_python(*options: str, **environment: str) -> str:
    """Run a Python that has imported nothing, as `run_script`."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", *STRICT, *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def closes(server: LocalASIOne, *, left: int = 0) -> bool:
    """Whether connections are closed until no more than `left` are open.

    It is the client that closes them: the server does not, and neither its stalls nor the timeout
    of `quiet_model` end while this waits.
    """
    return eventually(lambda: server.connections <= left)


@pytest.fixture
def quiet_model(quiet_server: LocalASIOne) -> ChatASIOne:
    """A model whose connections are the only ones of its server."""
    return ChatASIOne(
        base_url=quiet_server.base_url, api_key=API_KEY, max_retries=0, timeout=FOREVER
    )


# --- Event loops, threads, processes ---


def test_ten_loops_one_after_another(model: ChatASIOne, server: LocalASIOne) -> None:
    for turn in range(10):
        assert f"question {turn}" in asyncio.run(model.ainvoke(f"question {turn}")).text
    assert len(server.requests) == 10


@pytest.mark.no_cover
def test_threads_with_loops_of_their_own(model: ChatASIOne, server: LocalASIOne) -> None:
    async def turns(thread: int) -> list[str]:
        said = [str((await model.ainvoke(f"<{thread}.{turn}>")).text) for turn in range(4)]
        said.append("".join([chunk.text async for chunk in model.astream(f"<{thread}.4>")]))
        return said

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda thread: asyncio.run(turns(thread)), range(24)))
    for thread, texts in enumerate(answers):
        assert [f"<{thread}.{turn}>" in text for turn, text in enumerate(texts)] == [True] * 5
    assert len(server.requests) == 24 * 5


def test_threads_share_one_model(model: ChatASIOne, server: LocalASIOne) -> None:
    ready = threading.Barrier(32)

    def turn(thread: int) -> bool:
        ready.wait()
        return f"<{thread}>" in model.invoke(f"<{thread}>").text

    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(turn, range(32)))
    assert len(server.requests) == 32


FORK = """
import asyncio, os, sys
from langchain_asi_one import ChatASIOne

model = ChatASIOne(base_url=sys.argv[1], api_key="any", max_retries=0)

async def turn(text):
    return (await model.ainvoke(text)).text

def right(name):
    sync = all(f"<{name}{n}>" in model.invoke(f"<{name}{n}>").text for n in range(15))
    return sync and all(f"<{name}{n}>" in asyncio.run(turn(f"<{name}{n}>")) for n in range(5))

assert right("before")
children = []
for number in range(2):
    child = os.fork()
    if not child:
        os._exit(0 if right(f"child{number}-") else 1)
    children.append(child)
assert right("parent")
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
print("ok")
"""


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_never_reads_its_parents_answer(server: LocalASIOne) -> None:
    assert run_script(FORK, server.base_url) == "ok\n"
    assert len(server.requests) == 80


def test_copies_and_pickles_work_alone(make_model: MakeModel, server: LocalASIOne) -> None:
    model = make_model(temperature=0.5, session_id="s-1", default_headers={"x-team": "blue"})
    model.invoke("a client exists now")
    for twin in (
        pickle.loads(pickle.dumps(model)),  # noqa: S301 - our own pickle
        copy.deepcopy(model),
        copy.copy(model),
        model.model_copy(update={"temperature": 0.5}),
    ):
        assert twin.invoke("Hi").response_metadata["session_id"] == "s-1"
        assert "Hello" in asyncio.run(twin.ainvoke("Hello")).text
        assert repr(twin) == repr(model)
    assert {request.body["temperature"] for request in server.requests} == {0.5}
    assert {request.headers["x-team"] for request in server.requests} == {"blue"}


SPAWN = """
import multiprocessing, sys
from langchain_asi_one import ChatASIOne

def ask(model):
    return model.invoke("from a worker").text

if __name__ == "__main__":
    import langchain_asi_one_spawned as here
    model = ChatASIOne(base_url=sys.argv[1], api_key="sk_worker", max_retries=0)
    model.invoke("here first")
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        print(pool.apply(here.ask, (model,)))
        pool.close()
        pool.join()
"""


@pytest.mark.no_cover
def test_a_spawned_worker_can_use_a_model(server: LocalASIOne, tmp_path: Path) -> None:
    (tmp_path / "langchain_asi_one_spawned.py").write_text(SPAWN)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    said = run_python("-m", "langchain_asi_one_spawned", server.base_url, PYTHONPATH=path)
    assert "from a worker" in said
    assert len({request.key_fingerprint for request in server.requests}) == 1


# --- Connections: closed when a stream is left, kept when it is read ---


def test_leaving_a_stream_closes_its_connection(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    for _ in quiet_model.stream(SLOW):
        assert quiet_server.connections == 1
        break
    gc.collect()
    assert closes(quiet_server)


def test_closing_a_held_stream_closes_its_connection(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    chunks = cast("Generator[Any]", quiet_model.stream(SLOW))
    next(chunks)
    chunks.close()
    assert closes(quiet_server)


async def test_a_copy_with_other_settings_leaves_open_streams_alone(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    """Clients belong to the loop: neither a copy nor other settings close what is in use."""
    chunks = cast("AsyncGenerator[Any]", quiet_model.astream("[fault: stall seconds=0.3] Hi"))
    async with contextlib.aclosing(chunks):
        begun = await anext(chunks)
        for twin in (quiet_model.model_copy(update={"max_retries": 1}), copy.copy(quiet_model)):
            twin.request_timeout = PATIENCE
            assert "Hello" in (await twin.ainvoke("Hello")).text
        assert begun.text in "".join([begun.text, *[chunk.text async for chunk in chunks]])
    assert {request.connection for request in quiet_server.requests} == {1, 2}


async def test_closing_an_async_stream_closes_its_connection(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    chunks = cast("AsyncGenerator[Any]", quiet_model.astream(SLOW))
    async with contextlib.aclosing(chunks):
        await anext(chunks)
        assert quiet_server.connections == 1
    assert await asyncio.to_thread(closes, quiet_server)


async def test_breaking_out_of_an_async_stream_closes_its_connection(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    async for _ in quiet_model.astream(SLOW):
        break
    gc.collect()
    assert await asyncio.to_thread(closes, quiet_server)


@pytest.mark.parametrize("streamed", [False, True], ids=["ainvoke", "astream"])
async def test_cancelling_a_task_closes_its_connection(
    streamed: bool, quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    async def turn() -> None:
        if streamed:
            async for _ in quiet_model.astream(SLOW):
                pass
        await quiet_model.ainvoke(SLOW)

    task = asyncio.create_task(turn())
    assert await asyncio.to_thread(eventually, lambda: bool(quiet_server.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(closes, quiet_server)
    assert "Hello" in (await quiet_model.ainvoke("Hello")).text


async def test_wait_for_closes_the_connection_at_its_deadline(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    seconds = 0.2
    while not quiet_server.requests:  # a busy machine may not get that far in the time
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(quiet_model.ainvoke(SLOW), seconds)
        seconds *= 2
    assert await asyncio.to_thread(closes, quiet_server)


def test_an_error_leaves_no_connection_that_is_in_use(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    for name in ("http_500", "malformed_json_line", "error_event", "truncated_stream", "empty_200"):
        with pytest.raises(Exception, match="ASI:One"):
            list(quiet_model.stream(f"[fault: {name}]"))
        assert closes(quiet_server, left=1)
        assert "Hello" in quiet_model.invoke("Hello").text


def test_sync_calls_use_one_connection(quiet_model: ChatASIOne, quiet_server: LocalASIOne) -> None:
    for _ in range(5):
        quiet_model.invoke("Hi")
    assert {request.connection for request in quiet_server.requests} == {1}
    assert len(quiet_server.requests) == 5


def test_sync_streams_leave_no_connection_behind(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    for _ in range(5):
        assert "".join(chunk.text for chunk in quiet_model.stream("Hi"))
        assert closes(quiet_server, left=1)
    assert quiet_server.total_connections == 1


async def test_async_calls_of_a_loop_use_one_connection(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    for _ in range(5):
        await quiet_model.ainvoke("Hi")
        assert [chunk async for chunk in quiet_model.astream("Hi")]
    assert {request.connection for request in quiet_server.requests} == {1}
    assert len(quiet_server.requests) == 10


async def test_a_connection_that_stays_open_after_done_is_not_waited_for(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    chunk = {"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    whole = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
    quiet_server.enqueue(stream([whole], done=False, delay=FOREVER))
    async with asyncio.timeout(PATIENCE):
        assert [chunk.text async for chunk in quiet_model.astream("Hi")] == ["Hi", ""]
    assert await asyncio.to_thread(closes, quiet_server)


def test_a_loop_that_ends_closes_its_connections(
    quiet_model: ChatASIOne, quiet_server: LocalASIOne
) -> None:
    for _ in range(3):
        asyncio.run(quiet_model.ainvoke("Hi"))
        assert closes(quiet_server)


def test_models_share_the_connections_of_the_process(quiet_server: LocalASIOne) -> None:
    """Also with other settings, and when the model that opened them is gone."""
    for arguments in ({}, {}, {"api_key": "another"}, {"max_retries": 5}, {"timeout": PATIENCE}):
        given: Any = {"base_url": quiet_server.base_url, "api_key": API_KEY, **arguments}
        ChatASIOne(**given).invoke("Hi")
        gc.collect()
    assert {request.connection for request in quiet_server.requests} == {1}


CLEAN = """
import asyncio, gc, sys
from langchain_asi_one import ChatASIOne

gc.disable()
model = ChatASIOne(base_url=sys.argv[1], api_key="any", max_retries=0)
slow = "[fault: stall seconds=20] Hi"

async def in_a_cycle():
    cycle = [ChatASIOne(base_url=sys.argv[1], api_key="any")]
    cycle.append(cycle)
    await cycle[0].ainvoke("Hi")
    cycle[0].invoke("Hi")

async def turn():
    await model.ainvoke("Hi")
    await asyncio.gather(*(model.ainvoke(f"Hi {n}") for n in range(3)))
    async for _ in model.astream("Hi"):
        pass
    async for _ in model.astream(slow):
        break
    await in_a_cycle()
    gc.collect()
    try:
        await asyncio.wait_for(model.ainvoke(slow), 0.1)
    except TimeoutError:
        pass

model.invoke("Hi")
list(model.stream("Hi"))
for _ in model.stream(slow):
    break
for _ in range(3):
    asyncio.run(turn())
print("ok")
"""


@pytest.mark.no_cover
def test_nothing_is_left_open(server: LocalASIOne) -> None:
    assert run_script(CLEAN, server.base_url) == "ok\n"


HEAD = """
import asyncio, gc, os, sys
from langchain_asi_one import ChatASIOne

model = ChatASIOne(base_url=sys.argv[1], api_key="any", max_retries=0)
slow = "[fault: stall seconds=20] Hi"
"""
EXITS = {
    "a sync stream is held": """
held = model.stream(slow)
next(held)
""",
    "a sync stream is held in a cycle": """
held = [model.stream(slow)]
held.append(held)
next(held[0])
""",
    "a sync stream is held where a child is forked": """
held = model.stream(slow)
next(held)
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
""",
    "an async stream is held as its loop ends": """
async def turn():
    global held
    held = model.astream(slow)
    await anext(held)
asyncio.run(turn())
""",
    "many async streams are held as their loop ends": """
async def turn():
    global held
    held = [model.astream(slow) for _ in range(20)]
    await asyncio.gather(*map(anext, held))
asyncio.run(turn())
""",
    "a task is asking as its loop ends": """
async def turn():
    global held
    # Connections are open: anyio warns if the first step of making one is cancelled.
    await asyncio.gather(*(model.ainvoke("Hi") for _ in range(3)))
    held = [asyncio.create_task(model.ainvoke(slow)) for _ in range(3)]
    await asyncio.sleep(0.2)
asyncio.run(turn())
""",
    "loops are closed by hand": """
async def turn(number):
    assert f"<{number}>" in (await model.ainvoke(f"<{number}>")).text
    assert [chunk async for chunk in model.astream("Hi")]
for number in range(5):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(turn(number))
    loop.close()
    gc.collect()
""",
    "a loop is never closed": """
loop = asyncio.new_event_loop()
loop.run_until_complete(model.ainvoke("Hi"))
""",
    "a forked child ends": """
model.invoke("Hi")
asyncio.run(model.ainvoke("Hi"))
child = os.fork()
if not child:
    model.invoke("Hi")
    asyncio.run(model.ainvoke("Hi"))
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
""",
}


# Each has a process of its own, which ends as Python ends it; what takes long was imported before.
FORK_EACH = """
import gc, os, sys
import langchain_asi_one.chat_models

gc.freeze()  # or each process looks through all of that as it ends
for path in sys.argv[2:]:
    if not (child := os.fork()):
        printed = os.open(path + ".printed", os.O_WRONLY | os.O_CREAT)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        with open(path) as script:
            exec(script.read())
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_ends_prints_nothing(server: LocalASIOne, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in EXITS]
    for path in paths:
        path.write_text(HEAD + EXITS[path.name], encoding="utf-8")
    # Without `-X dev`: that a loop closed by hand leaves sockets open is for it to say.
    done = subprocess.run(
        [sys.executable, "-c", FORK_EACH, server.base_url, *map(str, paths)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    printed = [path.with_name(f"{path.name}.printed").read_text("utf-8") for path in paths]
    ended = dict(zip(EXITS, zip(done.stdout.split(), printed, strict=True), strict=True))
    assert ended == dict.fromkeys(EXITS, ("0", ""))


FIRST = """
import asyncio, sys, threading
from langchain_asi_one import ChatASIOne

class Watch:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            imported.append(name)

imported = []
sys.meta_path.insert(0, Watch())
model = ChatASIOne(base_url=sys.argv[1], api_key="any", max_retries=0)

async def turn():
    imported.clear()
    await model.ainvoke("Hi")
    assert [chunk async for chunk in model.astream("Hi")]
    ours = ("langchain_asi_one", "anyio", "httpcore", "httpx", "openai")
    print([name for name in imported if name.startswith(ours)])

asyncio.run(turn())
"""


@pytest.mark.no_cover
def test_the_first_call_imports_nothing_in_the_event_loop(server: LocalASIOne) -> None:
    assert run_python("-c", FIRST, server.base_url) == "[]\n"


BLOCKED = """
import asyncio, os, sys
from blockbuster import blockbuster_ctx
from pydantic import BaseModel
from langchain_asi_one import ChatASIOne
from langchain_asi_one.errors import ASIOneError
from langchain_asi_one.images import create_image_tool

class City(BaseModel):
    name: str

async def ask():
    await model.ainvoke("Hi")
    assert [chunk async for chunk in model.astream("Hi")]

async def draw():
    await create_image_tool(model).ainvoke({"prompt": "a fox"})

async def fill_in():
    for method in ("function_calling", "json_schema"):
        chain = model.with_structured_output(City, method=method)
        await chain.ainvoke("the city Paris")
        assert [city async for city in chain.astream("the city Paris")]

async def fail():
    for text in ("[fault: http_429 retry_after=0.01] Hi", "[fault: truncated_stream] Hi"):
        try:
            assert [chunk async for chunk in model.astream(text)]
        except ASIOneError:
            pass

model = ChatASIOne(base_url=sys.argv[1], api_key="any", max_retries=1)
for ways in ((ask, fail), (draw, fill_in)):  # each first call in a process of its own
    if not (child := os.fork()):
        with blockbuster_ctx():
            for way in (*ways, *ways):
                asyncio.run(way())
        sys.exit()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.no_cover
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_no_call_blocks_the_event_loop(server: LocalASIOne) -> None:
    """https://github.com/langchain-ai/langchain-google/issues/1231 and langgraph#4130."""
    assert run_script(BLOCKED, server.base_url) == ""


def test_trio_is_told_what_to_do(model: ChatASIOne) -> None:
    trio = pytest.importorskip("trio", reason="selenium brings it")

    async def read() -> None:
        # LangChain's own `astream` would go on in asyncio to tell callbacks of the error.
        async for _ in model._astream([HumanMessage("Hi")]):
            pass

    async def ask() -> str:
        return str((await trio.to_thread.run_sync(model.invoke, "Hi")).text)

    with pytest.raises(RuntimeError, match=r"await trio\.to_thread\.run_sync\(model\.invoke"):
        trio.run(read)
    assert "Hi" in trio.run(ask)


# --- Construction, timeouts, clients of one's own ---


def test_a_model_is_made_fast_and_without_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a model must not open a socket, nor build a client, before its first call")

    for module, name in ((socket, "socket"), (http, "Client"), (http, "AsyncClient")):
        monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(http.Client, "__init__", refuse, raising=False)
    ChatASIOne(api_key=API_KEY)
    spent = []
    for _ in range(5):
        begun = time.thread_time()
        ChatASIOne(api_key=API_KEY)
        spent.append(time.thread_time() - begun)
    assert min(spent) < 0.005


@pytest.mark.parametrize("in_call", [False, True], ids=["field", "call"])
@pytest.mark.parametrize(
    "timeout", [0.3, http.Timeout(5, read=0.3), http.Timeout(0.3)], ids=["number", "read", "all"]
)
def test_timeouts(in_call: bool, timeout: Any, make_model: MakeModel, server: LocalASIOne) -> None:
    """Reported as hermes-agent#52217, Hyper-Alpha-Arena#28 and lingtai-kernel#1373.

    The server is still at work after a timeout, so the question is sent once.
    """
    model = make_model(timeout=FOREVER if in_call else timeout, max_retries=2)
    options = {"timeout": timeout} if in_call else {}

    async def stream(text: str) -> Any:
        return [chunk async for chunk in model.astream(text, **options)]

    async def read(text: str) -> Any:
        whole = model.ainvoke(text, **options)
        return await asyncio.gather(whole, stream(text), return_exceptions=True)

    # Whatever waits longer gets the right answer.
    for name in ("stall_before_headers", "stall"):
        text = f"[fault: {name} seconds={PATIENCE}]"
        begun = time.monotonic()
        with pytest.raises(ASIOneTimeoutError, match=r"0\.3"):
            model.invoke(text, **options)
        with pytest.raises(ASIOneTimeoutError, match=r"0\.3"):
            list(model.stream(text, **options))
        assert time.monotonic() - begun >= 0.6
        for error in asyncio.run(read(text)):
            assert isinstance(error, ASIOneTimeoutError)
            assert "0.3" in str(error)
    assert len(server.requests) == 8


def test_own_clients_are_used_and_left_open(make_model: MakeModel, server: LocalASIOne) -> None:
    def client(kind: Any) -> Any:
        return kind(headers={"x-client": "own"})

    with client(http.Client) as own:
        model = make_model(http_client=own)
        model.invoke("Hi")
        list(model.stream("Hi"))
        del model
        gc.collect()
        assert not own.is_closed

    async def turn() -> None:
        async with client(http.AsyncClient) as own_async:
            model = make_model(http_async_client=own_async)
            await model.ainvoke("Hi")
            assert [chunk async for chunk in model.astream("Hi")]
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(model)

    asyncio.run(turn())
    assert [request.headers["x-client"] for request in server.requests] == ["own"] * 4


def test_an_open_stream_outlives_a_change_of_settings(model: ChatASIOne) -> None:
    chunks = model.stream("Tell me a story about a fox, a hen and a dog.")
    first = next(chunks)

    model.max_retries = 1
    model.invoke("Hello!")

    text = "".join(str(chunk.content) for chunk in [first, *chunks])
    assert "fox" in text


MODEL_OF_ONE_REQUEST = """
import asyncio, gc, sys
from langchain_asi_one import ChatASIOne

async def main():
    model = ChatASIOne(base_url=sys.argv[1], api_key="sk_test_0123456789")
    await asyncio.gather(*[model.ainvoke("Hello!") for _ in range(20)])

asyncio.run(main())
gc.collect()
"""


@pytest.mark.no_cover
def test_a_model_that_dies_with_its_task_leaves_nothing_open(server: LocalASIOne) -> None:
    assert run_script(MODEL_OF_ONE_REQUEST, server.base_url) == ""


async def test_models_of_one_loop_share_their_connections(
    server: LocalASIOne, make_model: MakeModel
) -> None:
    for _ in range(5):
        await make_model().ainvoke("Hello!")
    assert len({request.connection for request in server.requests}) == 1
