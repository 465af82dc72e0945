from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from offline_cache import SqliteStore
from station.ports import MirrorObject


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "station" / "station.db"


@pytest_asyncio.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = await SqliteStore.open(path)
    yield opened
    await opened.close()


@pytest_asyncio.fixture
async def reopen(store: SqliteStore, path: Path) -> AsyncIterator[Callable[[], Awaitable[SqliteStore]]]:
    """Closes the store and opens its file again."""
    opened = [store]

    async def again() -> SqliteStore:
        await opened[-1].close()
        opened.append(await SqliteStore.open(path))
        return opened[-1]

    yield again
    await opened[-1].close()


@pytest.fixture
def sql(store: SqliteStore) -> Callable[..., Awaitable[list[tuple[Any, ...]]]]:
    """All rows of one statement on the store's own connection."""

    async def rows(statement: str, *args: object) -> list[tuple[Any, ...]]:
        return await store.thread.run(lambda db: db.execute(statement, args).fetchall())

    return rows


@pytest.fixture
def made() -> Callable[..., MirrorObject]:
    def made(type_: str, id_: int, revision: int = 1, **fields: object) -> MirrorObject:
        return MirrorObject(type_, id_, {"type": type_, "id": id_, "revision": revision, **fields})

    return made
