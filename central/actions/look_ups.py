"""Reading the opening log: each time is kept with its reason, and counted for all to see."""

from typing import Any

from django.db.models import F, QuerySet

from central.clock import HOUR_S
from central.feed import change
from central.models import LookUp, Site
from central.models.places import no_look_ups

CASE_OPEN_S = 4 * HOUR_S
"""For so long whoever has given a reason may look up more of the same case, and read the answers again."""


def note_look_up(site: Site, at: int, cause: LookUp.Cause, case: LookUp | None = None, **told: Any) -> LookUp:
    """Keep who looks up what, when and why (`LookUp`'s other fields), before anything is shown.

    ``case``: the first look-up of the case that this one goes on with; without, it begins one. How often it is done,
    and for which cause, is on every station's screen: staff are told that somebody reads of them.
    """
    with change():
        fresh = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        fresh.look_ups = _counted(fresh.look_ups, fresh.local_time(at).year, cause)
        fresh.save(update_fields=["look_ups"])
        look_up = LookUp.objects.create(site=fresh, at=at, cause=cause, case=case.pk if case else None, **told)
        if case is None:
            look_up.case = look_up.pk
            # Not a change that the audit log has to tell of.
            LookUp.objects.filter(pk=look_up.pk).update(case=look_up.pk)
        return look_up


def open_cases(site: Site, user: Any, now: int) -> "QuerySet[LookUp]":
    """The cases that somebody may go on with, the newest first: the look-up that each began with."""
    return LookUp.objects.filter(site=site, user=user, case=F("pk"), at__gte=now - CASE_OPEN_S)


def _counted(told: dict[str, Any], year: int, cause: LookUp.Cause) -> dict[str, Any]:
    if told["year"] != year:
        told = no_look_ups(year) | {"last_year": told["counts"] if told["year"] == year - 1 else {}}
    counts = told["counts"]
    return told | {"counts": counts | {cause.value: counts.get(cause.value, 0) + 1}}
