"""Permits: signed for 21 days, signed anew from half of it on, never past the end of employment.

One that gives areas for a time (`TemporaryAccess`) ends soon after that, and is signed anew without them at once after
the last day: also a station that hears nothing of it, and goes on with its last mirror for ten days, opens nothing with
it longer than `GRACE_S`.
"""

import random
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from central.clock import DAY_S
from central.models import Holder, Permission, Permit, TemporaryAccess
from central.models.base import create_all
from central.signing.keyring import signing_key, verifying_keys
from central.signing.periods import note_access
from station.records import claims
from station.records.envelope import sign, verified

# Renewals are spread over the twentieth of a life before its half, so that a fleet never fetches all permits at once,
# and at least half of the life is always left.
JITTER_SHARE = 0.05
CLOCK_SKEW_S = 60
GRACE_S = 2 * DAY_S
"""After areas for a time have ended: with less, whoever has them would stand before their own doors, too, as soon as a
station cannot reach central for a night."""

WHAT_IT_OPENS = ("areas", "locks", "temporary__areas")
"""Of a permission: read for all that are to be signed by a few statements."""


def sign_permits(holder: Holder, now: int) -> int:
    """`sign_permits_of` one holder. Returns how many."""
    return len(sign_permits_of([int(holder.pk)], now))


def sign_permits_of(holders: Collection[int], now: int) -> list[int]:
    """Sign what these holders' permissions say now, where the last permit says something else, or there is none.

    Inside a change. A permit that may no longer be is taken away. Costs a few statements however many they are: an
    import has thousands. Returns the number of the holder of each permit that was signed or taken away.
    """
    # Read again, under a lock: of two that sign at once, the second goes on from what the first has signed.
    there = {holder.pk: holder for holder in _locked(holders)}
    sites = {holder.site_id: holder.site for holder in there.values()}
    believed = {pk: verifying_keys(site) for pk, site in sites.items()}
    found = Permission.objects.filter(holder__in=there).select_related("unit", "permit").order_by("pk")
    signed: list[int] = []
    new: list[Permit] = []
    told: dict[tuple[int, int | None], claims.Permit | None] = {}
    for permission in found.prefetch_related(*WHAT_IT_OPENS):
        holder = there[permission.holder_id]
        permit: Permit | None = getattr(permission, "permit", None)
        wanted = told[holder.pk, permission.unit_id] = _wanted(
            permission, holder, permit.revision if permit else 0, now
        )
        if wanted is None and permit is not None:
            permit.delete()
        elif wanted is not None and permit is None:
            new.append(_signed(Permit(permission=permission, holder=holder), holder, wanted))
        elif wanted is not None and permit is not None and _differs(permit, holder, wanted, believed[holder.site_id]):
            _signed(permit, holder, wanted).save()
        else:
            continue
        signed.append(holder.number)
    create_all(new)
    note_access(told, now, whole=there)
    return signed


def sign_permits_anew(permits: Iterable[Permit], now: int, *, renew_at: int | None = None) -> int:
    """Sign permits again, for a whole new life; take away those of which nothing more may be signed. Inside a change.

    With ``renew_at``: only those that are then still due. Whose holder somebody else is just signing for are left out.
    Returns how many.
    """
    asked = {permit.pk: permit.holder_id for permit in permits}
    locked = {holder.pk: holder for holder in _locked(set(asked.values()), skip=renew_at is not None)}
    mine = Permit.objects.filter(pk__in=asked, holder__in=locked).select_related("permission")
    if renew_at is not None:
        mine = mine.filter(renew_at__lte=renew_at)
    count = 0
    told: dict[tuple[int, int | None], claims.Permit | None] = {}
    opens = [f"permission__{each}" for each in WHAT_IT_OPENS]
    for permit in mine.order_by("renew_at", "pk").prefetch_related(*opens):
        # Not read once more for each: what is told of the permit says whose it is.
        holder = permit.holder = locked[permit.holder_id]
        wanted = told[holder.pk, permit.permission.unit_id] = _wanted(permit.permission, holder, permit.revision, now)
        if wanted is None:
            permit.delete()
        else:
            _signed(permit, holder, wanted).save()
        count += 1
    note_access(told, now)
    return count


def _locked(holders: Collection[int], *, skip: bool = False) -> QuerySet[Holder]:
    """These holders as they are now, whom nobody else signs for until the transaction ends.

    Always in the same order; with ``skip``, without those whom somebody else has locked. SQLite has one writer anyway.
    """
    rows = Holder.objects.select_related("site").filter(pk__in=holders).order_by("pk")
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=skip)


