"""Every PIN of a unit or a site anew: after a station was stolen, or for people who were imported and have none yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from central.acts.clock import today
from central.acts.people import Begun, give_pin
from central.clock import unix_now
from central.models import Holder, Site, Unit
from central.office.models import Task

AT_ONCE = 100
"""PINs made by one click: a few seconds, and as many slips as anybody cares to print and hand out in one go."""


@dataclass(frozen=True)
class Progress:
    """How far a unit is."""

    unit: Unit
    people: int
    left: int

    @property
    def done(self) -> int:
        """How many have a new one."""
        return self.people - self.left


def begin(site: Site, by: str) -> Task:
    """From now on every PIN that there is counts as old. While one renewal goes on, a second begin changes nothing."""
    task = open_task(site)
    return task or Task.objects.create(
        site=site, kind=Task.Kind.RENEW_PINS, due=today(site), opened_at=unix_now(), opened_by=by
    )


def open_task(site: Site) -> Task | None:
    """The newest renewal that goes on: what was given before it does not count."""
    return Task.objects.filter(site=site, kind=Task.Kind.RENEW_PINS, done_at=None).order_by("-opened_at").first()


def people_to_do(site: Site) -> QuerySet[Holder]:
    """Active people without a PIN, or with one from before the renewal that goes on."""
    task = open_task(site)
    old = Q(pin_at=None) | Q(pin_at__lt=task.opened_at) if task is not None else Q(pin_at=None)
    return Holder.objects.filter(old, site=site, status=Holder.Status.ACTIVE).select_related("site", "unit")


def progress(site: Site, units: Iterable[Unit]) -> list[Progress]:
    """Unit by unit."""
    active = Holder.objects.filter(site=site, status=Holder.Status.ACTIVE)
    people = dict(active.order_by().values("unit").annotate(n=Count("pk")).values_list("unit", "n"))
    left = dict(people_to_do(site).order_by().values("unit").annotate(n=Count("pk")).values_list("unit", "n"))
    return [Progress(unit, people[unit.pk], left.get(unit.pk, 0)) for unit in units if people.get(unit.pk)]


def renew(site: Site, units: Iterable[Unit], by: str) -> list[Begun]:
    """New PINs for at most `AT_ONCE` of those still to do in these units, each shown once; the last one ends the task.

    A new PIN is dead to every station that has not asked since, and the old one to every station that has.
    """
    chosen = people_to_do(site).filter(unit__in=units).order_by("unit__number", "given_name", "family_name", "number")
    given = [Begun(holder, give_pin(holder)) for holder in chosen[:AT_ONCE]]
    finish(site, by)
    return given


def finish(site: Site, by: str = "") -> None:
    """End the site's renewals when nobody is left."""
    going_on = list(Task.objects.filter(site=site, kind=Task.Kind.RENEW_PINS, done_at=None))
    if going_on and not people_to_do(site).exists():
        for task in going_on:
            task.done_at, task.done_by = unix_now(), by
            task.save()
