"""Acts on holders: begin, give a PIN, let use other units' pool keys, end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from central.acts.clock import today
from central.clock import unix_now
from central.feed import change
from central.issuing.pins import new_pin
from central.models import Area, Holder, Key, Permission, Site, Unit
from central.office.models import Receipt, Task
from central.office.pools import held_by

FIRST_NUMBER = 1


@dataclass(frozen=True)
class Person:
    """What the office knows of somebody who begins."""

    given_name: str
    family_name: str
    category: int
    unit: Unit
    employment_ends: date | None = None
    language: str = ""


@dataclass(frozen=True)
class Begun:
    """Somebody who has begun: their PIN is in no other place than here, and shown once."""

    holder: Holder
    pin: str = field(repr=False)


def begin(person: Person, areas: Iterable[Area], *, every_area: bool = False) -> Begun:
    """A permanent or long-term employee: may open these areas with the own key."""
    with change():
        holder = _new_holder(person)
        _permit(holder, None, areas, every_area=every_area)
    return Begun(holder, new_pin(holder))


def begin_hourly(person: Person, units: Iterable[Unit]) -> Begun:
    """Somebody who is paid by the hour: may use the substitute keys of these units at once."""
    with change():
        holder = _new_holder(person)
        use_pools(holder, units)
    return Begun(holder, new_pin(holder))


def use_pools(holder: Holder, units: Iterable[Unit]) -> None:
    """These units' pools and no others. What was allowed for a unit that stays is left as it is."""
    wanted = {unit.pk: unit for unit in units}
    with change():
        for permission in holder.permissions.exclude(unit__in=wanted):
            permission.delete()
        there = set(holder.permissions.values_list("unit_id", flat=True))
        for pk, unit in wanted.items():
            if pk not in there:
                areas, every_area = usual_areas(unit)
                _permit(holder, unit, areas, every_area=every_area)


def give_pin(holder: Holder) -> str:
    """A new PIN, to be shown once. The old one is dead at each station's next refresh."""
    return new_pin(holder)


def end(holder: Holder, by: str = "", last_day: date | None = None) -> list[Task]:
    """Employment ends: at once, or after ``last_day``; each key still out is a task, to be collected.

    Permits end with the date by themselves. Returns the tasks.
    """
    with change():
        holder.employment_ends = last_day or holder.employment_ends
        if last_day is None or last_day < today(holder.site):
            holder.status = Holder.Status.ENDED
        holder.save(update_fields=["employment_ends", "status"])
        return collect_keys(holder, last_day or today(holder.site), by)


def collect_keys(holder: Holder, due: date, by: str = "") -> list[Task]:
    """A task for each key that somebody has who leaves, pool keys as well. Inside a change."""
    own = Key.objects.filter(holder=holder, status=Key.Status.ACTIVE)
    return [_collect(key, holder, due, by) for key in [*own, *held_by(holder, unix_now())]]


def withdraw(permissions: Iterable[Permission]) -> int:
    """Take permissions away. Returns how many."""
    with change():
        chosen = list(permissions)
        for permission in chosen:
            permission.delete()
        return len(chosen)


def receipt_of_pin(holder: Holder, by: str) -> Receipt:
    """The slip that goes with a PIN and no key."""
    return Receipt.objects.create(
        site=holder.site, unit=holder.unit, kind=Receipt.Kind.PIN, holder=holder, made_at=unix_now(), made_by=by
    )


def usual_areas(unit: Unit) -> tuple[list[Area], bool]:
    """What most people of a unit may open: the areas, and whether it is all of them."""
    permissions = list(
        Permission.objects.filter(holder__unit=unit, holder__status=Holder.Status.ACTIVE, unit=None).prefetch_related(
            "areas"
        )
    ) or list(Permission.objects.filter(unit=unit).prefetch_related("areas"))
    counts = Counter(area for permission in permissions for area in permission.areas.all())
    usual = [area for area, count in counts.items() if 2 * count > len(permissions)]
    return sorted(usual, key=lambda area: area.number), 2 * sum(p.every_area for p in permissions) > len(permissions)


def free_number(site: Site) -> int:
    """The number after the highest one of the site. Inside a change."""
    # Two who ask at once would get the same one: the second waits for the first.
    Site.objects.select_for_update().get(pk=site.pk)
    highest = Holder.objects.filter(site=site).order_by("-number").values_list("number", flat=True).first()
    return (highest or FIRST_NUMBER - 1) + 1


def _new_holder(person: Person) -> Holder:
    holder = Holder(
        site=person.unit.site,
        number=free_number(person.unit.site),
        given_name=person.given_name,
        family_name=person.family_name,
        category=person.category,
        unit=person.unit,
        employment_ends=person.employment_ends,
        language=person.language,
    )
    holder.save()
    return holder


def _permit(holder: Holder, unit: Unit | None, areas: Iterable[Area], *, every_area: bool) -> None:
    permission = Permission(holder=holder, unit=unit, every_area=every_area)
    permission.save()
    permission.areas.set(areas)


def _collect(key: Key, holder: Holder, due: date, by: str) -> Task:
    task, _ = Task.objects.get_or_create(
        key=key, kind=Task.Kind.COLLECT_KEY, done_at=None,
        defaults={
            "site": holder.site, "unit": holder.unit, "holder": holder, "due": due,
            "opened_at": unix_now(), "opened_by": by,
        },
    )  # fmt: skip
    return task
