"""While all PINs are renewed: a PIN matches under either pepper, and one that two people have is nobody's."""

from dataclasses import replace

import pytest

from station.display.screen import Line
from station.records.claims import Category, Role
from station.records.pins import pin_tag
from station.secret import Secret
from tests.services.site import ANNA, BO, DAY_S, HER_KEY, HIS_KEY, PIN_SECRETS, PINS, POOL_KEY, TIM, Site, StationAt

NEW_PEPPER = b"q" * 32
RENEWING = replace(PIN_SECRETS, peppers=((2, Secret(NEW_PEPPER)), *PIN_SECRETS.peppers))


def new_tag(pin: str) -> bytes:
    s = PIN_SECRETS
    return pin_tag(pin.encode(), s.site_salt, NEW_PEPPER, time=s.time, memory_kib=s.memory_kib, lanes=s.lanes)


async def renewing(site: Site, number: int = 1, role: Role = Role.SYNC_STATION) -> StationAt:
    station = await site.station(number, role=role)
    station.identity.pin = RENEWING
    return station


async def wrong(site: Site, station: StationAt, key: int, pin: str) -> None:
    station.insert(site.key(key))
    await station.until(Line.PROMPT)
    station.type(f"{pin}#")
    await station.until(Line.WRONG_PIN)
    await station.idle()
    assert (await station.store.real.attempts(key)).failures == 1


async def test_a_new_pin_and_an_old_one(site: Site) -> None:
    site.person(ANNA, Category.PERMANENT, pin_tag=new_tag("777777"))
    station = await renewing(site)
    await site.switch_on(station, site.key(HER_KEY), "777777")
    await station.out()
    await site.switch_on(station, site.key(HIS_KEY), PINS[BO])
    await station.out()
    await site.switch_on(station, site.key(POOL_KEY), PINS[TIM])


async def test_the_old_pin_of_somebody_who_has_a_new_one_is_wrong(site: Site) -> None:
    site.person(ANNA, Category.PERMANENT, pin_tag=new_tag("777777"))
    await wrong(site, await renewing(site), HER_KEY, PINS[ANNA])


async def test_an_old_pin_is_wrong_once_its_pepper_has_gone(site: Site) -> None:
    station = await renewing(site)
    station.identity.pin = replace(RENEWING, peppers=RENEWING.peppers[:1])
    await wrong(site, station, HER_KEY, PINS[ANNA])


@pytest.mark.parametrize("key", [HER_KEY, POOL_KEY])
async def test_a_pin_that_two_people_have_under_one_pepper_each(site: Site, key: int) -> None:
    site.person(ANNA, Category.PERMANENT, pin_tag=new_tag(PINS[TIM]))
    await wrong(site, await renewing(site), key, PINS[TIM])


async def test_a_box_takes_either_too(site: Site) -> None:
    station, key = await site.station(), site.key(HER_KEY)
    await site.switch_on(station, key)
    await station.out()
    site.skip(DAY_S)
    box = await renewing(site, 13, Role.ACTIVATION_BOX)
    await site.switch_on(box, key, PINS[ANNA])
    assert site.opens(key)
