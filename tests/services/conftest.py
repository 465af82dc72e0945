import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from station.records.keys import SigningKey
from tests.services.lying_central import DAY_S, NOW_S, LyingCentral
from tests.services.parts import HandClocks, Parts
from tests.services.site import Site, notice_removals_quickly


@pytest.fixture
def clocks() -> HandClocks:
    return HandClocks()


@pytest_asyncio.fixture
async def central(clocks: HandClocks) -> AsyncIterator[LyingCentral]:
    it = LyingCentral()
    # True time goes with the machine's boot clock, however its other clocks are turned.
    started_s = clocks.readings.boottime_s
    it.clock = lambda: NOW_S + int(clocks.readings.boottime_s - started_s)
    it.small_site()
    await it.start()
    yield it
    await it.stop()


@pytest_asyncio.fixture
async def parts(central: LyingCentral, clocks: HandClocks, tmp_path: Path) -> AsyncIterator[Parts]:
    """A station that is enrolled and has not met central yet."""
    signing = SigningKey.generate()
    central.certificate = certificate = central.certify(signing.public, NOW_S - 5 * DAY_S)
    it = await Parts.start(central, clocks, tmp_path / "station.db", signing, certificate)
    yield it
    await it.close()


@pytest_asyncio.fixture
async def synced(parts: Parts) -> Parts:
    """A station whose mirror is up to date."""
    assert await parts.poll()
    return parts


@pytest_asyncio.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """Stations and keys of real parts; removals are noticed quickly."""
    notice_removals_quickly(monkeypatch)
    it = Site(tmp_path)
    yield it
    await it.close()


@pytest.fixture(autouse=True)
def _logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "station")
