"""Blank keys at a station's screen: real central, real emulated keys on a pseudo-terminal, a real database."""

import logging
from collections.abc import AsyncIterator

import pytest

from drivers.emulated_key.options import KeyOptions
from station.demo.served_station import ServedStation
from station.demo.site import DemoSite
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.records.claims import KeyKind, KeyRecord
from station.records.envelope import verified
from station.rules.hand_out import HandOutTold
from tests.services.hooked import HookedKey, World

pytestmark = pytest.mark.slow


@pytest.fixture
async def station(world: DemoSite) -> AsyncIterator[ServedStation]:
    it = ServedStation(world, world.home)
    await it.start()
    yield it
    await it.stop()


def blank_keys(world: DemoSite) -> list[int]:
    return [k.number for k in world.keys.values() if k.status == "blank"]


def hooked(world: DemoSite, number: int) -> HookedKey:
    """The site's key of that number, which tells what is asked of it."""
    key = world._emulated[number] = HookedKey(world.folder / "keys" / str(number), KeyOptions(), World())
    return key


async def shows(station: ServedStation, line: Line, told: HandOutTold | None = None) -> Screen:
    wanted = await station.comes_to_show(lambda s: s.line is line and (told is None or s.hand_out is told))
    assert wanted, station.screen
    assert station.screen is not None
    return station.screen


async def test_a_blank_key_is_handed_out(
    world: DemoSite, station: ServedStation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    number = next(n for n in blank_keys(world) if world.keys[n].kind is KeyKind.PERSONAL)
    code = (await world.central.provision_code(number)).reveal()
    key = hooked(world, number)
    await station.insert(number)
    await shows(station, Line.BLANK)
    # A PIN by mistake, and a wrong code.
    await station.type("*1234567890#")
    await shows(station, Line.BLANK, HandOutTold.NOT_A_CODE)
    await station.type("0000000000#")
    await shows(station, Line.BLANK, HandOutTold.BAD_CODE)
    # No network: said, and nothing sent.
    await world.home.network.cut()
    await station.type(f"{code}#")
    await shows(station, Line.BLANK, HandOutTold.NO_ANSWER)
    station.station.mirror.wake()
    assert await station.comes_to_show(lambda s: not s.status.online)
    await station.type(f"{code}#")
    assert station.station.visits.state.phase.value == "blank"
    await world.home.network.restore()
    await station.refresh()
    assert await station.comes_to_show(lambda s: s.status.online)

    # Pulled as its record is written: it is still blank, and the same code is good again.
    def pulled(n: int) -> bool:
        if key.asked[n] == "write id":
            station.take()
            return False
        return True

    key.before = pulled
    await station.type(f"{code}#")
    await shows(station, Line.OUT_HANDING_OUT)
    assert key.file(KeyFile.ID) == b""
    key.before = lambda _: True
    # A key that answers at the first look after a lost answer is taken for one that cannot take so much at once.
    reader = station.station.reader
    looked_s = reader.looked_at_s
    await station.until(lambda: reader.looked_at_s > looked_s + 0.5)
    await station.insert(number)
    await shows(station, Line.BLANK)
    await station.type(f"{code}#")
    done = await shows(station, Line.HANDED_OUT)
    assert done.key == number
    assert done.holder_name
    assert world.keys[number].holder.startswith(done.holder_name)
    record = verified(KeyRecord, key.file(KeyFile.ID), world.central_keys)
    assert record is not None
    assert record.key == number
    assert not world.try_lock(number, 102, 9).opened
    await station.pull()
    await station.insert(number)
    assert (await shows(station, Line.PROMPT)).key == number
    await station.pull()
    # Its number is nobody else's: not with the same code, here.
    other = next(n for n in blank_keys(world) if n != number)
    await station.insert(other)
    await shows(station, Line.BLANK)
    await station.type(f"{code}#")
    await shows(station, Line.BLANK, HandOutTold.CODE_SPENT)
    await station.pull()
    assert world.key_folder(other).read(KeyFile.ID) == b""
    # What was typed is nowhere.
    await station.wait_until_idle()
    database = world.home.settings().storage.database
    kept = b"".join(path.read_bytes() for path in database.parent.iterdir() if path.name.startswith(database.name))
    for typed in (code, "1234567890"):
        assert typed not in caplog.text
        assert typed.encode() not in kept


async def test_another_key_in_its_place_stays_what_it_is(world: DemoSite, station: ServedStation) -> None:
    number = blank_keys(world)[0]
    owner = next(k.number for k in world.keys.values() if k.status == "active" and k.pin is not None)
    code = (await world.central.provision_code(number)).reveal()
    blank, hers = hooked(world, number), hooked(world, owner)
    record, line = hers.file(KeyFile.ID), world.home.line

    def swapped(n: int) -> bool:
        if blank.asked[n] == "write id":
            hers.press()
            line.insert(hers)
            return False
        return True

    await station.insert(number)
    await shows(station, Line.BLANK)
    blank.before = swapped
    await station.type(f"{code}#")
    assert (await shows(station, Line.PROMPT)).key == owner
    assert (hers.file(KeyFile.ID), blank.file(KeyFile.ID)) == (record, b"")
    assert "write id" not in hers.steps
    await station.pull()
    # Five wrong codes, and this station waits; the time is said.
    blank.before = lambda _: True
    await station.insert(number)
    for _ in range(5):
        await shows(station, Line.BLANK)
        await station.type("0000000000#")
        await shows(station, Line.BLANK, HandOutTold.BAD_CODE)
    await station.type(f"{code}#")
    assert await station.comes_to_show(lambda s: s.wait_s is not None)
    assert station.screen is not None
    assert 840 < (station.screen.wait_s or 0) <= 900
    assert blank.file(KeyFile.ID) == b""
