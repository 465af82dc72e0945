import asyncio
from pathlib import Path

from offline_cache import SqliteStore


async def test_a_note_is_set_changed_and_kept(store: SqliteStore, path: Path) -> None:
    assert await store.note("clock_floor") is None
    assert await store.note("clock_floor", "5") == "5"
    assert await store.note("clock_floor", "7") == "7"
    assert await store.note("other") is None
    await store.close()
    again = await SqliteStore.open(path)
    assert await again.note("clock_floor") == "7"
    await again.close()


async def test_the_same_note_again_writes_nothing(store: SqliteStore) -> None:
    await store.note("clock_floor", "5")
    before = await store._thread.run(lambda db: db.total_changes)
    assert await store.note("clock_floor", "5") == "5"
    assert await store._thread.run(lambda db: db.total_changes) == before


async def test_a_sequence_number_is_never_given_twice(store: SqliteStore, path: Path) -> None:
    given = await asyncio.gather(*(store.next_sequence() for _ in range(20)))
    assert given == list(range(1, 21))
    await store.close()
    again = await SqliteStore.open(path)
    assert await again.next_sequence() == 21
    await again.close()
