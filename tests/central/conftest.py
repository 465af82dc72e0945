"""A station's side of the served sample data (`tests.central.served`); a site for one test (`tests.central.site`)."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

import tests.central.django_ready  # noqa: F401  (before models are imported)
from station.demo.served_station import ServedStation
from station.demo.site import DemoSite
from tests.central.served import Caller, Served
from tests.central.site import make_site
from tests.central.town import Town


@pytest.fixture
def caller(served: Served) -> Iterator[Caller]:
    with httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        yield Caller(http)


@pytest.fixture
def site(served: Served) -> SimpleNamespace:
    """A small site of its own, with its parts: unit, area, lock, holder, permission, key, station."""
    return make_site()


@pytest.fixture
def nothing_stays(served: Served) -> Iterator[None]:
    """For a site so large that it would make every later test of the run slower."""
    from django.db import transaction

    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def enrolled(site: SimpleNamespace, caller: Caller) -> Caller:
    """An enrolled station of `site`."""
    from central.actions.codes import new_enrolment_code

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
