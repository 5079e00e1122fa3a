"""`AgentChat`: one identity that asks agents, for sync and async callers."""

from __future__ import annotations

import asyncio
import atexit
import weakref
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import wait
from typing import Any, Final, NamedTuple, NoReturn, Self
from urllib.parse import urlsplit

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable
from langgraph.graph.state import CompiledStateGraph
from pydantic import SecretStr

from langchain_asi_one.agents._almanac import (
    AGENTVERSE,
    check_agent,
    check_agentverse,
    check_seconds,
    is_local,
)
from langchain_asi_one.agents._content import read_messages, write_content
from langchain_asi_one.agents._conversations import Conversations, Settings
from langchain_asi_one.agents._durable import make_durable_worker
from langchain_asi_one.agents._endpoint import ASGIMessage, Receive, Send, serve
from langchain_asi_one.agents._endpoints import EndpointRule
from langchain_asi_one.agents._envelope import make_session
from langchain_asi_one.agents._identity import read_api_key, read_identity
from langchain_asi_one.agents._loop import arun, find_loop, run, submit
from langchain_asi_one.agents._runnable import AgentRunnable
from langchain_asi_one.agents._workers import make_worker
from langchain_asi_one.langgraph._routable_agents import Allow
from langchain_asi_one.langgraph._state import AgentTask

_SETTLE_SECONDS: Final = 3.0  # for what is owed when the process ends
_LONGEST_NAME: Final = 32  # characters; Agentverse's own bound
_CHATS: Final[weakref.WeakSet[AgentChat]] = weakref.WeakSet()
_OF_PARENTS: Final[list[Conversations]] = []  # kept: dropped, they would close what the parent uses


class _Held(NamedTuple):
    """The conversations of one process."""

    loop: asyncio.AbstractEventLoop
    conversations: Conversations
    finalizer: weakref.finalize[..., AgentChat]


