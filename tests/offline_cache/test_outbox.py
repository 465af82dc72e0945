import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from sqlite_utils import Database

from offline_cache import SqliteStore, outbox
from offline_cache.event_ids import EventIds
from station.ports import Change, LogEvent, LogMark
from station.records.claims import ClockSource
from station.rules.attempts import AttemptCount

Sql: TypeAlias = Callable[..., Awaitable[list[tuple[Any, ...]]]]
Reopen: TypeAlias = Callable[[], Awaitable[SqliteStore]]

ENTRY = str(uuid5(NAMESPACE_URL, "an entry of a key's log"))
OTHER_ENTRY = str(uuid5(NAMESPACE_URL, "another entry"))


def opened(event_id: str, at: int = 5) -> LogEvent:
    return LogEvent("lock_opened", at, "unknown", key=7, lock=3, data={"generation": 1, "seq": at}, id=event_id)


async def seqs(store: SqliteStore) -> list[int]:
    return [event.seq for event in await store.pending(1000)]


async def test_the_body_is_what_central_is_sent(store: SqliteStore) -> None:
    await store.commit(
        Change(
            events=[LogEvent("key_activated", 1_700_000_000, ClockSource.RTC, 7, 9, data={"expires": 5, "areas": 2})]
        )
    )
    (event,) = await store.pending(10)
    assert event.body == {
        "id": event.id,
        "instance": store.instance,
        "seq": 1,
        "at": 1_700_000_000,
        "clock": 2,
        "type": "key_activated",
        "key": 7,
        "holder": 9,
        "data": {"expires": 5, "areas": 2},
    }
    assert UUID(event.id).version == 7


async def test_no_data_is_an_empty_map(store: SqliteStore) -> None:
    await store.commit(Change(events=[LogEvent("central_lost", 1, "unknown")]))
    (event,) = await store.pending(1)
    assert event.body["data"] == {}
    assert event.body.keys() == {"id", "instance", "seq", "at", "clock", "type", "data"}


async def test_events_attempts_and_mark_come_together(store: SqliteStore) -> None:
    count = AttemptCount(7, failures=10, last_at=50, unlock_seen=40)
    mark = LogMark(7, generation=2, seq=30, offset=900)
    await store.commit(Change([LogEvent("key_locked_out", 50, 0, key=7), opened(ENTRY)], count, mark))
    assert await store.attempts(7) == count
    assert await store.log_mark(7) == mark
    assert [event.body["type"] for event in await store.pending(10)] == ["key_locked_out", "lock_opened"]


@pytest.mark.parametrize(
    "poison",
    [
        Change([LogEvent("key_synced", 1, 0), LogEvent("key_synced", 2, 0, data={"duration_ms": float("nan")})]),
        Change([LogEvent("key_synced", 1, 0), LogEvent("key_synced", 2, 0, data={"what": object()})]),
        Change([LogEvent("key_synced", 1, 0), opened("no uuid")]),
        Change([LogEvent("key_synced", 1, 0)], AttemptCount(7, failures=-1), LogMark(7, 1, 1, 1)),
        Change([LogEvent("key_synced", 1, 0)], AttemptCount(7, 1), LogMark(7, 1, 1, "far")),  # type: ignore[arg-type]
    ],
    ids=["nan", "no_json", "no_uuid", "constraint", "wrong_type"],
)
async def test_a_poisoned_change_leaves_nothing(store: SqliteStore, poison: Change) -> None:
    # A mistake in the program is not dressed up as a fault of the disk.
    with pytest.raises((ValueError, TypeError, sqlite3.IntegrityError)):
        await store.commit(poison)
    assert await store.pending_count() == 0
    assert await store.attempts(7) == AttemptCount(7)
    assert await store.log_mark(7) is None
    await store.commit(Change([LogEvent("key_synced", 3, 0)]))
    assert await seqs(store) == [1]


async def test_the_same_entry_is_kept_once_and_takes_one_number(store: SqliteStore) -> None:
    await store.commit(Change([opened(ENTRY), opened(ENTRY), opened(ENTRY.upper())]))
    await store.commit(Change([opened(ENTRY), LogEvent("key_synced", 6, 0)]))
    assert [(event.seq, event.id == ENTRY) for event in await store.pending(10)] == [(1, True), (2, False)]


