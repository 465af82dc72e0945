"""Plants marked names of a person and of an office's user wherever names can get. Runs where Django is set up."""

from typing import Any

from auditlog.context import set_actor
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from central.actions import keys, people, tasks
from central.actions.access import Access
from central.clock import unix_now
from central.feed import change_and_sign
from central.models import (
    Area,
    Event,
    Holder,
    Key,
    Lock,
    LookUp,
    Membership,
    OutOfOrder,
    PasswordToChange,
    Receipt,
    Site,
    Station,
    Unit,
)
from central.operations.person_export import export_person

GIVEN, FAMILY = "Quuxina", "Zyxmarkson"
OFFICE, USERNAME = ("Wobbla", "Vexmarkdotter"), "wobvex"


def plant() -> int:
    """An employee with a key that is lost, whom much is written about, by a user who has left as well. The number."""
    site = Site.objects.get(number=1)
    office = get_user_model().objects.create_user(
        USERNAME, f"{USERNAME}@example.org", "not-a-secret", first_name=OFFICE[0], last_name=OFFICE[1]
    )
    office.is_superuser = office.is_staff = True
    office.save()
    Membership.objects.create(user=office, site=site, role="site_administrator")
    PasswordToChange.objects.filter(user=office).delete()
    by = office.get_full_name()
    with set_actor(office):
        unit = Unit.objects.get(site=site, number=1)
        details = people.PersonDetails(GIVEN, FAMILY, 0, unit, language="sv", note=f"{GIVEN} has a dog")
        new = people.add_employee(details, Access(areas=tuple(Area.objects.filter(site=site)[:1])), by=by)
        holder, key = new.receipt.holder, new.receipt.key
        assert key is not None
        keys.block_key(key, by)
        found = Key.objects.filter(site=site, kind=0, status="active").exclude(pk=key.pk)[0]
        for lost, reason in ((found, f"was in {GIVEN} {FAMILY}s car"), (key, f"{FAMILY} had it all the time")):
            keys.block_key(lost, by)
            keys.found_key(lost, reason, by)
        keys.block_key(key, by)
        tasks.note_receipts_signed(Receipt.objects.filter(pk=new.receipt.pk), by)
        _write_about(holder, office, by)
        export_person(holder, f"asked by {GIVEN} {FAMILY}")
        _edit_in_the_admin(holder, office)
    Event.objects.create(
        site=site, station=_station(site), event="0" * 32, instance="0" * 32, seq=1, at=1, received_at=unix_now(),
        clock=0, type="lock_opened", key=key.number, holder=holder.number, lock=101,
    )  # fmt: skip
    return int(holder.number)


def _write_about(holder: Holder, office: Any, by: str) -> None:
    site, now = holder.site, unix_now()
    for about, number, reason in (
        ("holder", holder.number, f"complaint about {FAMILY}"),
        ("lock", 101, f"asked by {GIVEN} {FAMILY}"),
    ):
        LookUp.objects.create(
            site=site, user=office, by=by, at=now, about=about, number=number, since=0, until=1, reason=reason
        )
    with change_and_sign():
        lock = Lock.objects.get(site=site, number=101)
        lock.note = f"damaged by {FAMILY}, {GIVEN}"
        lock.save()
    OutOfOrder.objects.create(station=_station(site), since=now, by=by, note=f"{GIVEN} {FAMILY}s nyckel")


def _edit_in_the_admin(holder: Holder, office: Any) -> None:
    """It has a log of its own."""
    client = Client(headers={"host": "localhost"})
    client.force_login(office)
    form = {
        "given_name": GIVEN, "family_name": FAMILY, "category": 0, "unit": holder.unit_id, "status": "active",
        "language": "da", "employment_ends": "", "permissions-TOTAL_FORMS": 1, "permissions-INITIAL_FORMS": 1,
        "permissions-0-id": holder.permissions.get().pk, "permissions-0-holder": holder.pk,
        "permissions-0-every_area": "on", "permissions-0-windows": "[]",
    }  # fmt: skip
    assert client.post(reverse("admin:central_holder_change", args=[holder.pk]), form).status_code == 302


def _station(site: Site) -> Station:
    return Station.objects.get(site=site, number=1)
