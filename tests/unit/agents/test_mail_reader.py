"""A mailbox that is read on, whoever writes into it and deletes from it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from langchain_asi_one.agents._errors import TOO_LARGE, AgentError, AgentErrorInfo
from langchain_asi_one.agents._mail_reader import MailReader

LOOK = 20


class Box:
    """A mailbox as Agentverse lists it, and what was read of it."""

    def __init__(self, *, newest_first: bool = False, most_bytes: int = 10**9) -> None:
        self.letters: list[dict[str, Any]] = []
        self.newest_first = newest_first
        self.most_bytes = most_bytes
        self.knows_pages = True
        self.room = 10**9
        self.fetched: list[tuple[int, int]] = []
        self.read: list[str] = []
        self.reader = MailReader(self.fetch, self.put)
        self.written = 0
        self.meanwhile: list[Callable[[], object]] = []  # after the next answers

    def write(self, number: int, *, size: int = 1, session: str = "") -> list[str]:
        uuids = [str(UUID(int=self.written + one)) for one in range(number)]
        self.written += number
        for uuid in uuids:
            envelope = {"session": session or uuid}
            self.letters.append({"uuid": uuid, "envelope": envelope, "size": size})
        return uuids

    async def fetch(self, place: int, limit: int) -> list[object]:
        self.fetched.append((place, limit))
        start, end = (place, place + limit) if self.knows_pages else (0, 100)
        page = self.letters[start:end]
        if self.newest_first:
            number = len(self.letters)
            page = self.letters[max(number - end, 0) : max(number - start, 0)][::-1]
        if sum(letter["size"] for letter in page) > self.most_bytes:
            raise AgentError("too large", AgentErrorInfo(code=TOO_LARGE))
        if self.meanwhile:
            self.meanwhile.pop()()
        return [*page]

    def delete(self, start: int, number: int) -> None:
        del self.letters[start : start + number]

    def put(self, envelope: object, uuid: str) -> bool:
        if len(self.read) >= self.room:
            return False
        assert isinstance(envelope, dict)
        self.read.append(uuid)
        return True

    def look(self, requests: int = LOOK, **arguments: Any) -> bool:
        self.fetched.clear()
        is_whole = asyncio.run(self.reader.read(requests, **arguments))
        assert len(self.fetched) <= requests
        return is_whole


@pytest.fixture(params=[False, True], ids=["oldest first", "newest first"])
def box(request: pytest.FixtureRequest) -> Box:
    return Box(newest_first=request.param)


def test_a_flood_is_read_once_and_what_comes_then_at_the_next_look(box: Box) -> None:
    flood = box.write(20_000)
    looks = 1
    while not box.look():
        looks += 1
    assert looks <= 12
    assert sorted(box.read) == flood
    box.read.clear()
    for _ in range(3):
        assert box.look()
        assert (box.read, len(box.fetched)) == ([], 2)
    answer = box.write(1)
    assert box.look()
    assert box.read == answer
    assert len(box.fetched) <= 4
    assert sum(limit == 1 for _, limit in box.fetched) >= 1


def test_an_answer_within_a_lasting_flood_is_read(box: Box) -> None:
    box.write(20_000)
    answer: list[str] = []
    for look in range(40):
        box.look()
        box.write(500)
        if look == 3:
            answer = box.write(1)
    assert set(answer) <= {*box.read}
    assert len(box.read) == len({*box.read})


def test_a_small_mailbox_costs_one_request(box: Box) -> None:
    for _ in range(2):
        assert box.look()
        assert box.fetched == [(0, 100)]
    box.write(1)
    for _ in range(2):
        assert box.look()
        assert box.fetched == [(0, 100)]
    assert len(box.read) == 1


def test_letters_that_others_delete_hide_nothing(box: Box) -> None:
    box.write(5_000)
    assert box.look(requests=100)
    box.delete(10, 4_890)
    answer = box.write(3)
    box.read.clear()
    assert box.look()
    assert sorted(box.read) == answer
    box.letters.clear()
    answer = box.write(1)
    box.read.clear()
    assert box.look()
    assert box.read == answer


def test_our_own_deletions_move_the_place(box: Box) -> None:
    uuids = box.write(300)
    assert box.look()
    box.reader.skip(uuids[200:])
    del box.letters[200:]
    for _ in range(100):
        box.reader.move_up()
    answer = box.write(2)
    box.read.clear()
    assert box.look()
    assert sorted(box.read) == answer
    assert len(box.fetched) <= 3


def test_letters_of_a_session_are_read_again_when_its_question_is_opened(box: Box) -> None:
    session = str(UUID(int=10**9))
    late = box.write(2, session=session)
    box.write(500)
    assert box.look()
    box.read.clear()
    assert box.look(opened={str(UUID(int=10**8))})
    assert box.read == []
    assert box.look(opened={session})
    assert sorted(box.read) == late
    box.read.clear()
    box.reader.skip(late)
    assert box.look(opened={session})
    assert box.read == []


def test_a_letter_without_room_is_offered_again(box: Box) -> None:
    uuids = box.write(150)
    box.room = 120
    assert not box.look()
    assert len(box.read) == 120
    box.room = 150
    assert box.look()
    assert sorted(box.read) == uuids


def test_giants_are_stepped_over_within_the_bound(box: Box) -> None:
    box.most_bytes = 100
    small = box.write(150)
    box.write(3, size=101)
    medium = box.write(4, size=60)
    small += box.write(150)
    for _ in range(10):
        if box.look():
            break
    assert sorted(box.read) == sorted(small + medium)
    answer = box.write(1)
    assert box.look()
    assert box.read[-1:] == answer


def test_a_server_without_pages_is_not_asked_for_ever(box: Box) -> None:
    box.knows_pages = False
    uuids = box.write(100)
    assert box.look()
    assert sorted(box.read) == uuids
    assert len(box.fetched) == 3  # the last is for a place that no mailbox has
    assert box.look()
    assert len(box.fetched) <= 4


@pytest.mark.parametrize("letter", [None, 1, "x", [], {}, {"uuid": 1}, {"uuid": "../x"}])
async def test_what_is_no_letter_is_stepped_over(letter: object) -> None:
    pages: list[list[object]] = [[letter, {"uuid": "0" * 32, "envelope": 1}]]
    taken: list[object] = []

    async def fetch(place: int, _limit: int) -> list[object]:
        return pages[0][place:]

    def put(envelope: object, _uuid: str) -> bool:
        taken.append(envelope)
        return True

    reader = MailReader(fetch, put)
    for _ in range(2):
        assert await reader.read(LOOK)
    assert taken == [1]


async def test_another_error_ends_a_look() -> None:
    async def fetch(_place: int, _limit: int) -> list[object]:
        raise AgentError("cannot be asked")

    with pytest.raises(AgentError, match="cannot be asked"):
        await MailReader(fetch, lambda _envelope, _uuid: True).read(LOOK)


PLACES = st.integers(0, 400)
CHANGES = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 260), st.just(0)),
    st.tuples(st.just("delete"), PLACES, PLACES),
)
STEPS = st.lists(st.tuples(CHANGES, st.lists(CHANGES, max_size=3)), max_size=8)
ROOMS = st.lists(st.integers(0, 300), min_size=8, max_size=8)
ENOUGH = [10**6] * 8


@given(steps=STEPS, rooms=ROOMS, newest_first=st.booleans())
# Letters that were new moved up, behind others that were known.
@example(
    steps=[
        (("write", 152, 0), []),
        (("write", 1, 0), [("delete", 153, 49), ("write", 1, 0), ("write", 198, 0)]),
    ],
    rooms=ENOUGH,
    newest_first=True,
)
@example(
    steps=[
        (("write", 100, 0), [("write", 2, 0)]),
        (("write", 84, 0), [("write", 15, 0), ("delete", 165, 79), ("write", 79, 0)]),
    ],
    rooms=ENOUGH,
    newest_first=True,
)
# A page was the same as the one before, for 99 letters had come.
@example(
    steps=[(("write", 1, 0), []), (("write", 200, 0), [("write", 99, 0), ("write", 1, 0)])],
    rooms=ENOUGH,
    newest_first=True,
)
def test_each_letter_that_stays_is_read_once(
    steps: list[tuple[tuple[str, int, int], list[tuple[str, int, int]]]],
    rooms: list[int],
    newest_first: bool,
) -> None:
    box = Box(newest_first=newest_first)

    def change(what: str, first: int, number: int) -> None:
        if what == "write":
            box.write(first)
        else:
            box.delete(first, number)

    for (step, meanwhile), room in zip(steps, rooms, strict=False):
        change(*step)
        box.room = len(box.read) + room
        box.meanwhile = [partial(change, *one) for one in meanwhile]
        box.look()
    box.meanwhile.clear()
    box.room = 10**9
    while not box.look():
        pass
    assert len(box.read) == len({*box.read})
    assert {letter["uuid"] for letter in box.letters} <= {*box.read}


def test_a_letter_that_moves_up_while_pages_are_too_large_is_read(box: Box) -> None:
    box.most_bytes = 4_000_000
    box.write(3)
    assert box.look()
    box.write(200, size=41_000)  # none is a giant: 97 of them go on a page
    box.meanwhile = [partial(box.delete, 1, 1), lambda: None]
    while not box.look():
        pass
    assert {letter["uuid"] for letter in box.letters} <= {*box.read}
