"""Permits: signed for 21 days, signed anew from half of it on, never past the end of employment."""

import random
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from central.clock import DAY_S
from central.models import Holder, Permission, Permit
from central.signing.keyring import signing_key, verifying_keys
from station.records import claims
from station.records.envelope import sign, verified

# Renewals are spread over the twentieth of a life before its half, so that a fleet never fetches all permits at once,
# and at least half of the life is always left.
JITTER_SHARE = 0.05
CLOCK_SKEW_S = 60


def sign_permits(holder: Holder, now: int) -> int:
    """Sign what the holder's permissions say now, where the last permit says something else. Returns how many.

    Inside a change. A permit that may no longer be is taken away.
    """
    # Read again, under a lock: of two that sign at once, the second goes on from what the first has signed.
    holder = _locked([holder.pk]).get()
    count = 0
    for permission in holder.permissions.select_related("unit"):
        permit = Permit.objects.filter(permission=permission).first()
        wanted = _wanted(permission, holder, permit.revision if permit else 0, now)
        if wanted is None:
            count += permit is not None
            if permit is not None:
                permit.delete()
        elif permit is None or _says_something_else(permit, wanted, holder):
            _sign(permission, holder, permit, wanted)
            count += 1
    return count


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
    for permit in mine.order_by("renew_at", "pk"):
        holder = locked[permit.holder_id]
        wanted = _wanted(permit.permission, holder, permit.revision, now)
        if wanted is None:
            permit.delete()
        else:
            _sign(permit.permission, holder, permit, wanted)
        count += 1
    return count


def _locked(holders: Collection[int], *, skip: bool = False) -> QuerySet[Holder]:
    """These holders as they are now, whom nobody else signs for until the transaction ends.

    Always in the same order; with ``skip``, without those whom somebody else has locked. SQLite has one writer anyway.
    """
    rows = Holder.objects.select_related("site").filter(pk__in=holders).order_by("pk")
    return rows.select_for_update(of=("self",), no_key=True, skip_locked=skip)


def _wanted(permission: Permission, holder: Holder, revision: int, now: int) -> claims.Permit | None:
    """What a permit signed now would say; None for someone who may have none."""
    expires = now + holder.site.permit_days * DAY_S
    end = employment_end(holder)
    if end is not None:
        expires = min(expires, end)
    fits = (holder.category == Holder.Category.HOURLY) == (permission.unit_id is not None)
    if holder.status != Holder.Status.ACTIVE or expires <= now or not fits:
        return None
    areas = sorted(permission.areas.values_list("number", flat=True))
    return claims.Permit(
        expires=expires,
        not_before=now - CLOCK_SKEW_S,
        issued=now,
        holder=holder.number,
        revision=max(revision + 1, now),
        areas=claims.EVERY_AREA if permission.every_area else tuple(areas),
        locks=tuple(sorted(permission.locks.values_list("number", flat=True))),
        windows=tuple(claims.Window(*window) for window in permission.windows),
        pin_tag=bytes(holder.pin_tag),
        category=claims.Category(holder.category),
    )


def employment_end(holder: Holder) -> int | None:
    """The end of the holder's last day at work, in the site's time zone; the calendar's last day is none."""
    if holder.employment_ends in {None, date.max}:
        return None
    midnight = datetime.combine(
        holder.employment_ends + timedelta(days=1), time(), tzinfo=ZoneInfo(holder.site.timezone)
    )
    return int(midnight.timestamp())


def _sign(permission: Permission, holder: Holder, permit: Permit | None, wanted: claims.Permit) -> None:
    permit = permit or Permit(permission=permission, holder=holder)
    permit.revision = wanted.revision
    permit.expires = wanted.expires
    life_s = wanted.expires - wanted.issued
    share = 0.5 - random.random() * JITTER_SHARE  # noqa: S311  (spreads load; nothing secret)
    # A permit that ends with the employment would end there again.
    ends_with_employment = wanted.expires == employment_end(holder)
    permit.renew_at = None if ends_with_employment else wanted.issued + int(life_s * share)
    permit.record = sign(wanted, signing_key(holder.site))
    permit.save()


def _says_something_else(permit: Permit, wanted: claims.Permit, holder: Holder) -> bool:
    last = verified(claims.Permit, bytes(permit.record), verifying_keys(holder.site))
    if last is None:
        return True
    end = employment_end(holder)
    return (
        (last.holder, last.areas, last.locks, last.windows, last.pin_tag, last.category)
        != (wanted.holder, wanted.areas, wanted.locks, wanted.windows, wanted.pin_tag, wanted.category)
        # An end that came nearer shortens the permit at once; one that went away lengthens it.
        or (end is not None and last.expires > end)
        or (permit.renew_at is None and last.expires != end)
    )
