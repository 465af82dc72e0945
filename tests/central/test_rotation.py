"""A site changes its central key while a real station, keys and locks go on; and what each step refuses."""

from typing import Any

import pytest

from station.demo.central_server import DemoFault
from station.ports import KeyFile
from station.records.claims import Blocklist, KeyRecord, Permit
from station.records.envelope import verified
from tests.central.town import KEYS, Town

pytestmark = pytest.mark.slow


def believed(town: Town) -> Any:
    return list(town.station._station.identity.central_keys)


async def test_a_whole_change_of_keys_under_service(town: Town) -> None:
    world = town.world
    (first,) = believed(town)
    await town.switch_on(5001)
    assert town.opens(5001) == "opened"

    with pytest.raises(DemoFault, match="announce the next key first"):
        await town.central("rotate-key", "resign")
    assert "announced" in await town.central("rotate-key", "announce")
    with pytest.raises(DemoFault, match="not_told=1"):
        await town.central("rotate-key", "resign")
    await town.heard()
    old, second = believed(town)
    assert old == first
    # Whoever sees to the locks tells them the next key before anything is signed with it.
    world._central_keys = (first, second)
    await town.switch_on(5002)
    assert town.opens(5001) == town.opens(5002) == "opened"

    world.skip(60)
    told = await town.central("rotate-key", "resign")
    assert "resigned" in told
    assert "stations: 1" in told
    await town.heard()
    for key in KEYS:
        await town.switch_on(key)
        assert town.opens(key) == "opened", key
        assert verified(Permit, world.key_folder(key).read(KeyFile.PERMIT), [second]), "by the new key"
    blocklist = town.station._station.standing.blocklist
    assert blocklist is not None
    assert verified(Blocklist, blocklist[0], [second])

    # The record that says which key it is has to be on each key before the old signature is worth nothing.
    with pytest.raises(DemoFault, match="keys=5001"):
        await town.central("rotate-key", "retire")
    for key in KEYS:
        await world.hand_out(key, world.home)
        assert verified(KeyRecord, world.key_folder(key).read(KeyFile.ID), [second])
    world.skip(60)
    still = await town.central("rotate-key", "status")
    assert not any(str(key) in still for key in KEYS)
    await town.central("rotate-key", "retire", "--force")
    await town.heard()
    assert believed(town) == [second]
    # The keys that were on stay on at locks that still know both; a new shift is good at those that know one.
    assert all(town.opens(key) == "opened" for key in KEYS)
    for key in KEYS:
        await town.switch_on(key)
    world._central_keys = (second,)
    assert all(town.opens(key) == "opened" for key in KEYS)
    assert not list((world.central.folder / "site-1").glob("signing-1.key"))
    await town.station.stop()
    await town.station.start()
    assert believed(town) == [second]
    await town.switch_on(5001)
