"""A page of many rows asks the database as often as one of few: nothing is asked for row by row."""

import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from auditlog.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from central.models import (
    Area,
    Event,
    Handover,
    Holder,
    Key,
    Lock,
    LogGaps,
    LookUp,
    Membership,
    Permission,
    Receipt,
    Station,
    StationHealth,
    Task,
    TemporaryAccess,
    Unit,
)
from tests.central.site import make_site
from tests.office.asking import OfficeClient, at, words

FEW, MANY, LIMIT = 5, 40, 50
NOW = int(time.time())


def site_with(many: int) -> SimpleNamespace:
    """Of everything that a list has as many."""
    there = make_site(2, pools=True)
    site, unit, station, each = there.site, there.one.unit, there.one.station, range(many)
    common = {"site": site, "unit": unit}

    def people(first: int, category: int) -> list[Holder]:
        names = {"given_name": "Åsa", "category": category}
        return Holder.objects.bulk_create(
            Holder(**common, **names, number=first + n, family_name=f"Mängd {n}", pin_tag=os.urandom(16)) for n in each
        )

    own, hourly = people(1000, 0), people(2000, 2)
    keys = [
        Key.objects.bulk_create(
            Key(
                **common, number=first + n, kind=kind, status="active", holder=holder, locked_at=NOW if holder else None
            )
            for n, holder in enumerate(holders)
        )
        for kind, first, holders in ((0, 1000, own), (1, 2000, [None] * many), (2, 3000, [None] * many))
    ]
    permissions = Permission.objects.bulk_create(
        [Permission(holder=holder) for holder in own] + [Permission(holder=holder, unit=unit) for holder in hourly]
    )
    covers = TemporaryAccess.objects.bulk_create(
        TemporaryAccess(permission=permission, until=site.today()) for permission in permissions
    )
    with_areas: Any = Permission.areas.through
    with_areas.objects.bulk_create(with_areas(permission=each, area=there.area) for each in permissions)
    covered: Any = TemporaryAccess.areas.through
    covered.objects.bulk_create(covered(temporaryaccess=each, area=there.area) for each in covers)
    Handover.objects.bulk_create(
        Handover(key=key, is_out=True, holder=holder.number, at=NOW - 50_000)
        for key, holder in zip(keys[1], hourly, strict=True)
    )
    Lock.objects.bulk_create(Lock(**common, number=1000 + n, area=there.area) for n in each)
    areas = Area.objects.bulk_create(Area(site=site, number=1000 + n, name=f"Område {n}") for n in each)
    units = Unit.objects.bulk_create(Unit(site=site, number=1000 + n, name=f"Enhet {n}") for n in each)
    usual: Any = Unit.usual_areas.through
    usual.objects.bulk_create(usual(unit=each, area=area) for each, area in zip(units, areas, strict=True))
    stations = Station.objects.bulk_create(Station(**common, number=1000 + n, name=f"Vägg {n}", role=2) for n in each)
    StationHealth.objects.bulk_create(StationHealth(station=each) for each in stations)
    paper = {"made_at": NOW, "made_by": "Karin", "kind": "handed_out", "key": there.one.keys[0]}
    Receipt.objects.bulk_create(Receipt(**common, **paper, holder=holder) for holder in (*own, *[there.one.own] * many))
    for n in each:
        about = ({"kind": "new_key", "holder": own[n]}, {"kind": "went_back", "key": keys[0][n], "detail": "blocked"})
        more = (
            {"kind": "went_back", "holder": own[n], "detail": "ended"},
            {"kind": "station_told", "station": station},
        )
        for task in (*about, *more):
            Task.objects.create(**common, due=site.today(), opened_at=NOW, **task)
    Event.objects.bulk_create(
        Event(site=site, station=station, event=uuid4(), instance=uuid4(), seq=n, at=NOW - n, received_at=NOW, clock=0,
              type="lock_opened", key=keys[0][n].number, holder=own[n].number, lock=101)
        for n in each
    )  # fmt: skip
    LogGaps.objects.bulk_create(LogGaps(key=key, first=1, last=3, missing=[[1, 2, NOW]]) for key in keys[0])
    users = get_user_model().objects.bulk_create(
        get_user_model()(username=f"user-{site.number}-{n}", is_superuser=False) for n in each
    )
    Membership.objects.bulk_create(
        Membership(user=user, site=site, unit=unit, role=role) for user in users for role in ("coordinator", "auditor")
    )
    night = Membership.objects.create(user=users[0], site=site, role="on_call_manager").user
    LogEntry.objects.bulk_create(
        LogEntry(content_type=ContentType.objects.get_for_model(Lock), object_pk=str(there.lock.pk),
                 object_id=there.lock.pk, object_repr="101", action=LogEntry.Action.ACCESS, actor=night,
                 additional_data={"asked": "why", "key": key.number})
        for key in keys[0]
    )  # fmt: skip
    LookUp.objects.bulk_create(
        LookUp(site=site, at=NOW, user=user, about="lock", number=101, since=0, until=NOW, cause="other", reason="Nr 7")
        for user in users
    )
    return there


def statements(there: SimpleNamespace, client: OfficeClient, path: str) -> int:
    """How many questions a page asks, once what the server keeps is there. A session is lengthened now and then."""
    words(client.get(at(there, path)))
    with CaptureQueriesContext(connection) as asked:
        words(client.get(at(there, path)))
    told = [each["sql"] for each in asked.captured_queries]
    return sum(sql.startswith("SELECT") and "django_session" not in sql for sql in told)


def test_as_many_statements_for_many_rows_as_for_few(served: Any, seat: Callable[..., Any]) -> None:
    counts: dict[str, list[int]] = {}
    for many in (FEW, MANY):
        there = site_with(many)
        everything, reader = seat("site_administrator", there.site), seat("auditor", there.site)
        Membership.objects.create(user=everything.user, site=there.site, unit=there.one.unit, role="section_manager")
        ticked = "".join(f"&who={1000 + n}" for n in range(many))
        for path in (
            *("today/", "people/", "people/?q=asa", "people/10/", "people/1000/", "keys/", "keys/?q=asa", "keys/100/"),
            *("pools/", "renewals/", "locks/", "locks/?lock=101", "units/", "units/1/", "stations/", "users/", "pins/"),
            *("search/?q=asa", "search/?q=wall", "why/?q=asa", "why/?q=asa&lock=101", "people/employee/"),
            *(f"people/several/?act={act}{ticked}" for act in ("slips", "pins", "extend", "move", "end")),
        ):
            counts.setdefault(path.partition("&who")[0], []).append(statements(there, everything, path))
        question = {"about": "lock", "q": "101", "since": "2020-01-01", "until": there.site.today().isoformat()}
        answer = reader.post(at(there, "log/"), question | {"cause": "other", "reason": "Complaint 77"})
        path = answer["Location"].partition(f"/{there.number}/")[2]
        counts.setdefault("log/", []).append(statements(there, reader, path))
    assert {path: both for path, both in counts.items() if len(set(both)) > 1 or max(both) > LIMIT} == {}
