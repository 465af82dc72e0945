# ruff: noqa: ASYNC240 - nothing else runs on a test's loop meanwhile
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from offline_cache import SqliteStore
from offline_cache.faults import faults_translated
from station.ports import Change, LogEvent, LogMark, MirrorState, ReceivedObject, StoreFault
from station.rules.attempts import AttemptCount
from tests.received import received, take

Sql: TypeAlias = Callable[..., Awaitable[list[tuple[Any, ...]]]]


def big(at: int) -> Change:
    return Change([LogEvent("config_applied", at, 0, data={"text": "x" * 8000})])


def area(number: int) -> ReceivedObject:
    return received({"type": "area", "id": number, "name": "x" * 4000})


async def test_a_full_disk_is_said_rolled_back_and_survived(store: SqliteStore, sql: Sql) -> None:
    await store.commit(big(0))
    ((used,),) = await sql("PRAGMA page_count")
    await sql(f"PRAGMA max_page_count={used + 3}")
    kept = 1
    with pytest.raises(StoreFault) as caught:  # noqa: PT012 - which one fails is SQLite's business
        for at in range(1, 10):
            await store.commit(big(at))
            kept += 1
    assert caught.value.code == "disk_full"
    assert [event.seq for event in await store.pending(100)] == list(range(1, kept + 1))
    with pytest.raises(StoreFault):
        await take(store, MirrorState("e", "c", 1, 1), [area(number) for number in range(50)], whole=True)
    assert await store.mirror_state() == MirrorState()
    await sql("PRAGMA max_page_count=100000")
    await store.commit(big(99))
    assert [event.seq for event in await store.pending(100)] == list(range(1, kept + 2))


GIVEN = LogEvent("lock_opened", 5, 0, id="0b9f2c1e-6a34-4c0d-8f51-2d7f3b1c9e10")


@pytest.mark.parametrize(
    ("write", "look"),
    [
        (lambda s: s.commit(Change(attempts=AttemptCount(501, 1, 50))), "SELECT failures = 1 FROM attempts"),
        (lambda s: s.commit(Change(log_mark=LogMark(501, 1, 1, 9))), "SELECT offset = 9 FROM log_mark"),
        (lambda s: s.note("a", "note"), "SELECT value = 'note' FROM note"),
        (lambda s: s.commit(Change([GIVEN])), "SELECT COUNT(*) = 1 FROM outbox"),
        (lambda s: s.take_answers([GIVEN.id], {}), "SELECT COUNT(*) = 1 FROM answered_id"),
        (lambda s: s.begin_activation(GIVEN), "SELECT COUNT(*) > 0 FROM begun_activation"),
        (
            lambda s: take(s, MirrorState("e", "c", 1, 1), [received({"type": "area", "id": 1})]),
            "SELECT (SELECT COUNT(*) FROM mirror_object) AND (SELECT cursor = 'c' FROM mirror_state)",
        ),
    ],
    ids=["wrong PIN", "log mark", "note", "event", "answer", "activation", "mirror"],
)
async def test_what_a_full_disk_took_or_takes_later_is_kept(
    path: Path, write: Callable[[SqliteStore], Awaitable[object]], look: str
) -> None:
    """The first write of a process: what a library tries out on a full disk must not be its opinion for ever."""
    before = await SqliteStore.open(path)
    if "answered_id" in look:
        await before.commit(Change([GIVEN]))
    await before.close()
    store = await SqliteStore.open(path)

    async def sql(statement: str) -> list[tuple[Any, ...]]:
        return await store.thread.run(lambda db: db.execute(statement).fetchall())

    ((used,),) = await sql("PRAGMA page_count")
    await sql(f"PRAGMA max_page_count={used}")
    refused = None
    try:
        await write(store)
    except StoreFault as fault:
        refused = fault.code
    assert refused == "disk_full" or await sql(look) == [(1,)]
    await sql("PRAGMA max_page_count=100000")
    await write(store)
    assert await sql(look) == [(1,)]
    await store.close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, "disk_full"),
        (sqlite3.SQLITE_CORRUPT, "store_broken"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "store_broken"),
        (sqlite3.SQLITE_NOTADB, "store_broken"),
        (sqlite3.SQLITE_IOERR_FSYNC, "store_io"),
        (sqlite3.SQLITE_BUSY, "store_io"),
        (sqlite3.SQLITE_READONLY, "store_io"),
    ],
)
def test_translation(code: int, expected: str) -> None:
    error = sqlite3.OperationalError("text that is not passed on")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "NAME"
    with pytest.raises(StoreFault) as caught, faults_translated():
        raise error
    assert str(caught.value) == f"{expected} sqlite=NAME"


def test_a_full_file_system_outside_sqlite() -> None:
    with pytest.raises(StoreFault) as caught, faults_translated():
        raise OSError(28, "No space left on device")
    assert str(caught.value) == "disk_full errno=ENOSPC"


@pytest.mark.parametrize("mistake", ["SELEC 1", "SELECT * FROM no_such_table", "INSERT INTO note VALUES ('a', NULL)"])
async def test_our_own_mistakes_are_not_faults_of_the_disk(store: SqliteStore, sql: Sql, mistake: str) -> None:
    with pytest.raises(sqlite3.Error):
        await sql(mistake)
    await store.pending_count()


@pytest.mark.parametrize("body", ["{", "[]", "1"])
async def test_a_body_that_is_no_object_is_a_broken_store(store: SqliteStore, sql: Sql, body: str) -> None:
    await sql("INSERT INTO mirror_state VALUES (1, 0, 'e', 'c', 1, 1, 1, zeroblob(2048))")
    await sql(
        "INSERT INTO mirror_object (edition, type, id, hash, received) VALUES (0, 'key', 1, zeroblob(32), ?)", body
    )
    await sql("INSERT INTO outbox (id, id_given, body) VALUES ('a', 0, ?)", body)
    for read in (store.objects("key"), store.pending(1)):
        with pytest.raises(StoreFault) as caught:
            await read
        assert caught.value.code == "store_broken"


async def test_text_that_is_no_utf8_is_a_broken_store(store: SqliteStore, sql: Sql) -> None:
    # Met on a later row, while reading.
    await store.note("a", "fine")
    await sql("INSERT INTO note VALUES ('b', CAST(x'ff' AS TEXT))")
    with pytest.raises(StoreFault) as caught:
        await sql("SELECT value FROM note ORDER BY name")
    assert caught.value.code == "store_broken"


async def test_damage_under_a_running_store_is_reported(store: SqliteStore, sql: Sql, path: Path) -> None:
    for at in range(40):
        await store.commit(big(at))
    await sql("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        for start in range(4096 * 2, size, 4096):
            file.seek(start)
            file.write(b"\xff" * 64)
    await sql("PRAGMA shrink_memory")
    with pytest.raises(StoreFault) as caught:
        await store.pending(100)
    assert caught.value.code == "store_broken"
