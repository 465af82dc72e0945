"""PINs: one for a person, or every one of a site anew (a stolen station, an import of people who have none yet).

A PIN is returned once, to be shown once; only its tag is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from central.actions.tasks import finish_tasks, make_receipt, open_renew_pins_task
from central.clock import unix_now
from central.feed import change
from central.models import Holder, Receipt, Site, Task, Unit
from central.signing.keyring import pin_secrets
from central.signing.permits import sign_permits
from central.signing.pins import pin_tag, random_pin

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
    secrets = pin_secrets(holder.site)
    while True:
        pin = random_pin()
        tag = pin_tag(pin, secrets.site_salt, secrets.pepper)
        if not Holder.objects.filter(site=holder.site, pin_tag=tag).exists():
            now = unix_now()
            holder.pin_tag, holder.pin_at = tag, now
            # Neither tag nor PIN is in the audit log: that there is a new one is told by its time.
            holder.save(update_fields=["pin_tag", "pin_at"])
            sign_permits(holder, now)
            return pin


def start_pin_renewal(site: Site, by: str) -> Task:
    """Count every PIN that there is as old from now on. While one renewal goes on, a second start changes nothing."""
    return pin_renewal_task(site) or open_renew_pins_task(site, by)


def pin_renewal_task(site: Site) -> Task | None:
    """The newest renewal that goes on: what was given before it does not count."""
    return Task.objects.filter(site=site, kind=Task.Kind.RENEW_PINS, done_at=None).order_by("-opened_at").first()


def renewal_progress(site: Site, units: Iterable[Unit]) -> list[RenewalProgress]:
    """How far each of these units is."""
    active = Holder.objects.filter(site=site, status=Holder.Status.ACTIVE)
    people = dict(active.order_by().values("unit").annotate(n=Count("pk")).values_list("unit", "n"))
    left = dict(_without_new_pin(site).order_by().values("unit").annotate(n=Count("pk")).values_list("unit", "n"))
    return [RenewalProgress(unit, people[unit.pk], left.get(unit.pk, 0)) for unit in units if people.get(unit.pk)]


def renew_pins(site: Site, units: Iterable[Unit], by: str) -> list[GivenPin]:
    """Give new PINs to at most `AT_ONCE` of those of these units who need one; with the last one the renewal is over.

    Each is a change of its own: a new PIN is dead to every station that has not asked since, and the old one to every
    station that has.
    """
    chosen = _without_new_pin(site).filter(unit__in=units)
    chosen = chosen.order_by("unit__number", "given_name", "family_name", "number")
    given = [give_pin(holder, by) for holder in chosen[:AT_ONCE]]
    end_pin_renewal(site, by)
    return given


def end_pin_renewal(site: Site, by: str = "") -> None:
    """End the site's renewals when nobody is left."""
    going_on = Task.objects.filter(site=site, kind=Task.Kind.RENEW_PINS, done_at=None)
    if going_on.exists() and not _without_new_pin(site).exists():
        finish_tasks(going_on, by)


def _without_new_pin(site: Site) -> QuerySet[Holder]:
    """Active people without a PIN, or with one from before the renewal that goes on."""
    task = pin_renewal_task(site)
    old = Q(pin_at=None) | Q(pin_at__lt=task.opened_at) if task is not None else Q(pin_at=None)
    return Holder.objects.filter(old, site=site, status=Holder.Status.ACTIVE).select_related("site", "unit")
