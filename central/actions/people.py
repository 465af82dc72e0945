"""People: those who begin and end, and what they may open."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import QuerySet

from central.actions.access import Access, permit_access, usual_access
from central.actions.keys import give_new_key
from central.actions.pins import GivenPin, give_pin, set_new_pin
from central.actions.pool_keys import keys_held_by
from central.actions.tasks import finish_tasks, open_collect_key_task
from central.clock import HOUR_S, unix_now
from central.feed import change
from central.letters import same_name
from central.models import Holder, Key, Permission, Receipt, Site, Task, Unit
from central.models.people import full_name
from central.signing.blocklists import lock_site
from central.signing.permits import sign_permits

FIRST_NUMBER = 1
HOURLY = Holder.Category.HOURLY


@dataclass(frozen=True)
class PersonDetails:
    """What the office knows of somebody who begins."""

    given_name: str
    family_name: str
    category: int
    unit: Unit
    employment_begins: date | None = None
    employment_ends: date | None = None
    language: str = ""
    note: str = ""


@dataclass(frozen=True)
class NewEmployee:
    """Somebody who has begun, with a key of their own. PIN and code are in no other place than here."""

    receipt: Receipt
    pin: str = field(repr=False)
    code: str = field(repr=False)
    """Makes a blank key theirs at a station."""


def shown_name(text: str) -> str | None:
    """A typed name as screens, labels and prints can show it, with single spaces.

    None for one with control characters, or marks that turn what follows around.
    """
    name = " ".join(text.split())
    return name if name.isprintable() else None


def add_employee(details: PersonDetails, access: Access, *, by: str, key_number: int | None = None) -> NewEmployee:
    """Add a permanent or long-term employee who may open this with their own key."""
    with change():
        holder = _new_holder(details)
        permit_access(holder, None, access)
        pin = set_new_pin(holder)
        _key, receipt, code = give_new_key(holder, by, key_number)
        return NewEmployee(receipt, pin, code)


def add_hourly(
    details: PersonDetails, units: Iterable[Unit], by: str, windows: list[list[int]] | None = None
) -> GivenPin:
    """Add somebody paid by the hour, who may use the substitute keys of these units at once.

    ``windows``: when; None: when it is usual in each unit.
    """
    with change():
        holder = _new_holder(details)
        set_pool_units(holder, units, windows)
        return give_pin(holder, by)


def set_pool_units(holder: Holder, units: Iterable[Unit], windows: list[list[int]] | None = None) -> None:
    """Let a holder use the substitute keys of these units and no others. What a unit that stays allowed is left.

    A unit that is new to them gives what is usual there; ``windows``: at these times, whatever is usual.
    """
    wanted = {unit.pk: unit for unit in units}
    with change():
        withdraw_permissions(holder.permissions.exclude(unit__in=wanted))
        there = set(holder.permissions.values_list("unit_id", flat=True))
        for pk, unit in wanted.items():
            if pk not in there:
                usual = usual_access(unit)
                permit_access(holder, unit, usual if windows is None else replace(usual, windows=windows))
        sign_permits(holder, unix_now())


def withdraw_permissions(permissions: QuerySet[Permission]) -> int:
    """Take permissions away, and their permits with them. Returns how many."""
    with change():
        chosen = list(permissions)
        for permission in chosen:
            permission.delete()
        return len(chosen)


def end_employment(holder: Holder, by: str = "", last_day: date | None = None) -> list[Task]:
    """End a person's employment, at once or after ``last_day``. Each key still out is a task, to be collected.

    Permits end with the date by themselves. Returns the tasks.
    """
    today = holder.site.today()
    with change():
        holder.employment_ends = last_day or holder.employment_ends
        if last_day is None or last_day < today:
            _end(holder, unix_now(), by)
        holder.save(update_fields=["employment_ends", "status", "ended_at"])
        sign_permits(holder, unix_now())
        return _collect_keys(holder, last_day or today, by)


def resume_employment(holder: Holder, last_day: date | None, by: str = "") -> None:
    """Somebody who has left, or was ended by mistake, works here (again) until that day; None: nobody knows yet.

    What they could open they may open again; keys that were to be collected are theirs.
    """
    with change():
        holder.employment_ends, holder.status, holder.ended_at = last_day, Holder.Status.ACTIVE, None
        holder.save(update_fields=["employment_ends", "status", "ended_at"])
        sign_permits(holder, unix_now())
        finish_tasks(Task.objects.filter(holder=holder, kind=Task.Kind.COLLECT_KEY), by)


def employments_over(now: int) -> list[Holder]:
    """The people whose last day at work is over, by their site's clocks, and who are not ended yet."""
    # Nowhere is it later than 14 hours after UTC.
    latest = datetime.fromtimestamp(now + 14 * HOUR_S, UTC).date()
    active = Holder.objects.filter(status=Holder.Status.ACTIVE, employment_ends__lt=latest)
    return [
        holder
        for holder in active.select_related("site").order_by("pk")
        if holder.employment_ends is not None and holder.employment_ends < holder.site.local_time(now).date()
    ]


