"""What ``sync`` on a key says: when central last confirmed a station that it met. Nobody prolongs it by himself."""

import pytest

from station.display.screen import Line
from station.ports import KeyFile, MirrorState
from station.records import envelope
from station.records.claims import Role, Sync
from station.records.keys import SigningKey
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, DAY_S, HER_KEY, HIS_KEY, PINS, POOL_KEY, TIM, Site, StationAt


async def met(site: Site, station: StationAt, key: HookedKey, pin: str = "") -> None:
    """In, perhaps on, and out."""
    station.insert(key)
    await station.until(Line.PROMPT)
    if pin:
        station.type(f"*{pin}#")
        await station.until(Line.READY)
    await station.idle()
    await station.out()
    site.skip(60)


async def isolated(site: Site, number: int = 2, age_s: int = 5 * DAY_S) -> StationAt:
    """A station that central confirmed so long ago."""
    station = await site.station(number, run=False)
    await site.fill(station.store.real, age_s=age_s)
    await station.mirror.load()
    station.start(poll=False)
    return station


@pytest.mark.parametrize(("number", "pin"), [(HER_KEY, ""), (HER_KEY, PINS[ANNA]), (POOL_KEY, PINS[TIM])])
async def test_a_station_without_a_network_prolongs_nothing_and_takes_nothing_back(
    site: Site, number: int, pin: str
) -> None:
    first, second, key = await site.station(), await isolated(site), site.key(number)
    confirmed_at = first.mirror.state.confirmed_at
    await met(site, first, key)
    assert site.sync(key, first) == Sync(confirmed_at or 0, number, 1)
    for _ in range(2):
        await met(site, second, key, pin)
        assert site.sync(key, second) == Sync(confirmed_at or 0, number, 2)
    assert key.file(KeyFile.CERT) == second.identity.certificate


async def test_what_it_was_told_itself_is_what_it_says_where_that_is_later(site: Site) -> None:
    first, second, key = await site.station(), await isolated(site), site.key(HER_KEY)
    await met(site, second, key)
    await met(site, first, key)
    assert site.sync(key, first) == Sync(first.mirror.state.confirmed_at or 0, HER_KEY, 1)


@pytest.mark.parametrize("forgery", ["future", "another_key", "another_station", "no_station", "a_boxs"])
async def test_a_sync_that_is_not_to_be_believed_prolongs_nothing(site: Site, forgery: str) -> None:
    station, key = await isolated(site, 1), site.key(HER_KEY)
    signing = SigningKey.generate()
    role = Role.ACTIVATION_BOX if forgery == "a_boxs" else Role.SYNC_STATION
    key.folder.store(KeyFile.CERT, site.certificate(3, signing, role))
    issued = site.now_s + 3600 if forgery == "future" else site.now_s - 100
    sync = Sync(issued, HIS_KEY if forgery == "another_key" else HER_KEY, 4 if forgery == "another_station" else 3)
    key.folder.store(KeyFile.SYNC, envelope.sign(sync, SigningKey.generate() if forgery == "no_station" else signing))
    await met(site, station, key)
    written = site.sync(key, station)
    assert written is not None
    assert written.issued == station.mirror.state.confirmed_at


async def test_a_key_that_was_locked_meanwhile_keeps_nothing_of_it(site: Site) -> None:
    first, key = await site.station(), site.key(HER_KEY)
    await met(site, first, key)
    site.objects["key", HER_KEY]["locked_at"] = site.now_s
    second = await isolated(site)
    second.insert(key)
    await second.until(Line.REFUSED)
    await second.idle()
    assert key.file(KeyFile.SYNC) == b""


async def test_a_station_that_cannot_activate_leaves_cert_and_sync_alone(site: Site) -> None:
    first, key = await site.station(), site.key(HER_KEY)
    await met(site, first, key)
    before = key.file(KeyFile.CERT), key.file(KeyFile.SYNC)
    second = await isolated(site, age_s=11 * DAY_S)
    second.insert(key)
    await second.until(Line.REFUSED)
    await second.idle()
    assert (key.file(KeyFile.CERT), key.file(KeyFile.SYNC)) == before
    assert second.mirror.state != MirrorState()


async def test_a_clock_far_before_the_keys_own_sync_has_lost_power(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await met(site, station, key)
    key.clock_text = "2024-01-01T00:00:00"
    await met(site, station, key)
    (event,) = await station.events("key_power_lost")
    assert event["key"] == HER_KEY
