"""What somebody has to know of a database that was restored: from when it is, and what is undone by that."""

from collections.abc import Iterator
from datetime import UTC, datetime

from auditlog.models import LogEntry
from django.db.models import Max

from central.clock import DAY_S, HOUR_S
from central.models import Block, CentralKey, Event, Receipt, Site, StationToken

MINUTE_S = 60


def newest_things(now: int) -> Iterator[str]:
    """The newest of each kind of thing, a line each: when it was, and how long ago that is."""
    changed = LogEntry.objects.aggregate(newest=Max("timestamp"))["newest"]
    newest = {
        "newest event": max(filter(None, map(_newest_event, Site.objects.all())), default=None),
        "newest change": None if changed is None else int(changed.timestamp()),
        "newest block of a key": Block.objects.aggregate(newest=Max("at"))["newest"],
        "newest receipt": Receipt.objects.aggregate(newest=Max("made_at"))["newest"],
        "newest enrolment": StationToken.objects.aggregate(newest=Max("created_at"))["newest"],
    }
    for what, at in newest.items():
        yield f"  {what:<23}" + ("none" if at is None else f"{moment(at)}, {_ago(now - at)} ago")


def cautions() -> Iterator[str]:
    """What somebody has to know of the central keys and PINs of the sites that were restored: two lines each."""
    for site in Site.objects.order_by("number"):
        links = CentralKey.objects.filter(site=site).count()
        if links + 1 > site.current_key:
            what = (
                f"a change to central key {links + 1} was going on; had it come further, repeat its steps with --force"
            )
        else:
            what = (
                f"central key {site.current_key} signs; without a later one, if there was one, stations believe nothing"
            )
        yield f"site {site.number}: {what}"
        yield (
            f"site {site.number}: its PINs are of {moment(site.pin_version)}; were they renewed since, or was a "
            "station revoked, do it again at once: PINs given since are worth nothing, those before may be known"
        )


def _newest_event(site: Site) -> int | None:
    # Of each site by its index: of all together it would be a scan of the whole log.
    newest = Event.objects.filter(site=site).order_by("-received_at").values_list("received_at", flat=True).first()
    return None if newest is None else int(newest)


def moment(at: int) -> str:
    """A time as operators read it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ago(seconds: int) -> str:
    """In the two largest units that say something."""
    days, rest = divmod(max(seconds, 0), DAY_S)
    hours, rest = divmod(rest, HOUR_S)
    minutes, seconds = divmod(rest, MINUTE_S)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s"
