"""Reads a mailbox on from where the last look ended.

Anybody can send mail, so a mailbox may hold any number of letters that are nobody's. Each is read
once. Agentverse lists letters by their place, and does not say whether the oldest or the newest
comes first. Either is read.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from typing import Final, NamedTuple, TypeAlias

from langchain_asi_one.agents._envelope import read_session
from langchain_asi_one.agents._errors import TOO_LARGE, AgentError

_PAGE: Final = 100  # Agentverse's own bound
_MAX_KNOWN: Final = 100_000  # letters
_UUID: Final = re.compile(r"[0-9A-Fa-f-]{32,36}")

Fetch: TypeAlias = Callable[[int, int], Awaitable[list[object]]]
"""Fetches the letters from a place on, up to a number of them."""
Put: TypeAlias = Callable[[object, str], bool]
"""Takes an envelope and its uuid; returns `False` if there is no room for it now."""


class _Page(NamedTuple):
    letters: list[object]
    end: int  # the place behind it
    is_last: bool


class _LookEndedError(Exception):
    """No request is left, or there is no room for a letter."""


class MailReader:
    """What was read of a mailbox.

    Args:
        fetch: Fetches a page. Its error has the code `TOO_LARGE` if the page is too large.
        put: Takes each letter once.
    """

    def __init__(self, fetch: Fetch, put: Put) -> None:
        self._fetch = fetch
        self._put = put
        self._place = 0  # letters before it were read
        self._sessions: OrderedDict[str, str] = OrderedDict()  # of the letters that were read
        # What was read from the front on, if letters behind it may be unread.
        self._front: set[str] | None = None
        self._left = 0  # requests
        self._limit = _PAGE

    async def read(self, requests: int, *, opened: Collection[str] = ()) -> bool:
        """Read what is new.

        Args:
            requests: Most requests.
            opened: Sessions in which a question was opened. What was read of them is read again:
                it may be a reply to that question.

        Returns:
            Whether the end was reached.

        Raises:
            AgentError: If a page cannot be fetched.
        """
        self._left, self._limit = requests, _PAGE
        if opened:
            again = [uuid for uuid, session in self._sessions.items() if session in opened]
            for uuid in again:
                del self._sessions[uuid]
                self._place = 0
        try:
            if self._place > 1 and await self._has_news_first():
                place, front = self._place, self._front
                await self._walk(0, until_known=True)
                self._place = place
                self._front = None if front is None else front | (self._front or set())
            await self._walk(max(self._place - 1, 0))
            self._front = None
        except _LookEndedError:
            return False
        return True

    def skip(self, uuids: Collection[str]) -> None:
        """Read letters never again: they are to be deleted."""
        for uuid in uuids:
            self._sessions[uuid] = ""

    def move_up(self) -> None:
        """Take note that a letter was deleted: those behind it moved up."""
        self._place = max(self._place - 1, 0)

    async def _has_news_first(self) -> bool:
        self._limit = 1
        page = await self._read_page(0)
        self._limit = _PAGE
        return not any(map(self._was_read, page.letters))

    async def _walk(self, place: int, *, until_known: bool = False) -> None:
        """Read on from a place, to the end or a known letter.

        Each page begins with a letter that was read, from the front on if what stands before may be
        new. If it does not, others have deleted letters meanwhile: those behind them moved up. That
        is not seen at a page of one letter, where no more would fit.
        """
        step, before = 1, None
        of_this_walk: set[str] = set()
        overlap = int(place > 0)
        while True:
            self._place = place + overlap
            if place == 0:
                self._front = set()
            page = await self._read_page(place)
            if overlap and not self._follows(page):
                place, step = max(place - step, 0), step * 2
                overlap = int(place > 0)
                continue
            step = 1
            uuids = {uuid for uuid in map(_read_uuid, page.letters) if uuid}
            is_known = not (uuids - of_this_walk).isdisjoint(self._sessions)
            of_this_walk |= uuids
            self._take(page.letters)
            if self._front is not None:
                self._front |= uuids
            is_same = bool(page.letters) and page.letters == before
            is_end = page.is_last or (is_known and until_known)
            if is_end or (is_same and await self._ignores_places(page.end)):
                self._place = page.end
                return
            before = page.letters
            overlap = int(len(page.letters) > 1)
            place = page.end - overlap

    async def _ignores_places(self, place: int) -> bool:
        """Whether the server has letters for any place: it knows no pages."""
        self._limit = 1
        page = await self._read_page(place + _MAX_KNOWN)
        self._limit = _PAGE
        return bool(page.letters)

    def _follows(self, page: _Page) -> bool:
        """Whether nothing unread stands before a page."""
        if not page.letters:
            return not page.is_last
        first = page.letters[0]
        return self._was_read(first) and (self._front is None or _read_uuid(first) in self._front)

    async def _read_page(self, place: int) -> _Page:
        while self._left:
            self._left -= 1
            limit = self._limit
            try:
                letters = await self._fetch(place, limit)
            except AgentError as error:
                if error.code != TOO_LARGE:
                    raise
                if limit == 1:  # a letter that alone is too large is stepped over
                    return _Page([], place + 1, is_last=False)
                self._limit = (limit + 1) // 2
                continue
            self._limit = min(limit * 2, _PAGE)
            return _Page(letters, place + len(letters), len(letters) < limit)
        raise _LookEndedError

    def _was_read(self, letter: object) -> bool:
        return _read_uuid(letter) in self._sessions

    def _take(self, letters: list[object]) -> None:
        for letter in letters:
            uuid = _read_uuid(letter)
            if uuid is None or uuid in self._sessions or not isinstance(letter, dict):
                continue
            envelope = letter.get("envelope")
            if not self._put(envelope, uuid):
                raise _LookEndedError
            self._sessions[uuid] = read_session(envelope) or ""
            if len(self._sessions) > _MAX_KNOWN:
                forgotten, _ = self._sessions.popitem(last=False)
                (self._front or set()).discard(forgotten)


def _read_uuid(letter: object) -> str | None:
    uuid = letter.get("uuid") if isinstance(letter, dict) else None
    return uuid if isinstance(uuid, str) and _UUID.fullmatch(uuid) else None
