"""What people may open: changed by hand, for a time, as a unit's are, taken back; and what they could on a day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet

from central.clock import unix_now
from central.feed import change
from central.models import AccessPeriod, Area, Holder, Lock, Permission, Site, TemporaryAccess, Unit
from central.signing.permits import sign_permits

FORGOTTEN_AT_ONCE = 100
OVER_AFTER = timedelta(days=2)
"""By UTC: then a day is over by the clocks of every site."""


@dataclass(frozen=True)
class Access:
    """What somebody may open, and in which weekly windows (``[weekdays, start, end]``; none: always)."""

    every_area: bool = False
    areas: tuple[Area, ...] = ()
    locks: tuple[Lock, ...] = ()
    windows: list[list[int]] = field(default_factory=list)


def usual_access(unit: Unit) -> Access:
    """What whoever is new in a unit gets."""
    return Access(unit.usual_every_area, tuple(unit.usual_areas.all()), (), unit.usual_windows)


def access_of(permission: Permission) -> Access:
    """What a permission says, without what it gives for a time."""
    return Access(
        permission.every_area, tuple(permission.areas.all()), tuple(permission.locks.all()), permission.windows
    )


def permit_access(holder: Holder, unit: Unit | None, access: Access) -> Permission:
    """Let a holder open this, with the keys of ``unit`` or their own: a new permission, or instead of what it said.

    Inside a change. Whoever calls it has the permits signed.
    """
    permission = Permission.objects.filter(holder=holder, unit=unit).first() or Permission(holder=holder, unit=unit)
    permission.every_area, permission.windows = access.every_area, access.windows
    permission.save()
    permission.areas.set(access.areas)
    permission.locks.set(access.locks)
    return permission


def change_access(permission: Permission, access: Access) -> None:
    """Have a permission say something else from now on."""
    with change():
        permit_access(permission.holder, permission.unit, access)
        sign_permits(permission.holder, unix_now())


def give_for_a_time(permission: Permission, areas: Iterable[Area], until: date) -> TemporaryAccess:
    """Give areas until the end of that day: it ends by itself (`central.signing.permits`)."""
    with change():
        given = TemporaryAccess(permission=permission, until=until)
        given.save()
        given.areas.set(areas)
        sign_permits(permission.holder, unix_now())
        return given


def end_for_a_time(given: TemporaryAccess) -> None:
    """End at once what was given for a time."""
    with change():
        holder = given.permission.holder
        given.delete()
        sign_permits(holder, unix_now())


def sites_with_something_for_a_time_over(now: int) -> QuerySet[Site]:
    """Where something was given for a time that is over by the clocks of every site."""
    return Site.objects.filter(pk__in=_over(now).values("permission__holder__site"))


def forget_what_was_for_a_time(site: Site, now: int) -> None:
    """Delete what was given there for a time that is over. No permit has had it since; what was is in the periods."""
    with change():
        for given in _over(now).filter(permission__holder__site=site)[:FORGOTTEN_AT_ONCE]:
            given.delete()
            sign_permits(given.permission.holder, now)


def _over(now: int) -> QuerySet[TemporaryAccess]:
    return TemporaryAccess.objects.filter(until__lt=datetime.fromtimestamp(now, ZoneInfo("UTC")).date() - OVER_AFTER)


def take_back_access(permissions: Iterable[Permission]) -> None:
    """Leave nothing of what these permissions open: no area, no lock, nothing for a time. PIN and keys stay."""
    with change():
        for permission in permissions:
            permit_access(permission.holder, permission.unit, Access(windows=permission.windows))
            for given in permission.temporary.all():
                given.delete()
            sign_permits(permission.holder, unix_now())


def kept(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    """What permissions say, as JSON that `give_back` takes."""
    return [
        {
            "unit": permission.unit_id,
            "every_area": permission.every_area,
            "areas": [area.pk for area in permission.areas.all()],
            "locks": [lock.pk for lock in permission.locks.all()],
            "windows": permission.windows,
            "for_a_time": [
                {"areas": [area.pk for area in given.areas.all()], "until": given.until.isoformat()}
                for given in permission.temporary.all()
            ],
        }
        for permission in permissions
    ]


def give_back(holder: Holder, before: list[dict[str, Any]]) -> None:
    """Have permissions say again what they said, also those that are gone."""
    with change():
        for each in before:
            areas, locks = (
                tuple(Area.objects.filter(pk__in=each["areas"])), tuple(Lock.objects.filter(pk__in=each["locks"])),
            )  # fmt: skip
            unit = Unit.objects.filter(pk=each["unit"]).first()
            permission = permit_access(holder, unit, Access(each["every_area"], areas, locks, each["windows"]))
            for given in permission.temporary.all():
                given.delete()
            for given in each["for_a_time"]:
                again = Area.objects.filter(pk__in=given["areas"])
                give_for_a_time(permission, again, date.fromisoformat(given["until"]))
        sign_permits(holder, unix_now())


def permissions_that_open(lock: Lock) -> QuerySet[Permission]:
    """The permissions of active people that open a lock today, with those that do so for a time."""
    today = lock.site.today()
    temporary = TemporaryAccess.objects.filter(areas=lock.area_id, until__gte=today)
    opens = Q(every_area=True) | Q(areas=lock.area) | Q(locks=lock) | Q(pk__in=temporary.values("permission"))
    return Permission.objects.filter(opens, holder__site=lock.site, holder__status=Holder.Status.ACTIVE).distinct()


def how_they_open(lock: Lock, holders: Iterable[Holder]) -> dict[int, list[tuple[Permission, date | None]]]:
    """By these people's database numbers: the permissions by which they open a lock, until when where for a time."""
    found: dict[int, list[tuple[Permission, date | None]]] = {}
    mine = permissions_that_open(lock).filter(holder__in=[holder.pk for holder in holders])
    by_itself = Q(every_area=True) | Q(areas=lock.area_id) | Q(locks=lock)
    lasting = set(mine.filter(by_itself).values_list("pk", flat=True))
    given = TemporaryAccess.objects.filter(permission__in=mine, areas=lock.area_id).order_by().values_list("permission")
    until = dict(given.annotate(last=Max("until")))
    for permission in mine.select_related("unit").order_by("unit__number", "pk"):
        end = None if permission.pk in lasting else until.get(permission.pk)
        found.setdefault(permission.holder_id, []).append((permission, end))
    return found


def periods_of_day(holder: Holder, day: date) -> list[AccessPeriod]:
    """What somebody could open on some part of that day, the first first."""
    zone = ZoneInfo(holder.site.timezone)
    start, end = (
        int(datetime.combine(each, time(), tzinfo=zone).timestamp()) for each in (day, day + timedelta(days=1))
    )
    of_day = Q(since__lt=end) & (Q(until=None) | Q(until__gt=start))
    return list(AccessPeriod.objects.filter(of_day, holder=holder).select_related("unit").order_by("since", "pk"))
