# ruff: noqa: ASYNC240 - nothing else runs on a test's loop meanwhile
import os
import random
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlite_utils import Database

from offline_cache import SqliteStore, connection
from offline_cache.connection import immediate
from offline_cache.schema import migrations
from station.ports import Change, LogEvent, Store, StoreFault

Sql: TypeAlias = Callable[..., Awaitable[list[tuple[Any, ...]]]]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_file_is_for_its_owner_only(path: Path) -> None:
    old = os.umask(0)
    try:
        store: Store = await SqliteStore.open(path)
    finally:
        os.umask(old)
    await store.commit(Change(events=[LogEvent("station_started", 1, 0)]))
    assert mode_of(path.parent) == 0o700
    files = sorted(each.name for each in path.parent.iterdir())
    assert files == ["station.db", "station.db-shm", "station.db-wal", "station.db.lock"]
    assert {mode_of(each) for each in path.parent.iterdir()} == {0o600}
    await store.close()
    assert not path.with_name("station.db-wal").exists()


async def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    store = await SqliteStore.open(path)
    await store.close()
    assert mode_of(path) == 0o600


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("busy_timeout", connection.BUSY_TIMEOUT_MS),
        ("wal_autocheckpoint", connection.WAL_AUTOCHECKPOINT_PAGES),
        ("journal_size_limit", connection.JOURNAL_SIZE_LIMIT_BYTES),
        ("secure_delete", 1),
    ],
)
async def test_pragmas(sql: Sql, pragma: str, value: object) -> None:
    assert await sql(f"PRAGMA {pragma}") == [(value,)]


async def test_every_table_is_strict(store: SqliteStore) -> None:
    found = await store.thread.run(lambda db: {table.name: table.strict for table in db.tables})
    # SQLite's own, for AUTOINCREMENT.
    found.pop("sqlite_sequence")
    assert len(found) >= 9
    assert [name for name, strict in found.items() if not strict] == []


async def test_no_column_could_hold_a_pin(store: SqliteStore) -> None:
    names = await store.thread.run(lambda db: {each.name.lower() for table in db.tables for each in table.columns})
    suspicious = ("pin", "secret", "pepper", "token", "password", "salt", "digit", "private")
    # The tag alone: worth nothing without the pepper, which is not here.
    assert {name for name in names if any(word in name for word in suspicious)} == {"pin_tag"}


async def test_what_was_stored_is_there_after_opening_again(
    store: SqliteStore, reopen: Callable[[], Awaitable[SqliteStore]]
) -> None:
    await store.commit(Change(events=[LogEvent("station_started", 1, 0)]))
    again = await reopen()
    assert again.instance == store.instance
    assert [event.seq for event in await again.pending(10)] == [1]


async def test_two_databases_are_two_instances(tmp_path: Path) -> None:
    first, second = [await SqliteStore.open(tmp_path / name) for name in ("a.db", "b.db")]
    assert first.instance != second.instance
    await first.close()
    await second.close()


async def test_opening_twice_is_refused_and_harms_nothing(store: SqliteStore, path: Path) -> None:
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(path)
    assert (caught.value.code, caught.value.fields) == ("store_io", {"reason": "in_use"})
    await store.commit(Change(events=[LogEvent("station_started", 1, 0)]))
    assert await store.pending_count() == 1


@pytest.mark.parametrize(
    "content", [b"this is not a database" * 500, random.Random(1).randbytes(8192)], ids=["text", "noise"]
)
async def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(path)
    assert caught.value.code == "store_broken"
    assert path.read_bytes() == content


async def test_a_damaged_page_is_found_at_opening(path: Path) -> None:
    store = await SqliteStore.open(path)
    for at in range(200):
        await store.note(f"name {at}", "x" * 400)
    await store.close()
    content = bytearray(path.read_bytes())
    for start in range(4096 * 10, len(content), 4096):
        content[start : start + 100] = b"\xff" * 100
    path.write_bytes(content)
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(path)
    assert caught.value.code == "store_broken"
    # The lock went with the failure: the next attempt reports the same, not that it is in use.
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(path)
    assert caught.value.code == "store_broken"


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(tmp_path / "file" / "station.db")
    assert caught.value.code == "store_io"


async def test_a_database_of_a_later_program_is_left_alone(path: Path) -> None:
    store = await SqliteStore.open(path)
    await store.close()
    with sqlite3.connect(path) as conn:
        conn.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, 'from_the_future', '')",
            [migrations.name],
        )
    conn.close()
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(path)
    assert (caught.value.code, caught.value.fields) == ("store_io", {"reason": "newer_schema"})


async def test_a_transaction_may_write_from_its_beginning(store: SqliteStore, path: Path) -> None:
    # Or somebody with a shell could write in between, and ours could not go on whatever it waits.
    def work(db: Database) -> None:
        with (
            immediate(db),
            closing(sqlite3.connect(path, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            other.execute("INSERT INTO note VALUES ('a', 'b')")

    await store.thread.run(work)


async def test_nothing_stays_open(path: Path) -> None:
    def descriptors() -> list[Path]:
        return sorted(Path("/proc/self/fd").iterdir())

    before = descriptors()
    store = await SqliteStore.open(path)
    await store.close()
    assert descriptors() == before
    path.write_bytes(b"no database" * 500)
    with pytest.raises(StoreFault):
        await SqliteStore.open(path)
    assert descriptors() == before


async def test_a_failing_migration_leaves_neither_tables_nor_record(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_migration(db: Database) -> None:
        db.execute("CREATE TABLE half (a INTEGER) STRICT")
        raise ZeroDivisionError

    monkeypatch.setattr(migrations, "_migrations", [*migrations._migrations])
    migrations(name="later")(broken_migration)
    with pytest.raises(ZeroDivisionError):
        await SqliteStore.open(path)
    conn = sqlite3.connect(path)
    assert conn.execute("SELECT name FROM sqlite_schema").fetchall() == []
    conn.close()
