"""Send questions as one identity, and collect the answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
from langchain_core.messages import AIMessage
from pydantic import SecretStr
from uagents_core.identity import Identity

from langchain_asi_one._json.printable import make_one_line
from langchain_asi_one.agents._almanac import Almanac, describe_problem, is_local
from langchain_asi_one.agents._dialogue import Dialogue, Ended
from langchain_asi_one.agents._endpoint import Endpoint
from langchain_asi_one.agents._endpoints import (
    MAX_ENDPOINTS,
    EndpointRule,
    TooLargeError,
    build_client,
    build_endpoint_client,
    exchange,
)
from langchain_asi_one.agents._envelope import (
    Asked,
    DoesNotCountError,
    Kind,
    Message,
    build_acknowledgement,
    build_question,
    open_reply,
    read_envelope,
    seal,
)
from langchain_asi_one.agents._errors import (
    AgentError,
    AgentErrorInfo,
    AgentPaymentRequiredError,
    AgentRefusedError,
    AgentTimeoutError,
    AgentUnreachableError,
)
from langchain_asi_one.agents._inbox import Inbox, Letter, Question, Source
from langchain_asi_one.agents._mailbox import WHOLE, Mailbox

logger = logging.getLogger(__name__)

_STEP_SECONDS: Final = 30.0  # for one request to an endpoint
_OWED_SECONDS: Final = 30.0  # for an acknowledgement
_MAX_IGNORED: Final = 1_000  # envelopes in one session that are no replies: a flood
_MAX_SPENT: Final = 10_000  # sessions
_MAX_WORDS: Final = 1_000  # characters of an agent in an error
# A delivery with one of these did not reach the agent: another endpoint may be tried.
_NOT_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_NOT_TAKEN: Final = frozenset({429, 503})


@dataclass(frozen=True)
class Settings:
    """How an identity asks.

    Attributes:
        agentverse: Address of Agentverse.
        inbox: `"mailbox"`, or the public address of an endpoint of our own.
        api_key: Key of an Agentverse account, to register a mailbox with.
        name: Name to register it under.
        poll_interval: Seconds between two polls.
        quiet: Seconds of silence that end an answer.
    """

    agentverse: str
    inbox: str
    api_key: SecretStr | None
    name: str
    poll_interval: float
    quiet: float


class Conversations:
    """The questions of one identity, on the loop of questions."""

    def __init__(
        self, identity: Identity, settings: Settings, spent: OrderedDict[str, None]
    ) -> None:
        self.identity = identity
        self._spent = spent  # sessions that no further question may be asked in
        self.inbox = Inbox()
        self._settings = settings
        is_here = is_local(settings.agentverse)
        self._rule = EndpointRule(allow_loopback=is_here)
        self._client = build_client(is_local=is_here)
        self._endpoint_client = build_endpoint_client(self._rule)
        self.almanac = Almanac(self._client, settings.agentverse)
        self.mailbox = Mailbox(
            identity,
            self.inbox,
            self._client,
            settings.agentverse,
            api_key=settings.api_key,
            name=settings.name,
            interval=settings.poll_interval,
        )
        self._source: Source = self.mailbox
        if settings.inbox != "mailbox":
            self._source = Endpoint(identity, self.almanac, settings.inbox)
        self._owed: set[asyncio.Task[None]] = set()

    async def ask(
        self, agent: str, content: list[dict[str, Any]], *, session: UUID | None, seconds: float
    ) -> AIMessage:
        """Ask an agent and wait for its answer.

        Args:
            agent: Its address, or its handle with `@`.
            content: Content of the chat message.
            session: Session to ask in, a new one by default.
            seconds: Seconds for all of it.
        """
        end = time.monotonic() + seconds
        own = session or uuid4()
        self._check_unspent(own)
        with self.inbox.open_question(own, agent) as question:
            is_whole = False  # whether nothing more may come
            try:
                question.agent = (await self.almanac.find(agent, seconds=seconds))["address"]
                until = time.time() + end - time.monotonic()
                asked = Asked(question.agent, own, uuid4(), until)
                await self._send(question, asked, content)
                dialogue, ended = await self._listen(question, asked)
                answer = self._conclude(dialogue, ended, question, asked)
                is_whole = ended in ("end-session", "quiet")
            except (AgentRefusedError, AgentPaymentRequiredError):
                is_whole = True
                raise
            finally:
                if question.is_sent and not is_whole and session is not None:
                    self._spend(session)
                if question.uuids:
                    self._start(self._source.delete([*question.uuids]))
        await asyncio.sleep(0)  # what is owed begins before a process that ends now
        return answer

    async def send(self, asked: Asked, content: list[dict[str, Any]]) -> None:
        """Send a question to the first endpoint that takes it.

        Raises:
            AgentError: If no answer could reach us.
            AgentUnreachableError: If none has taken it, or one may have.
        """
        with self.inbox.open_question(asked.session, asked.agent) as question:
            await self._send(question, asked, content)

    async def _send(self, question: Question, asked: Asked, content: list[dict[str, Any]]) -> None:
        await self._source.prepare(seconds=_compute_left(asked))
        record = await self.almanac.find(asked.agent, seconds=_compute_left(asked))
        body = build_question(content, asked.msg_id, time.time())
        letter = self._seal(asked, Kind.CHAT, body, asked.until)
        question.is_sent = True
        try:
            await self._deliver(asked.agent, record["endpoints"], letter, _compute_left(asked))
        except AgentUnreachableError as error:
            question.is_sent = error.info.may_have_acted
            raise

    async def collect(self, asked: Asked) -> tuple[AIMessage | AgentError, list[str]]:
        """Wait for the answer to a question that was sent.

        Another process may have sent it.

        Returns:
            The answer, or the error that it is; and what is to be deleted from the mailbox once
            that is safe.

        Raises:
            AgentError: If the mailbox cannot be read.
        """
        with self.inbox.open_question(asked.session, asked.agent) as question:
            question.is_sent = True
            # The time may have ended while no process ran: what came before is read all the same.
            await self.mailbox.poll(WHOLE)
            if asked.until < time.time() and (problem := self.mailbox.describe_problem()):
                msg = f"the mailbox cannot be read now ({problem}): resume the run later"
                raise AgentError(msg, AgentErrorInfo(agent=asked.agent, may_have_acted=True))
            dialogue, ended = await self._listen(question, asked)
            try:
                return self._conclude(dialogue, ended, question, asked), [*question.uuids]
            except AgentError as error:
                return error, [*question.uuids]

    async def has_replies(self, asked: Asked) -> bool:
        """Return whether the mailbox holds replies to a question."""
        await self._source.prepare(seconds=_compute_left(asked))
        with self.inbox.open_question(asked.session, asked.agent) as question:
            await self.mailbox.poll(WHOLE)
            while not question.letters.empty():
                letter = question.letters.get_nowait()
                if isinstance(letter, Letter) and self._open(letter, question, asked):
                    return True
        return False

    async def list_letters(self) -> list[Letter]:
        """Read all that lies in the mailbox, and leave it there.

        Raises:
            AgentError: If there is no mailbox, or it cannot be read.
        """
        await self.mailbox.prepare(seconds=_STEP_SECONDS)
        return await self.mailbox.list_letters()

    async def clear(self, uuids: list[str]) -> None:
        """Delete letters from the mailbox."""
        await self._source.delete(uuids)

    async def settle(self) -> None:
        """Wait until acknowledgements and deletions are done."""
        if self._owed:
            await asyncio.wait(self._owed)

    async def close(self) -> None:
        """End all open questions, and close all connections."""
        await self.inbox.close()
        await self.settle()
        self.mailbox.stop()
        await self._client.aclose()
        await self._endpoint_client.aclose()

    def _check_unspent(self, session: UUID) -> None:
        if str(session) in self._spent:
            msg = (
                f"a question in the session {session} got no whole answer, and what comes late "
                "would be taken for the answer to this one: use another session_id, or none"
            )
            raise ValueError(msg)

    def _spend(self, session: UUID) -> None:
        self._spent[str(session)] = None
        if len(self._spent) > _MAX_SPENT:
            self._spent.popitem(last=False)

    async def _listen(self, question: Question, asked: Asked) -> tuple[Dialogue, Ended]:
        """Take what comes until the answer ends; say how it ended."""
        self._source.watch()
        dialogue = Dialogue(str(asked.msg_id), self._settings.quiet)
        while question.ignored < _MAX_IGNORED:
            now = time.monotonic()
            complete_at, end = dialogue.complete_at(), now + asked.until - time.time()
            # What has arrived is read first: an answer's parts may come in one poll.
            if question.letters.empty() and complete_at is not None and complete_at <= now:
                return dialogue, "end-session" if dialogue.ended else "quiet"
            limit = end if complete_at is None else min(end, complete_at)
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + limit - now):
                    letter = await question.letters.get()
            except TimeoutError:
                if limit < end:
                    continue
                return dialogue, "timeout"
            if isinstance(letter, AgentError):
                raise _copy_for_question(letter, asked)
            message = self._open(letter, question, asked)
            msg_id = dialogue.take(message, time.monotonic()) if message else None
            if msg_id is not None:
                body = build_acknowledgement(msg_id, time.time())
                self._start(self._acknowledge(asked, body))
        return dialogue, "flood"

    def _open(self, letter: Letter, question: Question, asked: Asked) -> Message | None:
        """Read a letter, if it is a reply to the question."""
        try:
            return open_reply(
                read_envelope(letter.envelope),
                me=self.identity.address,
                agent=asked.agent,
                session=asked.session,
                now=time.time(),
            )
        except DoesNotCountError as reason:
            question.ignored += 1
            logger.debug("Ignored an envelope in the session %s: %s.", asked.session, reason)
            return None

    async def _acknowledge(self, asked: Asked, body: dict[str, Any]) -> None:
        try:
            record = await self.almanac.find(asked.agent, seconds=_OWED_SECONDS)
            expires = time.time() + _OWED_SECONDS
            letter = self._seal(asked, Kind.ACKNOWLEDGEMENT, body, expires)
            await self._deliver(asked.agent, record["endpoints"], letter, _OWED_SECONDS)
        except AgentError as error:
            logger.debug("An acknowledgement was not delivered: %s", error)

    def _conclude(
        self, dialogue: Dialogue, ended: Ended, question: Question, asked: Asked
    ) -> AIMessage:
        if dialogue.is_failed:
            raise _make_refusal(dialogue, asked)
        if ended == "timeout" and not dialogue.has_content:
            raise self._make_timeout(dialogue, question, asked)
        if ended == "flood" and not dialogue.has_content:
            raise _make_flood(dialogue, question, asked)
        answer = dialogue.build_answer(
            agent=asked.agent, session_id=str(asked.session), ended=ended
        )
        is_mailbox = self._settings.inbox == "mailbox"
        answer.response_metadata["inbox"] = "mailbox" if is_mailbox else "endpoint"
        return answer

    def _make_timeout(
        self, dialogue: Dialogue, question: Question, asked: Asked
    ) -> AgentTimeoutError:
        did = (
            "acknowledged the question, and" if dialogue.acknowledged else "took the question, but"
        )
        advice = "give it a longer timeout" if dialogue.acknowledged else "see whether it runs"
        notes = [self._source.describe_problem()]
        if question.ignored:
            notes.append(f"{question.ignored} envelopes in the session were no replies of it")
        noted = "".join(f" ({note})" for note in notes if note)
        msg = f"the agent {asked.agent} {did} gave no answer in time{noted}; {advice}"
        return AgentTimeoutError(
            msg,
            AgentErrorInfo(
                agent=asked.agent,
                session_id=str(asked.session),
                acknowledged=dialogue.acknowledged,
                may_have_acted=True,
            ),
        )

    def _seal(self, asked: Asked, kind: Kind, body: dict[str, Any], expires: float) -> bytes:
        return seal(self.identity, asked.agent, kind, body, session=asked.session, expires=expires)

    async def _deliver(
        self, agent: str, endpoints: list[str], letter: bytes, seconds: float
    ) -> None:
        end = time.monotonic() + seconds
        problems: list[str] = []
        for url in endpoints[:MAX_ENDPOINTS]:
            left = min(end - time.monotonic(), _STEP_SECONDS)
            if left <= 0:
                problems.append("there was no time left")
                break
            problem, may_have_arrived = await self._post(url, letter, left)
            if problem is None:
                return
            problems.append(problem)
            if may_have_arrived:
                msg = (
                    f"the agent {agent} may or may not have the question: {problem}; it was not "
                    "sent again. Ask again only if it does no harm to ask twice"
                )
                raise AgentUnreachableError(msg, AgentErrorInfo(agent=agent, may_have_acted=True))
        msg = (
            f"no endpoint of the agent {agent} took the message: {'; '.join(problems)}. See on its "
            "page on Agentverse whether it runs"
        )
        raise AgentUnreachableError(msg, AgentErrorInfo(agent=agent))

    async def _post(self, url: str, letter: bytes, seconds: float) -> tuple[str | None, bool]:
        """Post an envelope.

        Return what went wrong, and whether it may have arrived.
        """
        if problem := self._rule.find_problem(url):
            shown = "an address" if "@" in url else make_one_line(url)[:100]
            return f"{shown} is no endpoint that may be used ({problem})", False
        parts = urlsplit(url)
        # Agentverse's own endpoints are asked as Agentverse is, perhaps by a proxy.
        is_agentverse = f"{parts.scheme}://{parts.netloc}" == self._settings.agentverse
        client = self._client if is_agentverse else self._endpoint_client
        headers = {"content-type": "application/json"}
        place = parts.hostname
        try:
            response = await exchange(
                client, "POST", url, seconds=seconds, content=letter, headers=headers
            )
        except _NOT_SENT as error:
            return f"{place} cannot be reached ({describe_problem(error)})", False
        except TooLargeError:
            return f"{place} answered without end", True
        except (httpx.HTTPError, TimeoutError) as error:
            return f"the connection to {place} broke ({describe_problem(error)})", True
        if 200 <= response.status < 300:
            return None, True
        may_have_arrived = response.status >= 500 and response.status not in _NOT_TAKEN
        hint = "; redirects are not followed" if 300 <= response.status < 400 else ""
        return f"{place} answered {response.describe()}{hint}", may_have_arrived

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)


def _compute_left(asked: Asked) -> float:
    return max(asked.until - time.time(), 0.001)


def _copy_for_question(error: AgentError, asked: Asked) -> AgentError:
    """Make an error that ended all questions that of one of them."""
    about = replace(
        error.info, agent=asked.agent, session_id=str(asked.session), may_have_acted=True
    )
    return type(error)(error.message, about)


def _make_refusal(dialogue: Dialogue, asked: Asked) -> AgentError:
    about = AgentErrorInfo(
        agent=asked.agent,
        session_id=str(asked.session),
        acknowledged=dialogue.acknowledged,
        api_message=dialogue.refusal or "",
        payment_request=dialogue.payment_request,
        may_have_acted=True,
        partial_text=dialogue.read_text(),
    )
    if dialogue.payment_request is not None:
        price = _describe_funds(dialogue.payment_request)
        msg = (
            f"the agent {asked.agent} asks for a payment first{price}; nothing was paid: "
            "payment_request has the details"
        )
        return AgentPaymentRequiredError(msg, about)
    if dialogue.refusal is not None:
        words = make_one_line(dialogue.refusal)[:_MAX_WORDS]
        return AgentRefusedError(f"the agent {asked.agent} answered with an error: {words}", about)
    msg = (
        f"the answer of the agent {asked.agent} is longer than is read: partial_text has its "
        "beginning"
    )
    return AgentError(msg, about)


def _make_flood(dialogue: Dialogue, question: Question, asked: Asked) -> AgentError:
    msg = (
        f"{question.ignored:,} envelopes in the session of the question to the agent "
        f"{asked.agent} were no replies of it, so no more were read: ask again in another session"
    )
    about = AgentErrorInfo(
        agent=asked.agent,
        session_id=str(asked.session),
        acknowledged=dialogue.acknowledged,
        may_have_acted=True,
    )
    return AgentError(msg, about)


def _describe_funds(request: dict[str, Any]) -> str:
    funds = request.get("accepted_funds")
    found = [one for one in funds if isinstance(one, dict)] if isinstance(funds, list) else []
    prices = [f"{one.get('amount')} {one.get('currency')}" for one in found[:5]]
    return f": {make_one_line(' or '.join(prices))[:200]}" if prices else ""