def _wanted(permission: Permission, holder: Holder, revision: int, now: int) -> claims.Permit | None:
    """What a permit signed now would say; None for someone who may have none."""
    begins = employment_begin(holder)
    expires = max(now, begins) + holder.site.permit_days * DAY_S
    expires = min([expires, *_ends(permission, holder, now)])
    fits = (holder.category == Holder.Category.HOURLY) == (permission.unit_id is not None)
    if holder.status != Holder.Status.ACTIVE or expires <= max(now, begins) or not fits:
        return None
    areas = {area.number for area in permission.areas.all()}
    for each in _for_a_time(permission, holder, now):
        areas.update(area.number for area in each.areas.all())
    return claims.Permit(
        expires=expires,
        not_before=max(now - CLOCK_SKEW_S, begins),
        issued=now,
        holder=holder.number,
        revision=max(revision + 1, now),
        areas=claims.EVERY_AREA if permission.every_area else tuple(sorted(areas)),
        locks=tuple(sorted(lock.number for lock in permission.locks.all())),
        windows=tuple(claims.Window(*window) for window in permission.windows),
        pin_tag=bytes(holder.pin_tag),
        category=claims.Category(holder.category),
    )


def _for_a_time(permission: Permission, holder: Holder, now: int) -> list[TemporaryAccess]:
    """What is given for a time and not over, the first to end first. Whoever may open every area needs none."""
    if permission.every_area:
        return []
    today = holder.site.local_time(now).date()
    given = [each for each in permission.temporary.all() if each.until >= today]
    return sorted(given, key=lambda each: (each.until, each.pk))


def _ends(permission: Permission, holder: Holder, now: int) -> list[int]:
    """What a permit never goes past."""
    end = employment_end(holder)
    return [*([] if end is None else [end]), *_ends_for_a_time(permission, holder, now, GRACE_S)]


def _ends_for_a_time(permission: Permission, holder: Holder, now: int, grace_s: int) -> list[int]:
    """When the first of what is given for a time ends, or nothing."""
    return [_end_of(each.until, holder) + grace_s for each in _for_a_time(permission, holder, now)[:1]]


def employment_begin(holder: Holder) -> int:
    """The start of the holder's first day at work, in the site's time zone; 0 where nobody has said one."""
    if holder.employment_begins in {None, date.min}:
        return 0
    return max(0, _end_of(holder.employment_begins - timedelta(days=1), holder))


def employment_end(holder: Holder) -> int | None:
    """The end of the holder's last day at work, in the site's time zone; the calendar's last day is none."""
    if holder.employment_ends in {None, date.max}:
        return None
    return _end_of(holder.employment_ends, holder)


def _end_of(day: date, holder: Holder) -> int:
    zone = ZoneInfo(holder.site.timezone)
    return int(datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).timestamp())


def _signed(permit: Permit, holder: Holder, wanted: claims.Permit) -> Permit:
    permit.revision = wanted.revision
    permit.expires = wanted.expires
    life_s = wanted.expires - wanted.issued
    share = 0.5 - random.random() * JITTER_SHARE  # noqa: S311  (spreads load; nothing secret)
    # A permit that ends with the employment would end there again.
    ends_with_employment = wanted.expires == employment_end(holder)
    due = [] if ends_with_employment else [wanted.issued + int(life_s * share)]
    due += _ends_for_a_time(permit.permission, holder, wanted.issued, 0)
    permit.renew_at = min(due, default=None)
    permit.record = sign(wanted, signing_key(holder.site))
    return permit


def _differs(permit: Permit, holder: Holder, wanted: claims.Permit, believed: list[bytes]) -> bool:
    """Whether the last permit says something else. ``believed``: the site's keys that it may be signed with."""
    now = wanted.issued
    last = verified(claims.Permit, bytes(permit.record), believed)
    if last is None:
        return True
    end, begins = employment_end(holder), employment_begin(holder)
    waits = last.not_before if last.not_before > last.issued else 0
    return (
        (last.holder, last.areas, last.locks, last.windows, last.pin_tag, last.category)
        != (wanted.holder, wanted.areas, wanted.locks, wanted.windows, wanted.pin_tag, wanted.category)
        # A first day that is still to come, or was.
        or (waits != begins and max(waits, begins) > now)
        # An end that came nearer shortens the permit at once; one that went away lengthens it.
        or any(last.expires > each for each in _ends(permit.permission, holder, now))
        or (permit.renew_at is None and last.expires != end)
    )
