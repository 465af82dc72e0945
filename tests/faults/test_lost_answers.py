"""What one lost answer may leave behind: an event that nothing tells any more, a driver that has become careful."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from drivers.emulated_key.options import KeyOptions
from drivers.smp.lost_answers import SMALL_FOR_S, SMALL_ONCE_S
from drivers.smp.reader import SmpKeyReader
from drivers.smp.session import SmpKeySession
from station.display.screen import Line
from station.ports import KeyFile, KeyLost, ReaderSettings
from tests import virtual_time
from tests.faults.bad_contact import ContactInMemory
from tests.faults.worst_visit import BAUD, ENTRY, LoopWorld, started
from tests.services.hooked import HookedKey
from tests.services.site import HER_KEY

pytestmark = pytest.mark.usefixtures("in_memory")


def once(key: HookedKey, step: str) -> Callable[[int], bool]:
    """For ``before`` or ``after`` of a key: False for the first such request from now on."""
    left = [True]

    def heard(number: int) -> bool:
        if left and key.asked[number] == step:
            left.clear()
            return False
        return True

    return heard


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "answer_lost"])
def test_a_key_without_power_is_recorded_once_though_setting_its_clock_is_cut_short(folder: Path, heard: bool) -> None:
    async def work() -> None:
        site, station = await started(folder, ContactInMemory)
        try:
            key = site.key(HER_KEY)
            await site.switch_on(station, key)
            await station.out()
            site.skip(3600)
            key.folder.store_state(replace(key.folder.state(), clock_offset_s=None))
            if heard:
                key.after = once(key, "set clock")
            else:
                key.before = once(key, "set clock")
            station.insert(key)
            await station.until(Line.OUT_OFF)
            await station.until(Line.PROMPT)
            station.type(ENTRY)
            await station.until(Line.READY)
            counts = await station.counts()
            assert counts["key_power_lost"] == 1, counts
            assert counts["key_synced"] == 2, counts
            assert key.folder.clock().unix_s is not None
        finally:
            await site.close()

    virtual_time.run(work())


def test_one_lost_burst_makes_one_visit_slow_and_two_make_ten_minutes_slow(folder: Path) -> None:
    async def work() -> None:
        world = LoopWorld()
        line = ContactInMemory(folder / "port", BAUD)
        key = HookedKey(folder / "key", KeyOptions(buffer_bytes=1024), world)
        reader = SmpKeyReader(ReaderSettings(str(folder / "port"), BAUD))

        async def insert() -> SmpKeySession:
            key.press()
            line.insert(key)
            return await reader.next_key()

        async def cost() -> int:
            session = await insert()
            await session.write(KeyFile.PERMIT, bytes(1500))
            return session.wire_bytes

        async def lose() -> None:
            session = await insert()
            key.after = once(key, "write permit")
            with pytest.raises(KeyLost):
                await session.write(KeyFile.PERMIT, bytes(1500))

        try:
            usual = await cost()
            await lose()
            assert await cost() > 1.2 * usual
            await asyncio.sleep(SMALL_ONCE_S)
            assert await cost() == usual
            # It was answered: the next one that is lost is a first one again.
            await lose()
            await insert()
            await asyncio.sleep(SMALL_ONCE_S)
            await lose()
            await insert()
            await asyncio.sleep(2 * SMALL_ONCE_S)
            assert await cost() > 1.2 * usual
            await asyncio.sleep(SMALL_FOR_S)
            assert await cost() == usual
        finally:
            await reader.close()
            line.close()

    virtual_time.run(work())
