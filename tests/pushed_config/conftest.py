from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.pushed_config.site import Site


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    it = Site(tmp_path)
    await it.start()
    it.push(it.text())
    yield it
    await it.close()
