"""Reading the opening log: each time is kept with its reason, and counted for all to see."""

from typing import Any

from central.feed import change
from central.models import LookUp, Site
from central.models.places import no_look_ups


def note_look_up(site: Site, at: int, cause: LookUp.Cause, **told: Any) -> LookUp:
    """Keep who looks up what, when and why (`LookUp`'s other fields), before anything is shown.

    How often it is done, and for which cause, is on every station's screen: staff are told that somebody reads of them.
    """
    with change():
        fresh = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        year = fresh.local_time(at).year
        told_before = fresh.look_ups if fresh.look_ups["year"] == year else no_look_ups(year)
        counts = told_before["counts"]
        fresh.look_ups = {"year": year, "counts": counts | {cause.value: counts.get(cause.value, 0) + 1}}
        fresh.save(update_fields=["look_ups"])
        return LookUp.objects.create(site=fresh, at=at, cause=cause, **told)
