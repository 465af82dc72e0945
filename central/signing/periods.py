"""Keeps since when somebody may open what, noted whenever a permit says something else: what they could on a day."""

from collections.abc import Collection, Mapping
from typing import Any

from central.models import AccessPeriod
from station.records import claims


def note_access(
    told: Mapping[tuple[int, int | None], claims.Permit | None], now: int, *, whole: Collection[int] = ()
) -> None:
    """Note what people may open from now on, or from a permit's first day on. Inside a change, under their locks.

    ``told``: what permits say, by holder and whose substitute keys (None: a key of their own), both by the database's
    numbers; None: nothing. ``whole``: the holders who may open nothing else.
    """
    holders = {holder for holder, _unit in told} | set(whole)
    periods = {
        (period.holder_id, period.unit_id): period
        for period in AccessPeriod.objects.filter(holder__in=holders, until=None)
    }
    new = []
    for (holder, unit), permit in told.items():
        period = periods.pop((holder, unit), None)
        opens = None if permit is None else what_it_opens(permit)
        since = now if permit is None else max(now, permit.not_before)
        if period is not None and period.opens == opens and max(period.since, now) == since:
            continue
        if period is not None:
            _close(period, now)
        if opens is not None:
            new.append(AccessPeriod(holder_id=holder, unit_id=unit, opens=opens, since=since))
    for (holder, _unit), period in periods.items():
        if holder in whole:
            _close(period, now)
    AccessPeriod.objects.bulk_create(new)


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
