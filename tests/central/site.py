"""The one builder of a site for the tests of central and its office. Tests stay apart by having a site each."""

from itertools import count
from types import SimpleNamespace
from typing import Any

from central import models
from central.feed import change_and_sign
from central.feed.reading import Scope, changed

NAMES = ("Norr", "Söder")

_numbers = count(5000)


def make_site(units: int = 1, *, pools: bool = False) -> SimpleNamespace:
    """A site with an area and a lock; ``one`` and ``two`` are its units, the parts of ``one`` its own parts as well.

    In unit n: a permanent employee (10n) with a permission and a key of their own (100n), and station n; with ``pools``
    also somebody paid by the hour (10n + 1), a substitute key (100n + 1) and an emergency key (100n + 2).
    """

    number = next(_numbers)
    with change_and_sign():
        it = saved(models.Site(number=number, name=f"Testby {number}"))
        area = saved(models.Area(site=it, number=2, name="Backen"))
        lock = saved(models.Lock(site=it, number=101, area=area))
        parts = [_make_unit(it, area, n, pools=pools) for n in range(1, units + 1)]
    named = dict(zip(("one", "two"), parts, strict=False))
    return SimpleNamespace(site=it, number=number, area=area, lock=lock, **vars(parts[0]), **named)


def _make_unit(site: Any, area: Any, n: int, *, pools: bool) -> SimpleNamespace:
    unit = saved(models.Unit(site=site, number=n, name=NAMES[n - 1]))
    unit.usual_areas.set([area])

    def person(number: int, given_name: str, family_name: str, **rest: Any) -> Any:
        it = saved(models.Holder(site=site, number=number, given_name=given_name, family_name=family_name, **rest))
        permission = saved(models.Permission(holder=it, unit=unit if it.category == 2 else None))
        permission.areas.set([area])
        return it

    own = person(10 * n, "Eva", f"Exempel {n}", category=0, unit=unit)
    hourly = person(10 * n + 1, "Tim", f"Test {n}", category=2, unit=unit) if pools else None
    keys = [
        saved(models.Key(site=site, number=100 * n + kind, kind=kind, unit=unit, status="active", holder=holder))
        for kind, holder in ((0, own), (1, None), (2, None))
        if kind == 0 or pools
    ]
    station = saved(models.Station(site=site, number=n, name=f"Entré {unit}", unit=unit))
    permission = own.permissions.get()
    return SimpleNamespace(
        unit=unit, own=own, holder=own, permission=permission, hourly=hourly, keys=keys, key=keys[0], station=station
    )


def add_permits(site: SimpleNamespace, count: int = 5) -> Any:
    """So many more people of its unit who may open everything; the permits of the whole site."""
    with change_and_sign():
        for number in range(20, 20 + count):
            holder = saved(
                models.Holder(
                    site=site.site, number=number, given_name="X", family_name="Y", category=0, unit=site.unit
                )
            )
            saved(models.Permission(holder=holder, every_area=True))
    return models.Permit.objects.filter(holder__site=site.site)


def told_since(site: Any, revision: int) -> list[str]:
    """What stations of the site are told of changes after that revision: the objects' JSON, in order."""
    _, rows = changed(Scope(site.pk, None), revision, 1000, None)
    return [row.json() for row in rows if row.content]


def saved(thing: Any) -> Any:
    thing.save()
    return thing
