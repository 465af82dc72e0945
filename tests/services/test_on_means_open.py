"""ON is said of a key that locks open for, and of no other: what was written is checked, and judged as a lock will."""

from typing import Any

import pytest

from station.display.screen import Line
from station.ports import KeyFile
from station.records.base64url import encoded
from station.records.claims import Blocklist, KeyKind, KeyRecord
from station.records.keys import SigningKey
from station.rules.facts import OffOnlyReason, Refusal
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, DAY_S, HER_KEY, HIS_KEY, PINS, POOL_KEY, TIM, UNIT, Site, StationAt

KEPT_BYTES = 40


def full(key: HookedKey, file: KeyFile) -> None:
    """From now on the key answers that it has taken this file, and keeps its beginning (zephyr#107081)."""

    def after(_: int) -> bool:
        content = key.folder.stored(file) or b""
        if len(content) > KEPT_BYTES:
            key.folder.store(file, content[:KEPT_BYTES])
        return True

    key.after = after


async def refused(station: StationAt, key: HookedKey, pin: str) -> Refusal | None:
    station.insert(key)
    await station.until(Line.PROMPT)
    station.type(f"{pin}#")
    screen = await station.until(Line.REFUSED, Line.READY)
    assert screen.line is Line.REFUSED
    await station.idle()
    assert key.file(KeyFile.ACT) == b""
    assert not await station.events("key_activated", "key_write_interrupted")
    assert await station.store.real.tell_interrupted() == 0
    return screen.refusal


def without_stations(site: Site, *stations: int) -> bytes:
    """A newer blocklist, with these stations on it."""
    return site.sign(
        Blocklist(site.now_s + 30 * DAY_S, site.now_s - DAY_S, 2, blocked_keys=(), blocked_stations=stations)
    )


@pytest.mark.parametrize("file", [KeyFile.PERMIT, KeyFile.CERT, KeyFile.BLOCK])
@pytest.mark.parametrize("hashes", [True, False])
async def test_a_key_that_takes_it_and_keeps_forty_bytes(site: Site, file: KeyFile, *, hashes: bool) -> None:
    station, key = await site.station(), site.key(HER_KEY, hashes=("crc32", "sha256") if hashes else ())
    full(key, file)
    assert await refused(station, key, PINS[ANNA]) is Refusal.KEY_FAULT
    key.after = lambda _: True
    await station.out()
    site.skip(60)
    await site.switch_on(station, key)
    assert site.opens(key)


async def test_a_pool_key_that_keeps_forty_bytes_of_the_permit(site: Site) -> None:
    station, key = await site.station(), site.key(POOL_KEY)
    full(key, KeyFile.PERMIT)
    assert await refused(station, key, PINS[TIM]) is Refusal.KEY_FAULT
    (event,) = await station.events("key_refused")
    assert event["data"] == {"reason": "key_fault"}


async def test_a_station_on_the_blocklist_switches_off_and_says_so_on_the_empty_screen(site: Site) -> None:
    record = without_stations(site, 1)
    site.put("blocklist", 0, version=2, record=encoded(record))
    station, key = await site.station(), site.key(HER_KEY)
    assert (await station.until(Line.EMPTY)).status.off_only is OffOnlyReason.BLOCKED
    station.insert(key)
    assert (await station.until(Line.REFUSED)).refusal is Refusal.STATION
    await station.idle()
    assert key.file(KeyFile.SYNC) == b""
    assert key.file(KeyFile.BLOCK) == record


async def test_a_blocklist_that_a_key_brings_stops_the_station_that_is_on_it(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.BLOCK, without_stations(site, 1))
    assert await refused(station, key, PINS[ANNA]) is Refusal.STATION
    await station.out()
    station.insert(site.key(HIS_KEY))
    assert (await station.until(Line.REFUSED)).status.off_only is OffOnlyReason.BLOCKED


async def test_a_station_that_is_not_on_it_goes_on(site: Site) -> None:
    site.put("blocklist", 0, version=2, record=encoded(without_stations(site, 2)))
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    assert site.opens(key)


async def test_a_key_whose_clock_stands_still(site: Site) -> None:
    """It says that it has taken the time, and shows another: locks would go by that one."""
    station, key = await site.station(), site.key(HER_KEY)
    key.clock_text = "2024-01-01T00:00:00"
    assert await refused(station, key, PINS[ANNA]) is Refusal.KEY_FAULT


@pytest.mark.parametrize("on_key", [True, False], ids=["both", "a clone with the id from before"])
async def test_a_key_that_has_to_prove_itself_is_refused_for_as_long_as_keys_are_not_asked(
    site: Site, *, on_key: bool
) -> None:
    key = site.key(HER_KEY)
    claims: dict[str, Any] = {"key": HER_KEY, "kind": KeyKind.PERSONAL, "unit": UNIT, "holder": ANNA}
    record = site.sign(KeyRecord(issued=site.now_s - DAY_S, key_public=SigningKey.generate().public, **claims))
    site.objects["key", HER_KEY]["record"] = encoded(record)
    if on_key:
        key.folder.store(KeyFile.ID, record)
    station = await site.station()
    assert await refused(station, key, PINS[ANNA]) is Refusal.NOT_GENUINE


async def test_a_certificate_that_a_box_left_with_the_stations_own_number_is_what_locks_go_by(site: Site) -> None:
    """Whatever is on the key, what is asked is what a lock says of it."""
    station, key = await site.station(), site.key(HER_KEY)
    key.folder.store(KeyFile.BOXCERT, site.certificate(1, SigningKey.generate()))
    assert await refused(station, key, PINS[ANNA]) is Refusal.KEY_FAULT
    assert not site.opens(key)