class AgentChat:
    """Asks agents of Agentverse, and gets their own signed answers.

    A question goes to the agent as a signed message of the Agent Chat Protocol. The answer comes
    into an inbox of this identity: a mailbox on Agentverse, which is polled while a question is
    open, or an endpoint of your own. A reply counts only if the agent that was asked has signed it,
    for this identity, in the session of the question, and it has not expired. All else is ignored.

    One object serves sync and async callers, any number of threads and event loops, and forked
    children. It cannot be pickled, for it holds a key: make it where it is used.

    Args:
        seed: A random text from which the keys and the address are made. By default that of the
            variable `AGENT_URI`, or `AGENTVERSE_AGENT_SEED`. Use one that nothing else uses.
        api_key: Key of an Agentverse account. It is needed once, to register the mailbox. By
            default that of `AGENTVERSE_API_KEY`.
        inbox: `"mailbox"`, or the public https address under which you serve `app`.
        agentverse: Address of Agentverse. With one on this machine, agents on this machine can be
            asked.
        poll_interval: Seconds between two looks into the mailbox, above 0.
        quiet: Seconds of silence after which an answer is complete if the agent does not end the
            session, above 0.
        name: Name to register under, up to 32 characters.

    Raises:
        ValueError: If there is no seed, or an argument is wrong.

    Example:
        >>> from langchain_asi_one.testing import local_agentverse
        >>> with local_agentverse() as local:
        ...     account = {"agentverse": local.url, "api_key": local.api_key}
        ...     chat = AgentChat(seed="a text that nobody else has", **account)
        ...     answer = chat.ask(local.agent("echo"), "Is it raining?")
        ...     chat.close()
        >>> answer.text, answer.response_metadata["ended"]
        ('echo: Is it raining?', 'end-session')
    """

    def __init__(
        self,
        *,
        seed: SecretStr | str | None = None,
        api_key: SecretStr | str | None = None,
        inbox: str = "mailbox",
        agentverse: str = AGENTVERSE,
        poll_interval: float = 1.0,
        quiet: float = 2.0,
        name: str | None = None,
    ) -> None:
        base_url = check_agentverse(agentverse)
        self._identity, known_name = read_identity(seed, base_url)
        self._settings = Settings(
            agentverse=base_url,
            inbox=_check_inbox(inbox, base_url),
            api_key=read_api_key(api_key),
            name=_check_name(name or known_name or "LangChain"),
            poll_interval=check_seconds("poll_interval", poll_interval),
            quiet=check_seconds("quiet", quiet),
        )
        self._spent: OrderedDict[str, None] = OrderedDict()
        self._held: _Held | None = None
        _CHATS.add(self)

    @property
    def address(self) -> str:
        """The address of this identity, to which agents answer."""
        return str(self._identity.address)

    def ask(
        self,
        agent: str,
        message: LanguageModelInput | BaseMessage,
        *,
        session_id: str | None = None,
        timeout: float = 60.0,
    ) -> AIMessage:
        """Ask an agent and wait for its whole answer.

        The message is sent once. It is not sent again if the connection breaks, for the agent may
        have it. Several messages become one, with their roles if not all are the user's.

        Args:
            agent: Address of the agent, or its handle with `@`. A handle is what Agentverse says
                that it is.
            message: A text, a message, or a list of messages. Images and files are standard content
                blocks with `url` or `base64`.
            session_id: A conversation with the agent, which it may remember; any text. By default
                each question has a session of its own. A session takes one question at a time, and
                none after one that was not answered.
            timeout: Seconds for all of it, above 0 and up to 86,400.

        Returns:
            The agent's answer. What it says is untrusted, and no address in it is fetched. The
            content is text, or a list of standard content blocks. `response_metadata` has `agent`,
            `session_id`, `acknowledged`, and `ended`: `"end-session"` if the agent closed the
            session, `"quiet"` if it said no more, `"timeout"` if the time was over before that,
            `"flood"` if 1,000 letters in the session were no replies of the agent.
            `inbox` is `"mailbox"` or `"endpoint"`. Metadata of the agent, such as cards, are in
            `metadata`.

        Raises:
            ValueError: If an argument is wrong, or the session is taken.
            AgentUnreachableError: If the agent cannot be found or reached.
            AgentRefusedError: If it answered with an error.
            AgentPaymentRequiredError: If it asks for a payment first.
            AgentTimeoutError: If it gave no answer in time.
            AgentError: If the inbox or Agentverse cannot be used, or the chat is closed meanwhile.

        Source:
            AgentChatProtocol 0.3.0, in Fetch.ai's package uagents-core.
        """
        return run(self.ask_on_loop(agent, message, session_id=session_id, timeout=timeout))

    async def aask(
        self,
        agent: str,
        message: LanguageModelInput | BaseMessage,
        *,
        session_id: str | None = None,
        timeout: float = 60.0,
    ) -> AIMessage:
        """Async version of `ask`.

        If it is cancelled, the wait ends. The agent is not told.
        """
        return await arun(self.ask_on_loop(agent, message, session_id=session_id, timeout=timeout))

    async def ask_on_loop(
        self,
        agent: str,
        message: LanguageModelInput | BaseMessage,
        *,
        session_id: str | None = None,
        timeout: float = 60.0,
    ) -> AIMessage:
        """Ask as `aask` does; for the loop of questions."""
        identifier = check_agent(agent)
        content = write_content(read_messages(message))
        session = None if session_id is None else make_session(_check_session(session_id))
        seconds = check_seconds("timeout", timeout)
        conversations = await self.find_conversations()
        return await conversations.ask(identifier, content, session=session, seconds=seconds)

    def register(self, *, description: str = "", timeout: float = 30.0) -> None:
        """Register this identity on Agentverse, with a mailbox.

        `ask` does it if it must.

        Args:
            description: What people are to know of it, up to 300 characters.
            timeout: Seconds for each request.

        Raises:
            ValueError: If the inbox is no mailbox, or an argument is out of range.
            AgentError: If there is no API key, or Agentverse refuses.

        Source:
            Agentverse's API reference: `GET /v2/identity/{address}/challenge`, `POST /v2/identity`,
            `POST /v2/agents`.
        """
        run(self._register(description, timeout))

    async def aregister(self, *, description: str = "", timeout: float = 30.0) -> None:
        """Async version of `register`."""
        await arun(self._register(description, timeout))

    async def _register(self, description: str, timeout: float) -> None:
        if self._settings.inbox != "mailbox":
            msg = "only a mailbox is registered: an endpoint is put into the Almanac by `ask`"
            raise ValueError(msg)
        if len(description) > 300:
            msg = f"description must have at most 300 characters; got {len(description)}"
            raise ValueError(msg)
        conversations = await self.find_conversations()
        await conversations.mailbox.register(
            seconds=check_seconds("timeout", timeout), profile={"description": description}
        )

    @property
    def app(self) -> Callable[[ASGIMessage, Receive, Send], Awaitable[None]]:
        """An ASGI application that takes replies, to be served at `inbox`.

        Raises:
            ValueError: If the inbox is a mailbox.
        """
        if self._settings.inbox == "mailbox":
            msg = "the inbox is a mailbox: give the public address as inbox= to serve it yourself"
            raise ValueError(msg)

        async def app(scope: ASGIMessage, receive: Receive, send: Send) -> None:
            conversations = await arun(self.find_conversations())
            loop = find_loop()

            def put(envelope: object) -> None:
                loop.call_soon_threadsafe(conversations.inbox.put, envelope)

            await serve(scope, receive, send, put)

        return app

    def agent(self, agent: str, **defaults: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Return one agent as a Runnable, for chains.

        `as_tool` makes it a tool. The tool's content says that it is data of a third party. Its
        artifact is the message.

        Args:
            agent: Address of the agent, or its handle with `@`.
            **defaults: `session_id` and `timeout` of each question; see `ask`. A run may give
                others.

        Returns:
            The Runnable. It takes what a chat model takes.

        Raises:
            ValueError: If `agent` is neither an address nor a handle, or a default is wrong.

        Example:
            >>> chat = AgentChat(seed="a text that nobody else has")
            >>> tool = chat.agent("@weather", timeout=30).as_tool(name="ask_weather")
            >>> list(tool.args)
            ['question']
        """
        if unknown := sorted({*defaults} - {"session_id", "timeout"}):
            msg = f"agent() takes session_id and timeout, not {', '.join(unknown)}"
            raise TypeError(msg)
        if "timeout" in defaults:
            check_seconds("timeout", defaults["timeout"])
        if defaults.get("session_id") is not None:
            _check_session(defaults["session_id"])
        return AgentRunnable(self, check_agent(agent), defaults)

    def worker(
        self, *, allow: Allow | None = None, timeout: float = 60.0
    ) -> Runnable[AgentTask, AIMessage]:
        """Return a worker for `create_asi_one_graph` and `agent_worker`.

        It sends the user's question to the agent that was named, and nothing else of the entry. An
        agent that was named by its handle only is looked up, and asked if `allow` has its address.

        Args:
            allow: Agents that may be asked, as in `allow_agents`, beside the rule of the graph.
            timeout: Seconds for one agent, above 0 and up to 86,400.

        Returns:
            A Runnable of an `AgentTask`, sync and async.

        Raises:
            TypeError: If `allow` is of a wrong kind.
            ValueError: If an argument is out of range.

        Example:
            >>> from langchain_asi_one.langgraph import agent_worker
            >>> chat = AgentChat(seed="a text that nobody else has")
            >>> agent_worker(chat.worker(timeout=30), allow={"@weather"}).get_name()
            'ask_agent'
        """
        return make_worker(self, allow=allow, timeout=check_seconds("timeout", timeout))

    def durable_worker(
        self, *, allow: Allow | None = None, timeout: float = 600.0
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """Return a worker whose wait outlives the process.

        It is for graphs with a checkpointer, and is a graph of three steps: `send`, `collect` and
        `clear`. If the process is killed, another one goes on at the last checkpoint. A question
        that was sent and not checkpointed is sent again only if the mailbox holds no reply to it.
        Then it is the same message in the same session. Replies are deleted from the mailbox when
        the whole answer is in a checkpoint. Run the graph with `durability="sync"`, so that each
        checkpoint is stored before the next step.

        Args:
            allow: See `worker`.
            timeout: Seconds for one agent, above 0 and up to 86,400, also while no process runs.

        Returns:
            A compiled graph, for `create_asi_one_graph`, `agent_worker`, or as a node that a `Send`
            with an `AgentTask` leads to. It gives the answer as `messages`.

        Raises:
            TypeError: If `allow` is of a wrong kind.
            ValueError: If an argument is out of range, or the inbox is no mailbox: an endpoint
                loses what comes while no process runs.

        Example:
            >>> chat = AgentChat(seed="a text that nobody else has")
            >>> [name for name in chat.durable_worker().nodes if not name.startswith("__")]
            ['send', 'collect', 'clear']
        """
        if self._settings.inbox != "mailbox":
            msg = (
                "a durable worker needs inbox='mailbox': an endpoint loses what comes while no "
                "process runs"
            )
            raise ValueError(msg)
        return make_durable_worker(self, allow=allow, timeout=check_seconds("timeout", timeout))

    def close(self) -> None:
        """Close the connections; the next question opens new ones.

        A question that is open ends with an `AgentError`. Letters that were read are deleted first,
        so close a chat before its local Agentverse. `with AgentChat() as chat:` closes at the end.
        """
        held, self._held = self._held, None
        if held is not None and held.loop is find_loop():
            run(held.conversations.close())
            held.finalizer.detach()

    def __enter__(self) -> Self:
        """Return the chat."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()

    async def find_conversations(self) -> Conversations:
        """Return this process's conversations, on the loop of questions."""
        loop = asyncio.get_running_loop()
        if self._held is not None and self._held.loop is loop:
            return self._held.conversations
        if self._held is not None:
            _OF_PARENTS.append(self._held.conversations)
        conversations = Conversations(self._identity, self._settings, self._spent)
        finalizer = weakref.finalize(self, _close_later, loop, conversations)
        finalizer.atexit = False
        self._held = _Held(loop, conversations, finalizer)
        return conversations

    def __repr__(self) -> str:
        inbox, agentverse = self._settings.inbox, self._settings.agentverse
        return f"AgentChat(address={self.address!r}, inbox={inbox!r}, agentverse={agentverse!r})"

    def __reduce__(self) -> NoReturn:
        msg = "an AgentChat holds a key and is not pickled: make it where it is used"
        raise TypeError(msg)


def _close_later(loop: asyncio.AbstractEventLoop, conversations: Conversations) -> None:
    """Close the connections of an object that is gone."""
    if loop is find_loop():
        asyncio.run_coroutine_threadsafe(conversations.close(), loop)


@atexit.register
def _settle() -> None:
    """Let acknowledgements and deletions end before the process does."""
    held = [chat._held for chat in [*_CHATS]]  # noqa: SLF001 - of this module
    own = [one.conversations for one in held if one is not None and one.loop is find_loop()]
    wait([submit(conversations.settle()) for conversations in own], _SETTLE_SECONDS)


def _check_inbox(inbox: str, agentverse: str) -> str:
    if inbox == "mailbox":
        return inbox
    problem = EndpointRule(allow_loopback=is_local(agentverse)).find_problem(inbox)
    if problem is None and not urlsplit(inbox).fragment:
        return inbox
    msg = (
        f"inbox must be 'mailbox' or the public https address of an endpoint of yours; got "
        f"{_hide_credentials(inbox)!r}"
    )
    raise ValueError(msg)


def _hide_credentials(url: str) -> str:
    return url if "@" not in url else "an address with credentials"


def _check_name(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME:
        msg = f"name must have 1 to {_LONGEST_NAME} characters; got {name!r}"
        raise ValueError(msg)
    return name


def _check_session(session_id: object) -> str:
    if isinstance(session_id, str) and session_id.strip() and len(session_id) <= 1_000:
        return session_id
    msg = f"session_id must be a text of 1 to 1,000 characters; got {session_id!r:.100}"
    raise ValueError(msg)
