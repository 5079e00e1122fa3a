"""A worker that outlives its process: sent, checkpointed, collected, checkpointed, cleared.

Each step may be repeated after a crash. The session and the identifier of the question follow from
the thread and the task, so a question that is sent again is the same question. Replies stay in the
mailbox until the whole answer is in a checkpoint.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID, uuid4

from langchain_core.messages import AnyMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from typing_extensions import TypedDict

from langchain_asi_one.agents._content import read_messages, write_content
from langchain_asi_one.agents._envelope import Asked, make_uuid4
from langchain_asi_one.agents._errors import AgentError, AgentErrorInfo
from langchain_asi_one.agents._loop import arun, run
from langchain_asi_one.agents._workers import AddressRule
from langchain_asi_one.executable_data import ExecutableEntry
from langchain_asi_one.langgraph._routable_agents import Allow

if TYPE_CHECKING:
    from langchain_asi_one.agents._chat import AgentChat

_RESOLVE_SECONDS: Final = 30.0


class AskedRecord(TypedDict):
    """A question that was sent, as a checkpoint keeps it.

    Attributes:
        agent: Address of the agent.
        session: Its session.
        msg_id: Its identifier.
        until: Seconds since 1970 until which an answer is waited for.
    """

    agent: str
    session: str
    msg_id: str
    until: float


class _Failure(TypedDict):
    """An error of the agent, as a checkpoint keeps it."""

    kind: str
    message: str
    info: dict[str, Any]


class _Input(TypedDict):
    agent: ExecutableEntry
    messages: list[AnyMessage]


class _Output(TypedDict):
    messages: list[AnyMessage]


class _State(_Input, total=False):
    asked: AskedRecord
    failure: _Failure | None
    mail: list[str]


Step: TypeAlias = Callable[[_State, RunnableConfig], Coroutine[Any, Any, dict[str, Any]]]


def make_durable_worker(
    chat: AgentChat, *, allow: Allow | None, timeout: float
) -> CompiledStateGraph[Any, Any, Any, Any]:
    """Make the graph of a question: send, collect, clear."""
    rule = AddressRule(allow)

    async def send(state: _State, config: RunnableConfig) -> dict[str, Any]:
        conversations = await chat.find_conversations()
        seconds = min(timeout, _RESOLVE_SECONDS)
        address = await rule.find_address(conversations, state["agent"], seconds=seconds)
        content = write_content(read_messages(state["messages"]))
        session, msg_id = _derive_ids(config, address)
        asked = Asked(address, session, msg_id, time.time() + timeout)
        # A process that was killed after the delivery has left replies, or will get them.
        if not await conversations.has_replies(asked):
            await conversations.send(asked, content)
        record = AskedRecord(
            agent=address, session=str(session), msg_id=str(msg_id), until=asked.until
        )
        return {"asked": record}

    async def collect(state: _State, _config: RunnableConfig) -> dict[str, Any]:
        conversations = await chat.find_conversations()
        outcome, mail = await conversations.collect(_read_asked(state["asked"]))
        if isinstance(outcome, AgentError):
            return {"failure": _write_failure(outcome), "mail": mail}
        return {"messages": [outcome], "failure": None, "mail": mail}

    async def clear(state: _State, _config: RunnableConfig) -> dict[str, Any]:
        conversations = await chat.find_conversations()
        await conversations.clear(state.get("mail") or [])
        failure = state.get("failure")
        if failure is not None:
            raise _read_failure(failure)
        return {"mail": []}

    builder = StateGraph(_State, input_schema=_Input, output_schema=_Output)
    for name, step in (("send", send), ("collect", collect), ("clear", clear)):
        builder.add_node(name, _make_node(name, step))
    builder.add_edge(START, "send")
    builder.add_edge("send", "collect")
    builder.add_edge("collect", "clear")
    builder.add_edge("clear", END)
    return builder.compile(name="ask_agent")


def _make_node(name: str, step: Step) -> Runnable[Any, Any]:
    def run_step(state: _State, config: RunnableConfig) -> dict[str, Any]:
        return run(step(state, config))

    async def run_step_async(state: _State, config: RunnableConfig) -> dict[str, Any]:
        return await arun(step(state, config))

    return RunnableLambda(run_step, afunc=run_step_async, name=name)


def _derive_ids(config: RunnableConfig, address: str) -> tuple[UUID, UUID]:
    """Return session and identifier of the question of a task."""
    configurable = config.get("configurable") or {}
    thread = configurable.get("thread_id")
    if thread is None:
        return uuid4(), uuid4()
    # As a worker, it stands in the task of the node above, whose name is the same after a crash.
    space = str(configurable.get("checkpoint_ns", ""))
    above, _, own = space.rpartition("|")
    place = (str(thread), above or own, address)
    return make_uuid4("session", *place), make_uuid4("question", *place)


def _read_asked(record: AskedRecord) -> Asked:
    return Asked(record["agent"], UUID(record["session"]), UUID(record["msg_id"]), record["until"])


def _write_failure(error: AgentError) -> _Failure:
    return _Failure(kind=type(error).__name__, message=error.message, info=asdict(error.info))


def _read_failure(failure: _Failure) -> AgentError:
    kinds = {kind.__name__: kind for kind in AgentError.__subclasses__()}
    kind = kinds.get(failure["kind"], AgentError)
    return kind(failure["message"], AgentErrorInfo(**failure["info"]))