async def test_an_entry_that_central_has_is_not_sent_again(store: SqliteStore, reopen: Reopen) -> None:
    await store.commit(Change([opened(ENTRY), opened(OTHER_ENTRY)]))
    await store.take_answers([ENTRY], {})
    mark = LogMark(7, 1, 5, 100)
    await store.commit(Change([opened(ENTRY), opened(OTHER_ENTRY)], log_mark=mark))
    assert await seqs(store) == [2]
    assert await store.log_mark(7) == mark
    again = await reopen()
    await again.commit(Change([opened(ENTRY), LogEvent("key_synced", 9, 0)]))
    assert await seqs(again) == [2, 3]


async def test_answered_ids_are_bounded_the_oldest_forgotten(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ANSWERED_IDS_MAX", 3)
    ids = [str(uuid5(NAMESPACE_URL, str(n))) for n in range(5)]
    for each in ids:
        await store.commit(Change([opened(each)]))
        await store.take_answers([each], {})
    await store.commit(Change([opened(each) for each in ids]))
    assert [event.id for event in await store.pending(10)] == ids[:2]


async def test_own_ids_are_not_remembered_once_answered(store: SqliteStore, sql: Sql) -> None:
    await store.commit(Change([LogEvent("key_synced", 1, 0)]))
    await store.take_answers([event.id for event in await store.pending(1)], {})
    assert await sql("SELECT COUNT(*) FROM answered_id") == [(0,)]


async def test_settling(store: SqliteStore, sql: Sql) -> None:
    await store.commit(Change([LogEvent("key_synced", at, 0) for at in range(5)]))
    first, second, third, *_ = [event.id for event in await store.pending(10)]
    await store.take_answers([first, "unknown"], {second: "bad_type", "nor this": "x", first: "done wins"})
    assert await seqs(store) == [3, 4, 5]
    assert await store.pending_count() == 3
    rows = await sql("SELECT id, set_aside FROM outbox WHERE seq < 3")
    assert rows == [(second, "bad_type")]
    # Central may take a refused one after all.
    await store.take_answers([second], {third: "y" * 10_000})
    rows = await sql("SELECT seq, set_aside FROM outbox WHERE seq < 4")
    assert rows == [(3, "y" * outbox.REASON_MAX_BYTES)]


async def test_refused_events_are_bounded_the_oldest_go(
    store: SqliteStore, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SET_ASIDE_MAX", 2)
    await store.commit(Change([opened(ENTRY), *(LogEvent("key_synced", at, 0) for at in range(4))]))
    await store.take_answers([], {event.id: "bad" for event in (await store.pending(10))[:4]})
    rows = await sql("SELECT seq FROM outbox ORDER BY seq")
    assert rows == [(3,), (4,), (5,)]
    await store.commit(Change([opened(ENTRY)]))
    assert await seqs(store) == [5]


async def test_pending_gives_the_oldest_and_never_more_than_asked(store: SqliteStore) -> None:
    await store.commit(Change([LogEvent("key_synced", at, 0) for at in range(9)]))
    assert [event.seq for event in await store.pending(4)] == [1, 2, 3, 4]
    assert await store.pending(0) == []
    assert await store.pending(-1) == []


async def test_fifty_commits_at_once_leave_no_gap(store: SqliteStore) -> None:
    async def one(at: int) -> None:
        await store.commit(Change([LogEvent("key_synced", at, 0), LogEvent("key_deactivated", at, 0)]))

    await asyncio.gather(*(one(at) for at in range(50)))
    events = await store.pending(1000)
    assert [event.seq for event in events] == list(range(1, 101))
    assert [event.body["seq"] for event in events] == list(range(1, 101))
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    # The two of a visit stay next to each other.
    assert all(events[n].body["at"] == events[n + 1].body["at"] for n in range(0, 100, 2))


async def test_numbers_are_not_given_again_after_settling(store: SqliteStore, reopen: Reopen) -> None:
    await store.commit(Change([LogEvent("key_synced", at, 0) for at in range(3)]))
    await store.take_answers([event.id for event in await store.pending(3)], {})
    again = await reopen()
    await again.commit(Change([LogEvent("key_synced", 9, 0)]))
    assert await seqs(again) == [4]


@pytest.mark.parametrize("gone", [[0, 1, 2], [2], [1, 2]])
async def test_the_newest_number_is_known_whichever_events_went(
    store: SqliteStore, reopen: Reopen, gone: list[int]
) -> None:
    await store.commit(Change([LogEvent("key_synced", at, 0) for at in range(3)]))
    events = await store.pending(3)
    await store.take_answers([events[at].id for at in gone], {})
    again = await reopen()
    await again.commit(Change([LogEvent("key_synced", 9, 0)]))
    await again.commit(Change([LogEvent("key_synced", 9, 0), opened(ENTRY)]))
    assert (await seqs(again))[-3:] == [4, 5, 6]


async def test_the_newest_number_is_known_when_refused_events_went(
    store: SqliteStore, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SET_ASIDE_MAX", 0)
    await store.commit(Change([LogEvent("key_synced", at, 0) for at in range(3)]))
    await store.take_answers([], {event.id: "bad" for event in await store.pending(3)})
    again = await reopen()
    await again.commit(Change([LogEvent("key_synced", 9, 0)]))
    assert await seqs(again) == [4]


async def test_a_commit_that_failed_took_no_number(store: SqliteStore) -> None:
    await store.commit(Change([LogEvent("key_synced", 1, 0)]))
    for events in ([LogEvent("x", 1, 0, data={"n": float("nan")})], [LogEvent("key_synced", 2, 0), opened("no UUID")]):
        with pytest.raises(ValueError):
            await store.commit(Change(events))
    await store.commit(Change([LogEvent("key_synced", 3, 0)]))
    assert await seqs(store) == [1, 2]
    assert await store.pending_count() == 2


async def test_an_event_is_three_pages_to_write(store: SqliteStore, sql: Sql) -> None:
    # The row, its id, the last number.
    await store.commit(Change([LogEvent("key_synced", 1, 0)]))
    await sql("PRAGMA wal_checkpoint(PASSIVE)")
    # All is in the database: the WAL begins anew.
    await store.commit(Change([LogEvent("key_synced", 2, 0)]))
    ((_, pages, _),) = await sql("PRAGMA wal_checkpoint(PASSIVE)")
    assert pages == 3


async def test_nothing_reads_the_whole_outbox(store: SqliteStore) -> None:
    asked: list[tuple[str, Any]] = []

    def work(db: Database) -> list[tuple[str, str]]:
        with db.tracer(lambda statement, args: asked.append((statement, args))):
            outbox.add(db, [LogEvent("key_synced", 1, 0), opened(ENTRY)], EventIds())
            outbox.pending(db, 100, 5, "instance")
            outbox.take_answers(db, [ENTRY], {OTHER_ENTRY: "bad"})
        steps = [
            (each, row[-1])
            for each, args in asked
            if "sqlite_" not in each
            for row in db.execute(f"EXPLAIN QUERY PLAN {each}", args)
        ]
        return [step for step in steps if step[1].startswith("SCAN")]

    # Refused events are bounded, and their index has nothing else.
    bounded = ("json_each", "CONSTANT ROW", "outbox_set_aside")
    scans = await store.thread.run(work)
    assert [step for step in scans if not any(each in step[1] for each in bounded)] == []
    assert {"outbox", "answered_id"} <= {word.strip('"') for each, _ in asked for word in each.split()}


async def test_the_count_is_right_whatever_becomes_of_a_change(store: SqliteStore) -> None:
    await store.commit(Change([LogEvent("key_synced", at, 0) for at in range(20)]))
    ids = [event.id for event in await store.pending(20)]
    await store.take_answers([*ids[:3], "unknown"], {ids[3]: "bad", ids[4]: "bad", "unknown too": "bad"})
    assert await store.pending_count() == 15
    # Again, and one that was set aside is taken after all.
    await store.take_answers([*ids[:3], ids[3]], {ids[4]: "worse"})
    assert await store.pending_count() == 15
    with pytest.raises(ValueError):
        await store.commit(Change([LogEvent("key_synced", 1, 0, data={"n": float("nan")})]))
    assert await store.pending_count() == 15
    # The same log entry, read again: no more than before.
    entry = LogEvent("lock_opened", 1, 0, id="00000000-0000-5000-8000-000000000000")
    await store.commit(Change([entry]))
    await store.commit(Change([entry]))
    assert await store.pending_count() == 16 == len(await store.pending(100))
