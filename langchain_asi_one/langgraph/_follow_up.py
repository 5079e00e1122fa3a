"""Waiting in a graph for an answer that ASI:One gives later.

Each poll is a checkpoint.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast, overload
from uuid import uuid4

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langgraph.graph import END
from typing_extensions import TypedDict, override

from langchain_asi_one._follow_up.pending_rule import (
    INTERVAL,
    MAX_POLLS,
    PASSING_ERRORS,
    FollowUpRule,
    read_session_id,
    says_nothing_new,
)
from langchain_asi_one._follow_up.poll_state import (
    add_metadata,
    read_retry_after,
    require_message,
)
from langchain_asi_one._json.printable import describe_error
from langchain_asi_one.follow_up import FollowUpRunnable, make_session_config
from langchain_asi_one.langgraph._contract import NodeContract, declare, make_schema
from langchain_asi_one.langgraph._state import MESSAGES_KEY, read_key, read_messages

FOLLOW_UP_KEY: Final = "follow_up"
_UNSET: Final = object()


class FollowUp(TypedDict):
    """How far the wait for an answer has come, as plain JSON.

    `follow_up_node` writes it.

    Attributes:
        pending: Whether the real answer is still to come, also after the last poll.
        polls: How many polls were made.
        due: When the next poll is due, in seconds since 1970; `None` if none is to follow.
        answer: Which message the rest is about: its id.
        delayed: Seconds by which the API has put polls off, the next one included.
        error: Why the last poll failed; `None` if it did not.

    Example:
        >>> wait = FollowUp(pending=True, polls=0, due=None, answer="a", delayed=2.0, error=None)
        >>> wait["delayed"]
        2.0
    """

    pending: bool
    polls: int
    due: float | None
    answer: str
    delayed: float
    error: str | None


class _FollowUpNode(Runnable[Any, dict[str, Any]]):
    """One step of the wait: judge a new answer, or poll.

    A poll waits until it is due.

    A Runnable, as LangGraph has no other way to give a node a sync and an async half; under
    `ainvoke` a sleeping function would hold a thread that cannot be cancelled.
    """

    def __init__(
        self, model: Runnable[Any, Any], rule: FollowUpRule, messages_key: str, output_key: str
    ) -> None:
        self.name = FOLLOW_UP_KEY
        self.contract = NodeContract(reads=(messages_key,), writes=(output_key,))
        self._model = model
        self._rule = rule
        self._messages_key = messages_key
        self._output_key = output_key

    @property
    def func(self) -> "_FollowUpNode":
        """The object with the contract, which `check_graph` reads."""
        return self

    @override
    def invoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        messages = read_messages(input, self._messages_key, reader="follow_up_node")
        record = self._read_record(input, messages)
        if record is None:
            return self._start_wait(messages)
        time.sleep(self._compute_wait(record))
        history, last_answer = _split_question(messages)
        poll = self._rule.make_poll_messages(history, last_answer)
        try:
            answer = self._model.invoke(poll, _make_config(config, last_answer))
        except PASSING_ERRORS as error:
            return self._record_error(record, error)
        return self._record_poll(record, messages, require_message(answer))

    @override
    async def ainvoke(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        messages = read_messages(input, self._messages_key, reader="follow_up_node")
        record = self._read_record(input, messages)
        if record is None:
            return self._start_wait(messages)
        await asyncio.sleep(self._compute_wait(record))
        history, last_answer = _split_question(messages)
        poll = self._rule.make_poll_messages(history, last_answer)
        try:
            answer = await self._model.ainvoke(poll, _make_config(config, last_answer))
        except PASSING_ERRORS as error:
            return self._record_error(record, error)
        return self._record_poll(record, messages, require_message(answer))

    def _read_record(self, state: Any, messages: list[BaseMessage]) -> FollowUp | None:
        """Return the wait for the last message; `None` without one."""
        key = self._output_key
        held = state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)
        if (
            not isinstance(held, Mapping)
            or held["due"] is None
            or held["answer"] != _make_message_id(messages)
        ):
            return None
        return cast("FollowUp", {"delayed": 0.0, "error": None, **held})

    def _compute_wait(self, record: FollowUp) -> float:
        """Return the rest of the wait, 0 up to the whole.

        Another machine's clock may be ahead.
        """
        longest = self._rule.interval + record["delayed"]
        return min(max((record["due"] or 0) - time.time(), 0), longest)

    def _start_wait(self, messages: list[BaseMessage]) -> dict[str, Any]:
        pending = False
        if messages and isinstance(messages[-1], AIMessage):
            history, answer = _split_question(messages)
            pending = self._rule.finds_pending(answer, history=history, last_answer=None)
        return self._make_update(_make_message_id(messages), pending=pending)

    def _record_poll(
        self, record: FollowUp, messages: list[BaseMessage], answer: AIMessage
    ) -> dict[str, Any]:
        history, last_answer = _split_question(messages)
        pending = self._rule.finds_pending(answer, history=history, last_answer=last_answer)
        polls, delayed = record["polls"] + 1, record["delayed"]
        if pending and says_nothing_new(answer, last_answer):
            return self._make_update(record["answer"], pending=True, polls=polls, delayed=delayed)
        # Without an id the state's reducer would give one, and the wait would seem a new one.
        answer = add_metadata(answer, {"follow_up_polls": polls})
        answer.id = answer.id or str(uuid4())
        identity = _make_message_id([*messages, answer])
        update = self._make_update(identity, pending=pending, polls=polls, delayed=delayed)
        return {self._messages_key: [answer], **update}

    def _record_error(self, record: FollowUp, error: Exception) -> dict[str, Any]:
        polls, delayed = record["polls"] + 1, record["delayed"]
        return self._make_update(record["answer"], polls=polls, delayed=delayed, error=error)

    def _make_update(
        self,
        answer: str,
        *,
        pending: bool = True,
        polls: int = 0,
        delayed: float = 0.0,
        error: Exception | None = None,
    ) -> dict[str, Any]:
        retry_after = read_retry_after(error) if error else None
        wait = self._rule.compute_wait(polls, delayed, retry_after) if pending else None
        record = FollowUp(
            pending=pending,
            polls=polls,
            due=None if wait is None else time.time() + wait,
            answer=answer,
            delayed=delayed + (wait - self._rule.interval if wait else 0),
            error=describe_error(error) if error else None,
        )
        return {self._output_key: record}


def follow_up_node(
    model: Runnable[Any, Any],
    *,
    interval: float = INTERVAL,
    max_polls: int = MAX_POLLS,
    is_pending: Callable[[AIMessage], bool] | None = None,
    message: str = "Any update?",
    messages_key: str = MESSAGES_KEY,
    output_key: str = FOLLOW_UP_KEY,
) -> Runnable[Any, dict[str, Any]]:
    """Make the node that waits for an answer, one poll a step.

    Put it behind the node that asks, and `follow_up_condition` behind it::

        builder.add_node("ask", lambda state: {"messages": [model.invoke(state["messages"])]})
        builder.add_node("follow_up", follow_up_node(model))
        builder.add_edge(START, "ask")
        builder.add_edge("ask", "follow_up")
        builder.add_conditional_edges("follow_up", follow_up_condition)

    Its first step looks at the last message. If that is a placeholder for an answer (the rule
    of `langchain_asi_one.follow_up.with_follow_up`), the node is due again after `interval`
    seconds; each further step waits until then and polls once, in the session of the answer. With
    a checkpointer each step is a checkpoint, so a process that is killed while it waits goes on
    elsewhere with `graph.invoke(None, config)`: for the rest of the interval, and without asking
    the question again. Only a poll that was under way is made again. Use `durability="sync"` to
    have each checkpoint written before the next step begins.

    The answer is appended to the messages, behind the placeholder. Polls are not kept, as in
    ASI:One's documentation. The key `follow_up`, which the state need not declare, holds `pending`,
    `polls`, `due`, `answer`, `delayed` and `error`; `stream_mode="updates"` shows each step. After
    the last poll `pending` stays true. A poll that fails with a rate limit, a timeout, a lost
    connection or a server error is a step too: `error` says why, and the wait goes on as for
    `langchain_asi_one.follow_up.with_follow_up`.
    A run takes up to `max_polls` + 1 steps more: raise `recursion_limit` if you lowered it.

    Args:
        model: A `ChatASIOne`, or a Runnable around one that takes messages and gives its answer.
        interval: Seconds between an answer and the next poll, above 0 and up to 86,400.
        max_polls: Most polls for one question, 1 to 1,000.
        is_pending: Decides instead of the default rule whether an answer is still to come.
        message: What a poll says.
        messages_key: State key of the messages; it needs a reducer that appends.
        output_key: State key to write; it must have no reducer.

    Returns:
        A node named `follow_up`, for `add_node`; sync and async.

    Raises:
        ValueError: If an argument is out of range, or `model` polls by itself.

    Example:
        >>> from langchain_asi_one import ChatASIOne
        >>> node = follow_up_node(ChatASIOne(api_key="any"))
        >>> answer = AIMessage("I've sent the message", id="a", response_metadata={
        ...     "session_id": "ec2bcc4d-37d5-4f43-8c8f-1a0e2a0a2a51"})
        >>> node.invoke({"messages": [answer]})["follow_up"]["pending"]
        True
    """
    rule = FollowUpRule(interval, max_polls, is_pending, message)
    if isinstance(model, FollowUpRunnable):
        msg = "follow_up_node polls by itself; give it the model without with_follow_up."
        raise ValueError(msg)  # noqa: TRY004 - arguments are refused as ValueError everywhere
    if not isinstance(model, Runnable):
        msg = f"follow_up_node takes a model such as ChatASIOne; got {type(model).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - as above

    class FollowUpNode(_FollowUpNode):
        # LangGraph reads the state keys of this annotation, which belongs to the class.
        def __call__(self, state: Any) -> Any:
            return self.invoke(state)

    FollowUpNode.__call__.__annotations__["state"] = make_schema(
        {messages_key: list[AnyMessage], output_key: FollowUp}
    )
    return FollowUpNode(model, rule, messages_key, output_key)


@overload
def follow_up_condition(
    state: Any, *, key: str = ..., node: str = ..., otherwise: str = ...
) -> str: ...


@overload
def follow_up_condition(
    *, key: str = ..., node: str = ..., otherwise: str = ...
) -> Callable[[Any], str]: ...


def follow_up_condition(
    state: Any = _UNSET,
    *,
    key: str = FOLLOW_UP_KEY,
    node: str = FOLLOW_UP_KEY,
    otherwise: str = END,
) -> Any:
    """Choose whether to poll again, behind `follow_up_node`.

    It is a condition for `add_conditional_edges`.

    Bare, it leads to the node `"follow_up"` or to the end; called with names, it gives a condition
    that leads there. Both draw their edges.

    Args:
        state: The state; without it, a configured condition is returned.
        key: State key that `follow_up_node` wrote.
        node: The node that polls, to go to while the answer is pending and polls are left.
        otherwise: Node to go to when the answer has come, or the last poll was made.

    Returns:
        The name of the node.

    Raises:
        ValueError: If the state has no such key.

    Example:
        >>> follow_up_condition({"follow_up": {"pending": True, "due": 1800000000.0}})
        'follow_up'
        >>> follow_up_condition(otherwise="report")({"follow_up": {"due": None}})
        'report'
    """

    def condition(state: Any) -> str:
        remedy = f"Put it behind follow_up_node(output_key={key!r})."
        record = read_key(state, key, reader="follow_up_condition", remedy=remedy)
        return node if record["due"] is not None else otherwise

    if state is not _UNSET:
        return condition(state)
    condition.__name__ = "follow_up_condition"
    contract = NodeContract(reads=(key,), targets=(node, otherwise))
    return declare(condition, {key: FollowUp}, contract)


declare(
    follow_up_condition,
    {FOLLOW_UP_KEY: FollowUp},
    NodeContract(reads=(FOLLOW_UP_KEY,), targets=(FOLLOW_UP_KEY, END)),
)


def _split_question(messages: list[BaseMessage]) -> tuple[list[BaseMessage], AIMessage]:
    """Return the conversation up to the question, and the last answer."""
    end = len(messages)
    while end and isinstance(messages[end - 1], AIMessage):
        end -= 1
    return messages[:end], require_message(messages[-1])


def _make_message_id(messages: list[BaseMessage]) -> str:
    """Return the last message's id, or its place if it has none."""
    return (messages[-1].id if messages else None) or f"#{len(messages)}"


def _make_config(config: RunnableConfig | None, last_answer: AIMessage) -> RunnableConfig:
    return make_session_config(ensure_config(config), read_session_id(last_answer))
