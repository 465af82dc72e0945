"""One seeded sample site, copied for each test that plays on it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from station.demo.central_server import CentralServer
from station.demo.site import DemoSite


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    asyncio.run(CentralServer(folder / "central", folder / "keys").prepare())
    return folder


@pytest.fixture
def site(sample: Path, tmp_path: Path) -> Path:
    """The folder of a site of one's own, for ``station demo --state``."""
    return Path(shutil.copytree(sample, tmp_path / "site"))


@pytest.fixture
async def world(site: Path) -> AsyncIterator[DemoSite]:
    it = DemoSite(site, language="en")
    try:
        await it.start()
        yield it
    finally:
        await it.close()
