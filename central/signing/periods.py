"""Keeps since when somebody may open what, noted whenever a permit says something else: what they could on a day."""

from typing import Any

from central.models import AccessPeriod, Holder
from station.records import claims


def note_access(holder: Holder, unit: int | None, permit: claims.Permit | None, now: int) -> None:
    """Note what the holder may open from now on, or from the permit's first day on. Inside a change.

    ``unit``: whose substitute keys, by the database's number; None for a key of their own. ``permit`` None: nothing.
    """
    period = AccessPeriod.objects.filter(holder=holder, unit=unit, until=None).first()
    opens = None if permit is None else what_it_opens(permit)
    since = now if permit is None else max(now, permit.not_before)
    if period is not None and period.opens == opens and max(period.since, now) == since:
        return
    if period is not None:
        _close(period, now)
    if opens is not None:
        AccessPeriod.objects.create(holder=holder, unit_id=unit, opens=opens, since=since)


def note_access_gone(holder: Holder, now: int) -> None:
    """Note the end of what the holder has no permission for any more. Inside a change."""
    units = list(holder.permissions.values_list("unit", flat=True))
    for period in AccessPeriod.objects.filter(holder=holder, until=None):
        if period.unit_id not in units:
            _close(period, now)


def what_it_opens(permit: claims.Permit) -> dict[str, Any]:
    """As `AccessPeriod.opens` has it."""
    windows = [[each.weekdays, each.start_minute, each.end_minute] for each in permit.windows]
    return {"areas": list(permit.areas), "locks": list(permit.locks), "windows": windows}


def _close(period: AccessPeriod, now: int) -> None:
    # One that was to begin later has never been; so has one of the same second.
    if period.since >= now:
        period.delete()
    else:
        period.until = now
        period.save(update_fields=["until"])
