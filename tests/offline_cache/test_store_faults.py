# ruff: noqa: ASYNC240 - nothing else runs on a test's loop meanwhile
import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from offline_cache import SqliteStore, database_thread
from offline_cache.faults import faults_translated
from station.ports import Change, MirrorObject, MirrorState, NewEvent, StoreFault


def big(at: int) -> Change:
    return Change([NewEvent("config_applied", at, 0, data={"text": "x" * 8000})])


async def test_a_full_disk_is_said_rolled_back_and_survived(store: SqliteStore) -> None:
    def room(pages: int) -> Callable[[sqlite3.Connection], int]:
        return lambda db: db.execute(f"PRAGMA max_page_count={pages}").fetchone()[0]

    await store.commit(big(0))
    used = await store._thread.run(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await store._thread.run(room(used + 3))
    kept = 1
    with pytest.raises(StoreFault) as caught:  # noqa: PT012 - which one fails is SQLite's business
        for at in range(1, 10):
            await store.commit(big(at))
            kept += 1
    assert caught.value.code == "disk_full"
    assert [event.seq for event in await store.pending(100)] == list(range(1, kept + 1))
    with pytest.raises(StoreFault):
        await store.replace_mirror(MirrorState("e", "c", 1), many(made_large=True))
    assert await store.mirror_state() == MirrorState()
    await store._thread.run(room(100_000))
    await store.commit(big(99))
    assert [event.seq for event in await store.pending(100)] == list(range(1, kept + 2))


def many(*, made_large: bool) -> list[MirrorObject]:
    text = "x" * (4000 if made_large else 1)
    return [MirrorObject("area", n, 1, {"name": text}) for n in range(50)]


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


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM no_such_table", "INSERT INTO note VALUES ('a', NULL)"])
async def test_our_own_mistakes_are_not_faults_of_the_disk(store: SqliteStore, sql: str) -> None:
    with pytest.raises(sqlite3.Error):
        await store._thread.run(lambda db: db.execute(sql))
    await store.alive()


@pytest.mark.parametrize("body", ["{", "[]", "1"])
async def test_a_body_that_is_no_object_is_a_broken_store(store: SqliteStore, body: str) -> None:
    await store._thread.run(
        lambda db: db.execute("INSERT INTO mirror_object (type, id, revision, body) VALUES ('key', 1, 1, ?)", [body])
    )
    with pytest.raises(StoreFault) as caught:
        await store.objects("key")
    assert caught.value.code == "store_broken"


async def test_text_that_is_no_utf8_is_a_broken_store(store: SqliteStore) -> None:
    # Met on a later row, while reading.
    await store.note("a", "fine")
    await store._thread.run(lambda db: db.execute("INSERT INTO note VALUES ('b', CAST(x'ff' AS TEXT))"))
    with pytest.raises(StoreFault) as caught:
        await store._thread.run(lambda db: db.execute("SELECT value FROM note ORDER BY name").fetchall())
    assert caught.value.code == "store_broken"


async def test_damage_under_a_running_store_is_reported(store: SqliteStore, path: Path) -> None:
    for at in range(40):
        await store.commit(big(at))
    await store._thread.run(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    size = path.stat().st_size
    with path.open("r+b") as file:
        for start in range(4096 * 2, size, 4096):
            file.seek(start)
            file.write(b"\xff" * 64)
    await store._thread.run(lambda db: db.execute("PRAGMA shrink_memory").fetchall())
    with pytest.raises(StoreFault) as caught:
        await store.pending(100)
    assert caught.value.code == "store_broken"


async def test_cancelled_callers_leave_the_thread_working(store: SqliteStore) -> None:
    release, begun = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        release.wait(10)

    holding = asyncio.create_task(store._thread.run(hold))
    waiting = [asyncio.create_task(store.commit(Change([NewEvent("key_synced", at, 0)]))) for at in range(10)]
    failing = asyncio.create_task(store.commit(Change([NewEvent("x", 1, 0, data={"x": object()})])))
    await asyncio.to_thread(begun.wait, 10)
    for task in (holding, *waiting[::2], failing):
        task.cancel()
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(*waiting[1::2])
    await store.alive()
    # What was handed over is done, heard or not.
    assert [event.body["at"] for event in await store.pending(100)] == list(range(10))
    assert all(task.cancelled() for task in (holding, *waiting[::2], failing))


async def test_an_unheard_fault_is_logged_without_its_content(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def fail(_: sqlite3.Connection) -> None:
        release.wait(10)
        raise ValueError("marked-secret")

    task = asyncio.create_task(store._thread.run(fail))
    await asyncio.sleep(0)
    task.cancel()
    release.set()
    await store.alive()
    assert "store.fault_unheard type=ValueError" in caplog.text
    assert "marked-secret" not in caplog.text


async def test_a_stuck_disk_does_not_collect_calls_without_end(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_thread, "JOBS_WAITING_MAX", 3)
    release, begun = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        begun.set()
        release.wait(10)

    holding = asyncio.create_task(store._thread.run(hold))
    await asyncio.to_thread(begun.wait, 10)
    waiting = [asyncio.create_task(store.alive()) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(StoreFault) as caught:
        await store.alive()
    assert caught.value.fields == {"reason": "too_many_waiting"}
    release.set()
    await asyncio.gather(holding, *waiting)
    await store.alive()


async def test_closing_finishes_what_was_handed_over_and_can_be_repeated(store: SqliteStore, path: Path) -> None:
    waiting = [asyncio.create_task(store.commit(Change([NewEvent("key_synced", at, 0)]))) for at in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreFault) as caught:
        await store.alive()
    assert caught.value.fields == {"reason": "closed"}
    assert not any(thread.name == "station-store" for thread in threading.enumerate() if thread.is_alive())
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT COUNT(*) FROM outbox").fetchone() == (20,)
    conn.close()
