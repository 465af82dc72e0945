"""PINs: one for a person, or every one of a site anew (a stolen station, an import of people who have none yet).

A PIN is returned once, to be shown once; only its tag is kept. Whoever has stolen a station has the pepper and every
tag, and finds each PIN by trying: so a renewal begins a new version of the pepper, every PIN that is given from then on
is tagged with it, and the old version ends when nobody is left who has a PIN of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from central.actions.tasks import finish_tasks, make_receipt, open_renew_pins_task
from central.clock import unix_now
from central.feed import change
from central.models import Holder, Receipt, Site, Station, Task, Unit
from central.signing.keyring import destroy_pepper, make_pepper, pin_secrets
from central.signing.permits import sign_permits
from central.signing.pins import random_pin

AT_ONCE = 100
"""PINs made by one click: a few seconds, and as many slips as anybody cares to print and hand out in one go."""


@dataclass(frozen=True)
class GivenPin:
    """A person's new PIN, which is in no other place than here, and the receipt that goes with it."""

    holder: Holder
    pin: str = field(repr=False)
    receipt: Receipt


@dataclass(frozen=True)
class RenewalProgress:
    """How many people of a unit have a new PIN, and how many are left."""

    unit: Unit
    people: int
    left: int

    @property
    def done(self) -> int:
        """How many have a new one."""
        return self.people - self.left


def give_pin(holder: Holder, by: str = "") -> GivenPin:
    """Give a holder a new PIN. The old one is dead at each station's next refresh."""
    with change():
        pin = set_new_pin(holder)
        return GivenPin(holder, pin, make_receipt(Receipt.Kind.PIN, holder, by=by))


def set_new_pin(holder: Holder) -> str:
    """Keep the tag of a new PIN, unlike anybody else's of the site, and sign the permits with it. Inside a change."""
    # Read again under its lock: a renewal that begins meanwhile would find a PIN given with the old pepper after it.
    site = Site.objects.select_for_update(no_key=True).get(pk=holder.site_id)
    secrets = pin_secrets(site)
    while True:
        pin = random_pin(site.pin_digits)
        # A station takes a PIN under either pepper: under none of them may it be somebody else's.
        tags = secrets.tags(pin)
        if not Holder.objects.filter(site=site, pin_tag__in=tags).exists():
            now = unix_now()
            holder.pin_tag, holder.pin_version, holder.pin_at = tags[0], secrets.newest.version, now
            # Neither tag nor PIN is in the audit log: that there is a new one is told by its time.
            holder.save(update_fields=["pin_tag", "pin_version", "pin_at"])
            sign_permits(holder, now)
            return pin


def start_pin_renewal(site: Site, by: str, station: Station | None = None) -> Task:
    """Count every PIN that there is as old from now on, by hand or because ``station`` was stolen.

    While one renewal goes on, a second start by hand changes nothing. One for another stolen station is begun when the
    first is over: stations know two versions at most, and nobody's PIN ends before they have a new one.
    """
    going_on = pin_renewal_task(site) if station is None else None
    if going_on is not None:
        return going_on
    with change():
        fresh = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        is_cancelled = not _renewals(fresh).exists()
        task = open_renew_pins_task(site, by, station)
        if fresh.pin_version_ending is None:
            _begin_version(fresh)
        elif station is None and is_cancelled:
            # One by hand was cancelled: this one goes on where that one stopped.
            fresh.pin_version_task = task.pk
            fresh.save(update_fields=["pin_version_task"])
    return task


def pause_pin_renewal(site: Site, *, paused: bool) -> None:
    """Let the renewal wait, or go on: while it waits nobody gets a new PIN by it, and every PIN stays good."""
    with change():
        for task in _renewals(site):
            task.paused_at = unix_now() if paused else None
            task.save(update_fields=["paused_at"])


def may_cancel_pin_renewal(site: Site) -> bool:
    """Whether one goes on, and none because of a stolen station: whoever has that one finds every PIN from before."""
    return _renewals(site).exists() and not _renewals(site).filter(station__isnull=False).exists()


def cancel_pin_renewal(site: Site, by: str) -> None:
    """End the renewal where it is: PINs from before stay good, and so do the new ones.

    Only where `may_cancel_pin_renewal`; else nothing is changed.
    """
    with change():
        if may_cancel_pin_renewal(site):
            finish_tasks(_renewals(site), by)


