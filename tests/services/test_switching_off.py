"""A program without a station switches keys off, and says so only of those of which it is certain."""

import asyncio

import pytest

from drivers.smp.reader import SmpKeyReader
from station.key.switching_off import SocketSays, switch_off_keys
from station.ports import KeyFile, ReaderSettings
from tests.services.parts import eventually
from tests.services.site import FAST_BAUD, HER_KEY, Site


@pytest.mark.parametrize(
    ("folder", "has_id", "says", "is_on"),
    [
        pytest.param("/lfs1", True, SocketSays.OFF, False, id="a_key"),
        pytest.param("/lfs1", False, SocketSays.OFF, False, id="one_that_does_not_say_which"),
        pytest.param("/elsewhere", True, SocketSays.STILL_ON, True, id="one_whose_files_are_in_another_folder"),
    ],
)
async def test_it_is_off_when_its_act_is_known_to_be_empty(
    site: Site, folder: str, has_id: bool, says: SocketSays, is_on: bool
) -> None:
    station = await site.station(run=False)
    await station.station.reader.close()
    key = site.key(HER_KEY, folder=folder)
    key.folder.store(KeyFile.ACT.value, b"an activation")
    if not has_id:
        key.folder.store(KeyFile.ID.value, b"")
    said: list[SocketSays] = []
    reader = SmpKeyReader(ReaderSettings(str(site.folder / "station1" / "port"), FAST_BAUD, "/lfs1"))
    task = asyncio.create_task(switch_off_keys(reader, said.append))
    station.insert(key)
    await eventually(lambda: {SocketSays.OFF, SocketSays.STILL_ON} & {*said})
    assert said[-1] is says
    assert bool(key.file(KeyFile.ACT)) is is_on
    task.cancel()
    await asyncio.wait([task])
    await reader.close()
