"""The database's thread: callers that give up, a disk that hangs, closing."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlite_utils import Database

from offline_cache import SqliteStore, database_thread
from offline_cache.database_thread import DatabaseThread
from station.ports import Change, LogEvent, StoreFault


@asynccontextmanager
async def held_up(store: SqliteStore) -> AsyncIterator["asyncio.Task[None]"]:
    """Inside, the thread is busy with a first piece of work."""
    release, begun = threading.Event(), threading.Event()

    def hold(_: Database) -> None:
        begun.set()
        release.wait(10)

    holding = asyncio.create_task(store.thread.run(hold))
    await asyncio.to_thread(begun.wait, 10)
    try:
        yield holding
    finally:
        release.set()


async def test_cancelled_callers_leave_the_thread_working(store: SqliteStore) -> None:
    async with held_up(store) as holding:
        waiting = [asyncio.create_task(store.commit(Change([LogEvent("key_synced", at, 0)]))) for at in range(10)]
        failing = asyncio.create_task(store.commit(Change([LogEvent("x", 1, 0, data={"x": object()})])))
        await asyncio.sleep(0)
        for task in (holding, *waiting[::2], failing):
            task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting[1::2])
    # What was handed over is done, heard or not.
    assert [event.body["at"] for event in await store.pending(100)] == list(range(10))
    assert all(task.cancelled() for task in (holding, *waiting[::2], failing))


async def test_an_unheard_fault_is_logged_without_its_content(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Database) -> None:
        raise ValueError("marked-secret")

    async with held_up(store):
        task = asyncio.create_task(store.thread.run(fail))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
    await store.alive()
    assert "store.fault_unheard type=ValueError" in caplog.text
    assert "marked-secret" not in caplog.text


async def test_a_stuck_disk_does_not_collect_calls_without_end(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_thread, "UNFINISHED_MAX", 4)
    async with held_up(store) as holding:
        waiting = [asyncio.create_task(store.alive()) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(StoreFault) as caught:
            await store.alive()
        assert caught.value.fields == {"reason": "too_many_waiting"}
    await asyncio.gather(holding, *waiting)
    await store.alive()


async def test_closing_finishes_what_was_handed_over_and_can_be_repeated(store: SqliteStore, path: Path) -> None:
    waiting = [asyncio.create_task(store.commit(Change([LogEvent("key_synced", at, 0)]))) for at in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(store.close(), store.close())
    await store.close()
    await asyncio.gather(*waiting)
    with pytest.raises(StoreFault) as caught:
        await store.alive()
    assert caught.value.fields == {"reason": "closed"}
    assert not any(thread.name.startswith("station-store") for thread in threading.enumerate())
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT COUNT(*) FROM outbox").fetchone() == (20,)
    conn.close()


async def test_an_opening_that_nobody_waits_for_lets_go_of_the_file(path: Path) -> None:
    task = asyncio.create_task(DatabaseThread.start(path))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (thread,) = [each for each in threading.enumerate() if each.name.startswith("station-store")]
    await asyncio.to_thread(thread.join, 10)
    store = await SqliteStore.open(path)
    await store.close()


async def test_a_store_that_nobody_has_closed_lets_go_of_the_file(path: Path) -> None:
    store = await SqliteStore.open(path)
    executor = store.thread._executor
    del store
    # A busy machine lets the thread hold what it did last until it does something else.
    executor.submit(int).result()
    del executor
    gc.collect()
    again = await SqliteStore.open(path)
    await again.close()
