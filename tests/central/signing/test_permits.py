"""When permits, key records and blocklists are signed, and what they say."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from central.actions import renewals
from central.actions.access import forget_what_was_for_a_time
from central.actions.pins import give_pin
from central.errors import CentralError
from central.feed import change_and_sign
from central.models import (
    AccessPeriod,
    Area,
    Blocklist,
    Holder,
    Permission,
    Permit,
    SealedSecret,
    TemporaryAccess,
    Unit,
)
from central.operations.scheduler import end_employments, renew_permits
from central.signing import keyring
from central.signing.keyring import Pepper, PinSecrets
from central.signing.pins import is_guessable, random_pin
from central.signing.sealing import seal
from station.records import claims
from station.records.envelope import verify
from station.records.pins import LANES, MEMORY_KIB, TIME_COST
from tests.central.site import add_permits

DAY = 86400
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "pin.json").read_text())


def permits(site: SimpleNamespace) -> Any:
    rows = list(Permit.objects.filter(holder=site.holder).order_by("pk"))
    return [verify(claims.Permit, bytes(row.record), [bytes(site.site.public_key)]) for row in rows]


def test_pin_tags_are_those_of_the_vectors() -> None:
    assert VECTORS["argon2"] == {"time": TIME_COST, "memory_kib": MEMORY_KIB, "lanes": LANES, "hash_len": 32}
    salt, pepper = bytes.fromhex(VECTORS["site_salt_hex"]), bytes.fromhex(VECTORS["pepper_hex"])
    secrets = PinSecrets(salt, (Pepper(1, pepper),))
    assert {pin: secrets.tags(pin)[0].hex() for pin in VECTORS["pins"]} == VECTORS["pins"]


def test_pins_have_as_many_digits_as_the_site_wants_and_are_not_guessable() -> None:
    assert {len(random_pin(digits)) for digits in (7, 10)} == {7, 10}
    pins = {random_pin(6) for _ in range(200)}
    assert all(len(pin) == 6 and pin.isdecimal() for pin in pins)
    assert len(pins) > 190
    assert all(map(is_guessable, ("000000", "123456", "987654", "121212", "789012")))
    assert not is_guessable("271828")


def test_a_permission_becomes_a_permit_of_21_days(site: SimpleNamespace) -> None:
    (permit,) = permits(site)
    assert (permit.holder, permit.areas, permit.locks, permit.windows) == (10, (2,), (), ())
    assert permit.expires - permit.issued == 21 * DAY
    assert permit.not_before < permit.issued
    assert permit.revision >= permit.issued


def test_whatever_the_office_changes_is_signed_anew_with_a_higher_revision(site: SimpleNamespace) -> None:
    revision = permits(site)[0].revision
    for alter, expected in (
        (lambda: site.permission.locks.set([site.lock]), {"locks": (101,)}),
        (lambda: setattr(site.permission, "windows", [[31, 420, 1020]]), {"windows": (claims.Window(31, 420, 1020),)}),
        (lambda: setattr(site.permission, "every_area", True), {"areas": (0,)}),
        (lambda: setattr(site.holder, "category", 1), {"category": claims.Category.LONG_TERM}),
    ):
        with change_and_sign():
            alter()
            site.permission.save()
            site.holder.save()
        (permit,) = permits(site)
        assert {name: getattr(permit, name) for name in expected} == expected
        assert permit.revision > revision
        revision = permit.revision
    with change_and_sign():
        site.holder.given_name = "Eva-Lena"
        site.holder.save()
    assert permits(site)[0].revision == revision


def test_deleting_a_lock_or_area_takes_it_out_of_permits(site: SimpleNamespace) -> None:
    with change_and_sign():
        site.permission.locks.set([site.lock])
    assert permits(site)[0].locks == (101,)
    with change_and_sign():
        site.lock.delete()
    assert permits(site)[0].locks == ()


def test_a_new_pin_changes_the_tag_of_holder_and_permit(site: SimpleNamespace) -> None:
    before = permits(site)[0]
    pin = give_pin(site.holder).pin
    (permit,) = permits(site)
    assert (permit.pin_tag,) == keyring.pin_secrets(site.site).tags(pin) != (before.pin_tag,)
    kept = Holder.objects.get(pk=site.holder.pk)
    assert bytes(kept.pin_tag) == permit.pin_tag
    assert pin not in str(vars(kept))


def test_a_permit_never_goes_past_the_last_day_at_work(site: SimpleNamespace) -> None:
    ends = (datetime.now(UTC) + timedelta(days=5)).date()
    with change_and_sign():
        site.holder.employment_ends = ends
        site.holder.save()
    (permit,) = permits(site)
    # Midnight in Stockholm is 22 or 23 hours UTC.
    midnight = datetime.combine(ends + timedelta(days=1), datetime.min.time(), UTC).timestamp()
    assert midnight - permit.expires in (3600, 7200)
    assert Permit.objects.get(holder=site.holder).renew_at is None
    with change_and_sign():
        site.holder.employment_ends = None
        site.holder.save()
    assert permits(site)[0].expires - permits(site)[0].issued == 21 * DAY


def test_when_the_last_day_is_over_the_holder_ends_and_the_permit_goes(site: SimpleNamespace) -> None:
    # The site's day: an hour before midnight UTC it is tomorrow there.
    today = datetime.now(ZoneInfo(site.site.timezone)).date()
    with change_and_sign():
        site.holder.employment_ends = today
        site.holder.save()
    assert permits(site)
    end_employments(int(datetime.now(UTC).timestamp()) + 2 * DAY)
    site.holder.refresh_from_db()
    assert site.holder.status == "ended"
    assert permits(site) == []


def test_permits_are_renewed_before_half_of_their_life_in_batches(
    site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = add_permits(site)
    issued = min(p.expires for p in mine) - 21 * DAY
    for permit in mine:
        assert permit.renew_at is not None
        assert permit.expires - permit.renew_at >= 10.5 * DAY
        assert permit.expires - permit.renew_at <= 11.6 * DAY
    assert len({p.renew_at for p in mine}) > 1
    # Far enough ahead for these alone: every other permit of this database is not due for days, or gets ahead as well.
    before = {p.pk: p.revision for p in mine}
    now = issued + 11 * DAY
    monkeypatch.setattr(renewals, "DUE_BATCH", 4)
    total = 0
    while batches := renewals.due_batches(now):
        assert len({of_site for of_site, _ in batches}) == len(batches)
        for _, permits_ in batches:
            done = renewals.renew_permits_of(permits_, now)
            assert 0 < done == len(permits_) <= 4
            total += done
    assert total >= 6
    for permit in mine.all():
        assert permit.revision > before[permit.pk]
        assert permit.expires > issued + 31 * DAY


def test_a_batch_is_looked_for_among_the_oldest_only(site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    with change_and_sign():
        for number in range(20, 23):
            holder = Holder(site=site.site, number=number, given_name="X", family_name="Y", category=0, unit=site.unit)
            holder.save()
            Permission(holder=holder, every_area=True).save()
    Permit.objects.filter(holder__site=site.site).update(renew_at=1)
    monkeypatch.setattr(renewals, "LOOKED_AT", 2)
    ((of_site, oldest),) = renewals.due_batches(2)
    assert (of_site, len(oldest)) == (site.site.pk, 2)


def test_hourly_staff_have_a_permit_for_each_unit(site: SimpleNamespace) -> None:
    with change_and_sign():
        other = Unit(site=site.site, number=2, name="Söder")
        other.save()
        holder = Holder(site=site.site, number=12, given_name="T", family_name="Im", category=2, unit=site.unit)
        holder.save()
        for unit in (site.unit, other):
            Permission(holder=holder, unit=unit).save()
        wrong = Permission(holder=site.holder, unit=other)
        wrong.save()
    contents = [p.mirror_content() for p in Permit.objects.filter(holder=holder)]
    assert sorted(content["unit"] for content in contents) == [1, 2]
    assert not Permit.objects.filter(permission=wrong).exists()


def test_blocking_a_key_signs_a_new_blocklist(site: SimpleNamespace) -> None:
    first = Blocklist.objects.get(site=site.site)
    with change_and_sign():
        site.key.status = "blocked"
        site.key.save()
    second = Blocklist.objects.get(site=site.site)
    record = verify(claims.Blocklist, bytes(second.record), [bytes(site.site.public_key)])
    assert record.blocked_keys == (100,)
    assert record.version == second.version > first.version
    assert record.expires - record.issued == 30 * DAY


def test_a_sites_key_is_never_replaced_by_another(site: SimpleNamespace) -> None:
    row = SealedSecret.objects.get(site=site.site, kind="signing", number=1)
    sealed, foreign = bytes(row.sealed), SealedSecret.objects.filter(kind="signing").exclude(site=site.site).first()
    assert foreign is not None
    try:
        row.delete()
        keyring.forget_secrets()
        with pytest.raises(CentralError, match="signing_key"):
            keyring.prepare_site(site.site, 1)
        # Another site's in its place does not open there; one of its own is not the one that stations know.
        for content in (bytes(foreign.sealed), seal(bytes(32), f"site {site.site.pk} signing 1")):
            row.sealed = content
            row.save(force_insert=row.pk is None)
            keyring.forget_secrets()
            with pytest.raises(CentralError, match=r"master_key|not this site's key"):
                keyring.prepare_site(site.site, 1)
    finally:
        row.sealed = sealed
        row.save()
        keyring.forget_secrets()


def covers(site: SimpleNamespace, until: date) -> Area:
    with change_and_sign():
        area = Area(site=site.site, number=9, name="Lagan")
        area.save()
        given = TemporaryAccess(permission=site.permission, until=until)
        given.save()
        given.areas.set([area])
    return area


def test_what_is_given_for_a_time_ends_by_itself_also_where_there_is_no_network(site: SimpleNamespace) -> None:
    until = site.site.today() + timedelta(days=1)
    covers(site, until)
    (permit,) = permits(site)
    assert permit.areas == (2, 9)
    midnight = int(datetime.combine(until + timedelta(days=1), time(), ZoneInfo(site.site.timezone)).timestamp())
    # A station that hears of nothing has it for two days more, and not for the ten of its mirror.
    assert permit.expires == midnight + 2 * DAY
    assert Permit.objects.get(holder=site.holder).renew_at == midnight
    renew_permits(midnight + 1, pause=lambda _s: None)
    (permit,) = permits(site)
    assert (permit.areas, permit.expires) == ((2,), midnight + 1 + 21 * DAY)
    periods = AccessPeriod.objects.filter(holder=site.holder).order_by("since")
    forget_what_was_for_a_time(site.site, midnight + 3 * DAY)
    assert not TemporaryAccess.objects.filter(permission=site.permission).exists()
    assert permits(site)[0].revision == permit.revision
    assert [(each.opens["areas"], each.until) for each in periods][-2:] == [([2, 9], midnight + 1), ([2], None)]


def test_what_is_given_for_a_time_never_makes_a_permit_longer(site: SimpleNamespace) -> None:
    with change_and_sign():
        site.holder.employment_ends = site.site.today() + timedelta(days=2)
        site.holder.save()
    last = permits(site)[0].expires
    covers(site, site.site.today() + timedelta(days=1))
    assert permits(site)[0].expires == last
    # The day after, it is signed without; and then no more.
    row = Permit.objects.get(holder=site.holder)
    assert row.renew_at == last - DAY
    assert row.renew_at is not None
    renew_permits(row.renew_at, pause=lambda _s: None)
    assert (permits(site)[0].areas, permits(site)[0].expires) == ((2,), last)
    assert Permit.objects.get(holder=site.holder).renew_at is None


def test_an_area_that_is_deleted_is_given_for_no_time_either(site: SimpleNamespace) -> None:
    area = covers(site, site.site.today())
    with change_and_sign():
        area.delete()
    assert permits(site)[0].areas == (2,)


def test_before_the_first_day_a_permit_opens_nothing(site: SimpleNamespace) -> None:
    begins = site.site.today() + timedelta(days=30)
    with change_and_sign():
        site.holder.employment_begins = begins
        site.holder.save()
    (permit,) = permits(site)
    first = int(datetime.combine(begins, time(), ZoneInfo(site.site.timezone)).timestamp())
    assert (permit.not_before, permit.expires) == (first, first + 21 * DAY)
    assert AccessPeriod.objects.get(holder=site.holder, until=None).since == first
    with change_and_sign():
        site.holder.employment_begins = site.site.today()
        site.holder.save()
    (permit,) = permits(site)
    assert permit.not_before < permit.issued
