import asyncio
import sqlite3
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest

from offline_cache import SqliteStore, outbox
from station.core.attempts import AttemptCount
from station.ports import Change, LogMark, NewEvent
from station.records.claims import ClockSource

ENTRY = str(uuid5(NAMESPACE_URL, "an entry of a key's log"))
OTHER_ENTRY = str(uuid5(NAMESPACE_URL, "another entry"))


def opened(event_id: str, at: int = 5) -> NewEvent:
    return NewEvent("lock_opened", at, "unknown", key=7, lock=3, data={"generation": 1, "seq": at}, id=event_id)


async def seqs(store: SqliteStore) -> list[int]:
    return [event.seq for event in await store.pending(1000)]


async def test_the_body_is_what_central_is_sent(store: SqliteStore) -> None:
    await store.commit(
        Change(
            events=[NewEvent("key_activated", 1_700_000_000, ClockSource.RTC, 7, 9, data={"expires": 5, "areas": 2})]
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
    await store.commit(Change(events=[NewEvent("central_lost", 1, "unknown")]))
    (event,) = await store.pending(1)
    assert event.body["data"] == {}
    assert event.body.keys() == {"id", "instance", "seq", "at", "clock", "type", "data"}


async def test_events_attempts_and_mark_come_together(store: SqliteStore) -> None:
    count = AttemptCount(7, failures=10, last_at=50, unlock_seen=40)
    mark = LogMark(7, generation=2, seq=30, offset=900)
    await store.commit(Change([NewEvent("key_locked_out", 50, 0, key=7), opened(ENTRY)], count, mark))
    assert await store.attempts(7) == count
    assert await store.log_mark(7) == mark
    assert [event.body["type"] for event in await store.pending(10)] == ["key_locked_out", "lock_opened"]


async def test_nothing_kept_means_zero_and_none(store: SqliteStore) -> None:
    assert await store.attempts(7) == AttemptCount(7)
    assert await store.log_mark(7) is None
    await store.commit(Change(attempts=AttemptCount(7, 1, 2, 3)))
    await store.commit(Change(attempts=AttemptCount(7)))
    assert await store.attempts(7) == AttemptCount(7)
    assert await store._thread.run(lambda db: db.execute("SELECT COUNT(*) FROM attempts").fetchone()) == (0,)


@pytest.mark.parametrize(
    "poison",
    [
        Change([NewEvent("key_synced", 1, 0), NewEvent("key_synced", 2, 0, data={"duration_ms": float("nan")})]),
        Change([NewEvent("key_synced", 1, 0), NewEvent("key_synced", 2, 0, data={"what": object()})]),
        Change([NewEvent("key_synced", 1, 0), opened("no uuid")]),
        Change([NewEvent("key_synced", 1, 0)], AttemptCount(7, failures=-1), LogMark(7, 1, 1, 1)),
        Change([NewEvent("key_synced", 1, 0)], AttemptCount(7, 1), LogMark(7, 1, 1, "far")),  # type: ignore[arg-type]
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
    await store.commit(Change([NewEvent("key_synced", 3, 0)]))
    assert await seqs(store) == [1]


async def test_the_same_entry_is_kept_once_and_takes_one_number(store: SqliteStore) -> None:
    await store.commit(Change([opened(ENTRY), opened(ENTRY), opened(ENTRY.upper())]))
    await store.commit(Change([opened(ENTRY), NewEvent("key_synced", 6, 0)]))
    assert [(event.seq, event.id == ENTRY) for event in await store.pending(10)] == [(1, True), (2, False)]


async def test_an_entry_that_central_has_is_not_sent_again(store: SqliteStore, path: Path) -> None:
    await store.commit(Change([opened(ENTRY), opened(OTHER_ENTRY)]))
    await store.settle([ENTRY], {})
    mark = LogMark(7, 1, 5, 100)
    await store.commit(Change([opened(ENTRY), opened(OTHER_ENTRY)], log_mark=mark))
    assert await seqs(store) == [2]
    assert await store.log_mark(7) == mark
    await store.close()
    again = await SqliteStore.open(path)
    await again.commit(Change([opened(ENTRY), NewEvent("key_synced", 9, 0)]))
    assert await seqs(again) == [2, 3]
    await again.close()


async def test_settled_ids_are_bounded_the_oldest_forgotten(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SETTLED_IDS_MAX", 3)
    ids = [str(uuid5(NAMESPACE_URL, str(n))) for n in range(5)]
    for each in ids:
        await store.commit(Change([opened(each)]))
        await store.settle([each], {})
    await store.commit(Change([opened(each) for each in ids]))
    assert [event.id for event in await store.pending(10)] == ids[:2]


async def test_own_ids_are_not_remembered_once_settled(store: SqliteStore) -> None:
    await store.commit(Change([NewEvent("key_synced", 1, 0)]))
    await store.settle([event.id for event in await store.pending(1)], {})
    assert await store._thread.run(lambda db: db.execute("SELECT COUNT(*) FROM settled_id").fetchone()) == (0,)


async def test_settling(store: SqliteStore) -> None:
    await store.commit(Change([NewEvent("key_synced", at, 0) for at in range(5)]))
    first, second, third, *_ = [event.id for event in await store.pending(10)]
    await store.settle([first, "unknown"], {second: "bad_type", "nor this": "x", first: "done wins"})
    assert await seqs(store) == [3, 4, 5]
    assert await store.pending_count() == 3
    rows = await store._thread.run(lambda db: db.execute("SELECT id, set_aside FROM outbox WHERE seq < 3").fetchall())
    assert rows == [(second, "bad_type")]
    # Central may take a refused one after all.
    await store.settle([second], {third: "y" * 10_000})
    rows = await store._thread.run(lambda db: db.execute("SELECT seq, set_aside FROM outbox WHERE seq < 4").fetchall())
    assert rows == [(3, "y" * outbox.REASON_MAX_BYTES)]


async def test_refused_events_are_bounded_the_oldest_go(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SET_ASIDE_MAX", 2)
    await store.commit(Change([opened(ENTRY), *(NewEvent("key_synced", at, 0) for at in range(4))]))
    await store.settle([], {event.id: "bad" for event in (await store.pending(10))[:4]})
    rows = await store._thread.run(lambda db: db.execute("SELECT seq FROM outbox ORDER BY seq").fetchall())
    assert rows == [(3,), (4,), (5,)]
    await store.commit(Change([opened(ENTRY)]))
    assert await seqs(store) == [5]


async def test_pending_gives_the_oldest_and_never_more_than_asked(store: SqliteStore) -> None:
    await store.commit(Change([NewEvent("key_synced", at, 0) for at in range(9)]))
    assert [event.seq for event in await store.pending(4)] == [1, 2, 3, 4]
    assert await store.pending(0) == []
    assert await store.pending(-1) == []


async def test_fifty_commits_at_once_leave_no_gap(store: SqliteStore) -> None:
    async def one(at: int) -> None:
        await store.commit(Change([NewEvent("key_synced", at, 0), NewEvent("key_deactivated", at, 0)]))

    await asyncio.gather(*(one(at) for at in range(50)))
    events = await store.pending(1000)
    assert [event.seq for event in events] == list(range(1, 101))
    assert [event.body["seq"] for event in events] == list(range(1, 101))
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
    # The two of a visit stay next to each other.
    assert all(events[n].body["at"] == events[n + 1].body["at"] for n in range(0, 100, 2))


async def test_numbers_are_not_given_again_after_settling(store: SqliteStore, path: Path) -> None:
    await store.commit(Change([NewEvent("key_synced", at, 0) for at in range(3)]))
    await store.settle([event.id for event in await store.pending(3)], {})
    await store.close()
    again = await SqliteStore.open(path)
    await again.commit(Change([NewEvent("key_synced", 9, 0)]))
    assert await seqs(again) == [4]
    await again.close()


@pytest.mark.parametrize("gone", [[0, 1, 2], [2], [1, 2]])
async def test_the_newest_number_is_known_whichever_events_went(
    store: SqliteStore, path: Path, gone: list[int]
) -> None:
    await store.commit(Change([NewEvent("key_synced", at, 0) for at in range(3)]))
    events = await store.pending(3)
    await store.settle([events[at].id for at in gone], {})
    await store.close()
    again = await SqliteStore.open(path)
    await again.commit(Change([NewEvent("key_synced", 9, 0)]))
    await again.commit(Change([NewEvent("key_synced", 9, 0), opened(ENTRY)]))
    assert (await seqs(again))[-3:] == [4, 5, 6]
    await again.close()


async def test_the_newest_number_is_known_when_refused_events_went(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "SET_ASIDE_MAX", 0)
    await store.commit(Change([NewEvent("key_synced", at, 0) for at in range(3)]))
    await store.settle([], {event.id: "bad" for event in await store.pending(3)})
    await store.close()
    again = await SqliteStore.open(path)
    await again.commit(Change([NewEvent("key_synced", 9, 0)]))
    assert await seqs(again) == [4]
    await again.close()


async def test_a_commit_that_failed_took_no_number(store: SqliteStore) -> None:
    await store.commit(Change([NewEvent("key_synced", 1, 0)]))
    for events in ([NewEvent("x", 1, 0, data={"n": float("nan")})], [NewEvent("key_synced", 2, 0), opened("no UUID")]):
        with pytest.raises(ValueError):
            await store.commit(Change(events))
    await store.commit(Change([NewEvent("key_synced", 3, 0)]))
    assert await seqs(store) == [1, 2]
    assert await store.pending_count() == 2
