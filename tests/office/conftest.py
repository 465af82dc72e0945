"""Two sites with two units each, and a user for each role; Django's client and the served sample data beside it."""

from collections.abc import Callable, Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from tests.central.conftest import caller  # noqa: F401  (a station of the same server)
from tests.central.served import Served
from tests.office.browser import PASSWORD, USER, Browser, browsing

_site_numbers = count(5000)


def make_site() -> SimpleNamespace:
    """A site with two units; in each a permanent and an hourly holder, a personal, substitute and emergency key."""
    from central import models
    from central.feed import change

    number = next(_site_numbers)
    with change():
        it = models.Site(number=number, name=f"Testby {number}")
        it.save()
        area = models.Area(site=it, number=2, name="Backen")
        area.save()
        models.Lock(site=it, number=101, area=area).save()
        units = []
        for n, name in ((1, "Norr"), (2, "Söder")):
            unit = models.Unit(site=it, number=n, name=name)
            unit.save()
            own = models.Holder(
                site=it, number=10 * n, given_name="Eva", family_name=f"Exempel {n}", category=0, unit=unit
            )
            own.save()
            hourly = models.Holder(
                site=it, number=10 * n + 1, given_name="Tim", family_name=f"Test {n}", category=2, unit=unit
            )
            hourly.save()
            for holder, of in ((own, None), (hourly, unit)):
                permission = models.Permission(holder=holder, unit=of)
                permission.save()
                permission.areas.set([area])
            keys = []
            for kind in (0, 1, 2):
                key = models.Key(
                    site=it, number=100 * n + kind, kind=kind, unit=unit, status="active",
                    holder=own if kind == 0 else None,
                )  # fmt: skip
                key.save()
                keys.append(key)
            station = models.Station(site=it, number=n, name=f"Entré {name}", unit=unit)
            station.save()
            units.append(SimpleNamespace(unit=unit, own=own, hourly=hourly, keys=keys, station=station))
    return SimpleNamespace(site=it, number=number, area=area, one=units[0], two=units[1])


@pytest.fixture(scope="session")
def browser(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for the run, logged in through the page: a site administrator, an auditor, and a unit's section manager."""
    from django.contrib.auth import get_user_model

    from central.models import Site, Unit
    from central.office.models import Membership, PasswordToChange

    site = Site.objects.get(number=1)
    user = get_user_model().objects.create_user(USER, password=PASSWORD)
    PasswordToChange.objects.all().delete()
    for role in ("site_administrator", "auditor"):
        Membership.objects.create(user=user, role=role, site=site)
    Membership.objects.create(user=user, role="section_manager", site=site, unit=Unit.objects.get(site=site, number=1))
    with browsing(served.url, tmp_path_factory.mktemp("browser") / "profile") as it:
        it.log_in()
        yield it


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet(served: Served) -> None:
    from central.security.attempts import attempts

    attempts.forget()


@pytest.fixture
def there(served: Served) -> SimpleNamespace:
    return make_site()


@pytest.fixture
def seat(served: Served) -> Callable[..., Any]:
    """``seat(role, site, unit=None)``: a client that is logged in as somebody with that role."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from central.office.models import Membership

    names = count(1)

    def sit(role: str | None, site: Any, unit: Any = None) -> Client:
        user, _ = get_user_model().objects.get_or_create(username=f"{role}-{site.number}-{next(names)}")
        if role is not None:
            Membership.objects.create(user=user, role=role, site=site, unit=unit)
        client = Client(headers={"host": "localhost", "accept-language": "en"})
        client.force_login(user)
        client.user = user  # type: ignore[attr-defined]
        return client

    return sit
