import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from offline_cache import SqliteStore
from station.ports import Change, LogEvent, LogMark, StoreFault
from station.rules.attempts import AttemptCount

INTERRUPTED = LogEvent("key_write_interrupted", 7, 1, key=501, holder=20, data={"act": "unknown", "expires": 99})


async def test_nothing_kept_means_zero_and_none(
    store: SqliteStore, sql: Callable[..., Awaitable[list[tuple[Any, ...]]]]
) -> None:
    assert await store.attempts(7) == AttemptCount(7)
    assert await store.log_mark(7) is None
    await store.commit(Change(attempts=AttemptCount(7, 1, 2, 3)))
    await store.commit(Change(attempts=AttemptCount(7)))
    assert await store.attempts(7) == AttemptCount(7)
    assert await sql("SELECT COUNT(*) FROM attempts") == [(0,)]


async def test_count_and_mark_of_a_key_are_replaced_and_leave_other_keys_alone(store: SqliteStore) -> None:
    other = AttemptCount(8, 9, 50)
    await store.commit(Change(attempts=other, log_mark=LogMark(8, 1, 1, 1)))
    for failures in (1, 2):
        await store.commit(Change(attempts=AttemptCount(7, failures, 60), log_mark=LogMark(7, 2, failures, 900)))
    await store.commit(Change(attempts=AttemptCount(7, 1)))
    assert (await store.attempts(7), await store.attempts(8)) == (AttemptCount(7, 1), other)
    assert (await store.log_mark(7), await store.log_mark(8)) == (LogMark(7, 2, 2, 900), LogMark(8, 1, 1, 1))


async def test_a_note_is_set_changed_and_kept(store: SqliteStore, reopen: Callable[[], Awaitable[SqliteStore]]) -> None:
    assert await store.note("clock_floor") is None
    assert await store.note("clock_floor", "5") == "5"
    assert await store.note("clock_floor", "7") == "7"
    assert await store.note("other") is None
    assert await (await reopen()).note("clock_floor") == "7"


async def test_the_same_note_again_writes_nothing(store: SqliteStore) -> None:
    await store.note("clock_floor", "5")
    before = await store.thread.run(lambda db: db.conn.total_changes)
    assert await store.note("clock_floor", "5") == "5"
    assert await store.thread.run(lambda db: db.conn.total_changes) == before


async def test_a_sequence_number_is_never_given_twice(
    store: SqliteStore, reopen: Callable[[], Awaitable[SqliteStore]]
) -> None:
    given = await asyncio.gather(*(store.begin_activation(INTERRUPTED) for _ in range(20)))
    assert given == list(range(1, 21))
    await store.commit(Change(settles=given))
    assert await (await reopen()).begin_activation(INTERRUPTED) == 21


async def test_what_was_begun_and_not_settled_is_told_once_after_the_start(
    store: SqliteStore, reopen: Callable[[], Awaitable[SqliteStore]]
) -> None:
    first, _ = [await store.begin_activation(replace(INTERRUPTED, key=key)) for key in (501, 502)]
    await store.commit(Change([LogEvent("key_activated", 5, 0, key=501)], settles=[first]))
    again = await reopen()
    assert await again.tell_interrupted() == 1
    assert await again.tell_interrupted() == 0
    told = [event.body for event in await again.pending(10)]
    assert [(body["type"], body["key"]) for body in told] == [("key_activated", 501), ("key_write_interrupted", 502)]
    assert (told[1]["at"], told[1]["clock"], told[1]["holder"]) == (7, 1, 20)
    assert told[1]["data"] == {"act": "unknown", "expires": 99}


async def test_an_intention_that_cannot_be_read_is_a_broken_database(store: SqliteStore) -> None:
    await store.thread.run(lambda db: db.execute("INSERT INTO begun_activation (event) VALUES ('[1]')"))
    with pytest.raises(StoreFault, match="store_broken"):
        await store.tell_interrupted()
