# ruff: noqa: ASYNC240 - nothing else runs on a test's loop meanwhile
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from offline_cache import SqliteStore, connection, schema
from offline_cache.migrations import migrations
from station.ports import Change, NewEvent, Store, StoreFault

ROOT = Path(__file__).parents[2]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_the_file_is_for_its_owner_only(path: Path) -> None:
    old = os.umask(0)
    try:
        store: Store = await SqliteStore.open(path)
    finally:
        os.umask(old)
    await store.commit(Change(events=[NewEvent("station_started", 1, 0)]))
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
        ("cache_size", -connection.PAGE_CACHE_KIB),
        ("wal_autocheckpoint", connection.WAL_AUTOCHECKPOINT_PAGES),
        ("journal_size_limit", connection.JOURNAL_SIZE_LIMIT_BYTES),
    ],
)
async def test_pragmas(store: SqliteStore, pragma: str, value: object) -> None:
    assert await store._thread.run(lambda db: db.execute(f"PRAGMA {pragma}").fetchone()[0]) == value


async def test_every_table_is_strict(store: SqliteStore) -> None:
    def tables(db: sqlite3.Connection) -> dict[str, bool]:
        return {
            row["name"]: bool(row["strict"])
            for row in Database(db).query("PRAGMA table_list")
            if row["schema"] == "main"
        }

    found = await store._thread.run(tables)
    found.pop("sqlite_schema")
    assert len(found) >= 9
    assert [name for name, strict in found.items() if not strict] == []


async def test_no_column_could_hold_a_pin(store: SqliteStore) -> None:
    def columns(connection: sqlite3.Connection) -> set[str]:
        db = Database(connection)
        return {column.name.lower() for name in db.table_names() for column in db.table(name).columns}

    names = await store._thread.run(columns)
    suspicious = ("pin", "secret", "pepper", "token", "password", "salt", "digit", "private")
    # The tag alone: worth nothing without the pepper, which is not here.
    assert {name for name in names if any(word in name for word in suspicious)} == {"pin_tag"}


async def test_what_was_stored_is_there_after_opening_again(path: Path) -> None:
    store = await SqliteStore.open(path)
    instance = store.instance
    await store.commit(Change(events=[NewEvent("station_started", 1, 0)]))
    await store.close()
    again = await SqliteStore.open(path)
    assert again.instance == instance
    assert [event.seq for event in await again.pending(10)] == [1]
    await again.close()


async def test_two_databases_are_two_instances(tmp_path: Path) -> None:
    first, second = [await SqliteStore.open(tmp_path / name) for name in ("a.db", "b.db")]
    assert first.instance != second.instance
    await first.close()
    await second.close()


async def test_opening_twice_is_refused_and_harms_nothing(store: SqliteStore, path: Path) -> None:
    with pytest.raises(StoreFault) as caught:
        await SqliteStore.open(path)
    assert (caught.value.code, caught.value.fields) == ("store_io", {"reason": "in_use"})
    await store.commit(Change(events=[NewEvent("station_started", 1, 0)]))
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


async def test_a_database_from_before_goes_on_where_it_was(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        migrations.apply(Database(conn), stop_before="events_by_number")
        # Seven were counted; the newest was taken by central before the older ones, one of which it refused.
        conn.execute("UPDATE counters SET value = 7 WHERE name = 'event'")
        row = "INSERT INTO outbox (seq, id, id_given, body, set_aside) VALUES (?, ?, 0, ?, ?)"
        body = '{"at":1,"clock":0,"type":"key_synced"}'
        conn.executemany(row, [(4, "a", body, None), (5, "b", body, "bad_type"), (6, "c", body, None)])
        before = conn.execute("SELECT * FROM outbox").fetchall()
        assert conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'outbox_pending'").fetchall()
        (instance,) = conn.execute("SELECT id FROM instance").fetchone()
    store = await SqliteStore.open(path)
    assert store.instance == instance
    assert await store.pending_count() == 2
    await store.commit(Change([NewEvent("station_started", 1, 0)]))
    assert [(event.seq, event.body["type"]) for event in await store.pending(10)] == [
        (4, "key_synced"),
        (6, "key_synced"),
        (8, "station_started"),
    ]
    await store.close()
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("SELECT * FROM outbox WHERE seq < 8").fetchall() == before
        assert not conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'outbox_pending'").fetchall()


def test_the_migrations_are_those_that_opening_looks_for() -> None:
    assert {each.name for each in migrations._migrations} == schema.APPLIED


OPENS = """
import asyncio, sys
from pathlib import Path
from offline_cache import SqliteStore
async def run():
    store = await SqliteStore.open(Path(sys.argv[1]))
    print("sqlite_utils" in sys.modules)
    await store.close()
asyncio.run(run())
"""


def test_what_migrates_is_loaded_only_to_migrate(path: Path) -> None:
    def loaded() -> str:
        command = [sys.executable, "-c", OPENS, str(path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip()

    assert loaded() == "True"
    assert loaded() == "False"


def wal_bytes(path: Path) -> int:
    return path.with_name(path.name + "-wal").stat().st_size


WAL_BYTES = connection.WAL_AUTOCHECKPOINT_PAGES * 4096


async def test_the_wal_is_as_long_at_once_as_it_becomes(store: SqliteStore, path: Path) -> None:
    grown = wal_bytes(path)
    assert WAL_BYTES <= grown < WAL_BYTES * 1.1
    for at in range(100):
        await store.commit(Change([NewEvent("key_synced", at, 0)]))
    assert wal_bytes(path) == grown
    tables = await store._thread.run(lambda db: db.execute("SELECT name FROM sqlite_schema").fetchall())
    assert ("room",) not in tables
    await store.close()
    assert path.stat().st_size < WAL_BYTES / 4, "nothing of it comes into the database"


async def test_what_a_killed_station_left_is_long_enough(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    await store.commit(Change([NewEvent("key_synced", 1, 0)]))
    grown = wal_bytes(path)
    for suffix in ("", "-wal"):
        shutil.copy(path.with_name(path.name + suffix), tmp_path / f"copy.db{suffix}")
    again = await SqliteStore.open(tmp_path / "copy.db")
    assert wal_bytes(tmp_path / "copy.db") == grown
    assert await again.pending_count() == 1
    await again.close()


async def test_where_room_is_short_the_wal_takes_none_in_advance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WAL_GROWS_IN_BYTES", 1 << 60)
    store = await SqliteStore.open(path)
    assert wal_bytes(path) < WAL_BYTES / 4
    await store.close()


async def test_a_database_at_its_limit_opens_without_room_for_the_wal(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = await SqliteStore.open(path)
    await store.close()
    monkeypatch.setattr(connection, "DATABASE_LIMIT_BYTES", path.stat().st_size + 4096 * 20)
    again = await SqliteStore.open(path)
    await again.commit(Change([NewEvent("key_synced", 1, 0)]))
    assert await again.pending_count() == 1
    assert await again._thread.run(lambda db: db.execute("PRAGMA cache_size").fetchone()) == (
        -connection.PAGE_CACHE_KIB,
    )
    assert "store.wal_not_grown sqlite=SQLITE_FULL" in caplog.text
    await again.close()


async def test_an_event_is_two_pages_to_write(store: SqliteStore) -> None:
    # The row and its id, as with the bare driver.
    def pages(db: sqlite3.Connection) -> int:
        _, found, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(found)

    await store.commit(Change([NewEvent("key_synced", 1, 0)]))
    await store._thread.run(pages)
    # All is in the database: the WAL begins anew.
    await store.commit(Change([NewEvent("key_synced", 2, 0)]))
    assert await store._thread.run(pages) == 2


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
