"""A station's side of the served sample data (`tests.central.shared`), and sites for one test each.

Tests stay apart by having a site each: `site` makes a fresh one.
"""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from station.demo.served_station import ServedStation
from station.demo.site import DemoSite
from tests.central.served import Caller, Served
from tests.central.town import Town

_site_numbers = count(100)


@pytest.fixture
def caller(served: Served) -> Iterator[Caller]:
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        yield Caller(http)


@pytest.fixture
def site(served: Served) -> SimpleNamespace:
    """A small site of its own, with its parts: unit, area, lock, holder, permission, key, station."""
    from central import models
    from central.feed import change

    number = next(_site_numbers)
    with change():
        it = models.Site(number=number, name=f"Testby {number}")
        it.save()
        unit = models.Unit(site=it, number=1, name="Norr")
        unit.save()
        area = models.Area(site=it, number=2, name="Backen")
        area.save()
        lock = models.Lock(site=it, number=101, area=area)
        lock.save()
        holder = models.Holder(site=it, number=11, given_name="Eva", family_name="Exempel", category=0, unit=unit)
        holder.save()
        permission = models.Permission(holder=holder)
        permission.save()
        permission.areas.set([area])
        key = models.Key(site=it, number=51, kind=0, unit=unit, holder=holder, status="active")
        key.save()
        station = models.Station(site=it, number=1, name="Entré", unit=unit)
        station.save()
    return SimpleNamespace(
        site=it, unit=unit, area=area, lock=lock, holder=holder, permission=permission, key=key, station=station
    )


@pytest.fixture
def enrolled(site: SimpleNamespace, caller: Caller) -> Caller:
    """An enrolled station of `site`."""
    from central.codes import new_enrolment_code

    assert caller.enrol(new_enrolment_code(site.station)).status_code == 201
    return caller


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    world = DemoSite(tmp_path / "site", language="en")
    try:
        await world.start()
        station = ServedStation(world, world.home)
        await station.start()
        try:
            yield Town(world, station)
        finally:
            await station.stop()
    finally:
        await world.close()