def end_employment_that_is_over(holder: Holder, now: int) -> None:
    """End one of `employments_over`, unless somebody has ended or lengthened it meanwhile."""
    with change():
        mine = Holder.objects.select_related("site").select_for_update(of=("self",), no_key=True).get(pk=holder.pk)
        if mine.status != Holder.Status.ACTIVE or mine.employment_ends != holder.employment_ends:
            return
        _end(mine, now)
        mine.save(update_fields=["status", "ended_at"])
        sign_permits(mine, now)
        _collect_keys(mine, mine.employment_ends or mine.site.local_time(now).date())


def _end(holder: Holder, now: int, by: str = "") -> None:
    holder.status, holder.ended_at = Holder.Status.ENDED, now
    # Whoever has left needs no key, and no help with a PIN.
    finish_tasks(Task.objects.filter(holder=holder, kind__in=[Task.Kind.NEW_KEY, Task.Kind.REFUSED_PIN]), by, now)


def people_named(site: Site, given_name: str, family_name: str, since: date) -> list[Holder]:
    """Those of the site with this name, capitals and accents aside, who work here or left on ``since`` or later."""
    wanted = full_name(given_name, family_name)
    named = Holder.objects.filter(site=site, forgotten_at=None).values_list("pk", "given_name", "family_name")
    alike = [pk for pk, *name in named if same_name(wanted, full_name(*name))]
    found = Holder.objects.filter(pk__in=alike).select_related("unit", "site").order_by("status", "number")
    return [holder for holder in found if holder.status == Holder.Status.ACTIVE or day_of_leaving(holder) >= since]


def day_of_leaving(holder: Holder) -> date:
    """The day on which somebody's employment was ended here; the calendar's first for whom nobody knows it."""
    if holder.ended_at is not None:
        return holder.site.local_time(holder.ended_at).date()
    return holder.employment_ends or date.min


def edit_person(holder: Holder, changed: dict[str, Any], by: str = "") -> None:
    """Change what the office knows of somebody: fields of `Holder` by name. To and from hourly is `employ_again`."""
    assert (changed.get("category", holder.category) == HOURLY) == (holder.category == HOURLY)
    with change():
        for name, value in changed.items():
            setattr(holder, name, value)
        holder.save(update_fields=list(changed))
        sign_permits(holder, unix_now())
        if "employment_ends" in changed:
            _keys_are_due(holder, by)


def _keys_are_due(holder: Holder, by: str) -> None:
    """The keys of somebody who leaves are due on their last day; of who does not leave, none is."""
    if holder.employment_ends is not None:
        _collect_keys(holder, holder.employment_ends, by)
    else:
        finish_tasks(Task.objects.filter(holder=holder, kind=Task.Kind.COLLECT_KEY), by)


def _new_holder(details: PersonDetails) -> Holder:
    site = details.unit.site
    # Two who ask at once would get the same number: the second waits for the first.
    lock_site(site)
    highest = Holder.objects.filter(site=site).order_by("-number").values_list("number", flat=True).first()
    holder = Holder(
        site=site,
        number=(highest or FIRST_NUMBER - 1) + 1,
        given_name=details.given_name,
        family_name=details.family_name,
        category=details.category,
        unit=details.unit,
        employment_begins=details.employment_begins,
        employment_ends=details.employment_ends,
        language=details.language,
        note=details.note,
    )
    holder.save()
    return holder


def _collect_keys(holder: Holder, due: date, by: str = "") -> list[Task]:
    """A task for each key that somebody has who leaves, pool keys as well."""
    own = Key.objects.filter(holder=holder, status=Key.Status.ACTIVE)
    keys = [*own, *keys_held_by(holder, unix_now())]
    return [open_collect_key_task(key, holder, due, by) for key in keys]
