"""Permits: signed for 21 days, signed anew from half of it on, never past the end of employment.

One that gives areas for a time (`TemporaryAccess`) ends soon after that, and is signed anew without them at once after
the last day: also a station that hears nothing of it, and goes on with its last mirror for ten days, opens nothing with
it longer than `GRACE_S`.
"""

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from central.clock import DAY_S
from central.models import Holder, Permission, Permit, TemporaryAccess
from central.signing.keyring import signing_key, verifying_keys
from central.signing.periods import note_access, note_access_gone
from station.records import claims
from station.records.envelope import sign, verified

# Renewals are spread over the twentieth of a life before its half, so that a fleet never fetches all permits at once,
# and at least half of the life is always left.
JITTER_SHARE = 0.05
CLOCK_SKEW_S = 60
GRACE_S = 2 * DAY_S
"""After areas for a time have ended: with less, whoever has them would stand before their own doors, too, as soon as a
station cannot reach central for a night."""


def sign_permits(holder: Holder, now: int) -> int:
    """Sign what the holder's permissions say now, where the last permit says something else. Returns how many.

    Inside a change. A permit that may no longer be is taken away.
    """
    # Read again: the caller's may have been loaded before somebody else's change.
    holder = Holder.objects.select_related("site").get(pk=holder.pk)
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
        note_access(holder, permission.unit_id, wanted, now)
    note_access_gone(holder, now)
    return count


def sign_permit_anew(permit: Permit, now: int) -> None:
    """Sign a permit again, for a whole new life; take it away if nothing more may be signed. Inside a change."""
    wanted = _wanted(permit.permission, permit.holder, permit.revision, now)
    if wanted is None:
        permit.delete()
    else:
        _sign(permit.permission, permit.holder, permit, wanted)
    note_access(permit.holder, permit.permission.unit_id, wanted, now)


def _wanted(permission: Permission, holder: Holder, revision: int, now: int) -> claims.Permit | None:
    """What a permit signed now would say; None for someone who may have none."""
    begins = employment_begin(holder)
    expires = max(now, begins) + holder.site.permit_days * DAY_S
    expires = min([expires, *_ends(permission, holder, now)])
    fits = (holder.category == Holder.Category.HOURLY) == (permission.unit_id is not None)
    if holder.status != Holder.Status.ACTIVE or expires <= max(now, begins) or not fits:
        return None
    areas = set(permission.areas.values_list("number", flat=True))
    for each in _for_a_time(permission, holder, now):
        areas.update(each.areas.values_list("number", flat=True))
    return claims.Permit(
        expires=expires,
        not_before=max(now - CLOCK_SKEW_S, begins),
        issued=now,
        holder=holder.number,
        revision=max(revision + 1, now),
        areas=claims.EVERY_AREA if permission.every_area else tuple(sorted(areas)),
        locks=tuple(sorted(permission.locks.values_list("number", flat=True))),
        windows=tuple(claims.Window(*window) for window in permission.windows),
        pin_tag=bytes(holder.pin_tag),
        category=claims.Category(holder.category),
    )


def _for_a_time(permission: Permission, holder: Holder, now: int) -> list[TemporaryAccess]:
    """What is given for a time and not over, the first to end first. Whoever may open every area needs none."""
    if permission.every_area:
        return []
    today = holder.site.local_time(now).date()
    return list(permission.temporary.filter(until__gte=today).order_by("until", "pk"))


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


def _sign(permission: Permission, holder: Holder, permit: Permit | None, wanted: claims.Permit) -> None:
    permit = permit or Permit(permission=permission, holder=holder)
    permit.revision = wanted.revision
    permit.expires = wanted.expires
    life_s = wanted.expires - wanted.issued
    share = 0.5 - random.random() * JITTER_SHARE  # noqa: S311  (spreads load; nothing secret)
    # A permit that ends with the employment would end there again.
    ends_with_employment = wanted.expires == employment_end(holder)
    due = [] if ends_with_employment else [wanted.issued + int(life_s * share)]
    due += _ends_for_a_time(permission, holder, wanted.issued, 0)
    permit.renew_at = min(due, default=None)
    permit.record = sign(wanted, signing_key(holder.site))
    permit.save()


def _says_something_else(permit: Permit, wanted: claims.Permit, holder: Holder) -> bool:
    now = wanted.issued
    last = verified(claims.Permit, bytes(permit.record), verifying_keys(holder.site))
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
