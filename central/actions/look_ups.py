"""Reading the log: noted before anything is shown, from whichever place it is read, and counted for all to see."""

from datetime import UTC, datetime
from typing import Any

from central.clock import unix_now
from central.feed import change
from central.models import LookUp, Site


def note_look_up(site: Site, user: Any, by: str, **asked: Any) -> LookUp:
    """Keep who reads what, and why; the site's own screens say how often, and for which reasons.

    ``user``: None for a command, which has no account; ``by``: a name for it. ``asked``: the other fields of a LookUp.
    """
    now = unix_now()
    with change():
        mine = Site.objects.select_for_update(no_key=True).get(pk=site.pk)
        year = datetime.fromtimestamp(now, UTC).year
        counts = mine.look_ups["counts"] if mine.look_ups["year"] == year else {}
        look_up = LookUp.objects.create(site=mine, user=user, by=by, at=now, **asked)
        mine.look_ups = {"year": year, "counts": counts | {look_up.why: counts.get(look_up.why, 0) + 1}}
        mine.save(update_fields=["look_ups"])
    return look_up
