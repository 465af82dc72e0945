from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path

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


@pytest.fixture
def made() -> Callable[..., MirrorObject]:
    def made(type_: str, id_: int, revision: int = 1, pin_tag: bytes | None = None, **fields: object) -> MirrorObject:
        body = {"type": type_, "id": id_, "revision": revision, **fields}
        if pin_tag is not None:
            body["pin_tag"] = urlsafe_b64encode(pin_tag).rstrip(b"=").decode()
        return MirrorObject(type_, id_, revision, body)

    return made