def pin_renewal_task(site: Site) -> Task | None:
    """The newest renewal that goes on."""
    return _renewals(site).order_by("-opened_at", "-pk").first()


def renewal_progress(site: Site, units: Iterable[Unit]) -> list[RenewalProgress]:
    """How far each of these units is."""
    active = Holder.objects.filter(site=site, status=Holder.Status.ACTIVE)
    people = dict(active.order_by().values("unit").annotate(n=Count("pk")).values_list("unit", "n"))
    waiting = _without_new_pin(site, paused=True)
    left = dict(waiting.order_by().values("unit").annotate(n=Count("pk")).values_list("unit", "n"))
    return [RenewalProgress(unit, people[unit.pk], left.get(unit.pk, 0)) for unit in units if people.get(unit.pk)]


def renew_pins(site: Site, units: Iterable[Unit], by: str) -> list[GivenPin]:
    """Give new PINs to at most `AT_ONCE` of those of these units who need one; with the last one the renewal is over.

    Each is a change of its own: a new PIN is dead to every station that has not asked since, and the old one to every
    station that has. While the renewal is paused, those who never had a PIN get their first one, and nobody else.
    """
    chosen = _without_new_pin(site, paused=False).filter(unit__in=units)
    chosen = chosen.order_by("unit__number", "given_name", "family_name", "number")
    given = [give_pin(holder, by) for holder in chosen[:AT_ONCE]]
    end_pin_renewal(site, by)
    return given


def sites_renewing_pins() -> QuerySet[Site]:
    """Where a renewal goes on, or was cancelled while some PINs are still under the pepper before."""
    going_on = Task.objects.filter(kind=Task.Kind.RENEW_PINS, done_at=None).values("site")
    return Site.objects.filter(Q(pk__in=going_on) | Q(pin_version_ending__isnull=False))


def end_pin_renewal(site: Site, by: str = "") -> None:
    """End the site's renewal when nobody is left with an old PIN: the old pepper is worth nothing from then on."""
    # Also after one that was cancelled: the old pepper goes with the last PIN that is under it.
    versions = Site.objects.values_list("pin_version_ending", flat=True)
    if not _renewals(site).exists() and versions.get(pk=site.pk) is None:
        return
    with change():
        fresh = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        ending = fresh.pin_version_ending
        if _with_old_pin(fresh).exists():
            return
        finish_tasks(_renewals(fresh).filter(pk__lte=fresh.pin_version_task), by)
        if ending is not None:
            fresh.pin_version_ending = None
            fresh.save(update_fields=["pin_version_ending"])
            destroy_pepper(fresh, ending)
        # Another station was stolen meanwhile: it knew the version that all have now.
        if _renewals(fresh).exists():
            _begin_version(fresh)


def _begin_version(site: Site) -> None:
    site.pin_version, site.pin_version_ending = make_pepper(site, unix_now()), site.pin_version
    site.pin_version_task = max(_renewals(site).values_list("pk", flat=True))
    site.save(update_fields=["pin_version", "pin_version_ending", "pin_version_task"])


def _renewals(site: Site) -> QuerySet[Task]:
    return Task.objects.filter(site=site, kind=Task.Kind.RENEW_PINS, done_at=None)


def _with_old_pin(site: Site) -> QuerySet[Holder]:
    """Active people whose PIN is of an older version than the newest."""
    active = Holder.objects.filter(site=site, status=Holder.Status.ACTIVE, pin_at__isnull=False)
    return active.exclude(pin_version=site.pin_version)


def _without_new_pin(site: Site, *, paused: bool) -> QuerySet[Holder]:
    """Active people without a PIN, or with one that a renewal replaces; with ``paused`` also by one that waits."""
    old = Q(pin_at=None)
    renewals = _renewals(site)
    if (renewals if paused else renewals.filter(paused_at=None)).exists():
        old |= ~Q(pin_version=Site.objects.values_list("pin_version", flat=True).get(pk=site.pk))
    return Holder.objects.filter(old, site=site, status=Holder.Status.ACTIVE).select_related("site", "unit")
