"""After a site's ``log_days`` the log no longer says who: identities go, rows (and so every count) stay.

A row keeps type, time, station, lock and outcome. Key, holder and everything else goes, also the event's id: that of a
key's log entry can be computed from the key's number. ``seq`` stays, so that a lost event is still noticed.
"""

import logging
from uuid import uuid4

from django.db import transaction
from django.db.models import Q

from central.clock import DAY_S
from central.keeping import records
from central.models import Event, ServerFact, Site

BATCH = 500
KEPT_DATA = ("outcome", "reason")
ROUND_EVERY_S = 3600
TAKEN, RETURNED = "pool_key_taken", "pool_key_returned"

log = logging.getLogger("central.retention")


def keep_all(now: int) -> int:
    """Every site's retention; returns how many events lost their identities."""
    return sum(keep(site, now) for site in Site.objects.all())


def keep_when_due(now: int) -> None:
    """As `keep_all` and `records.forget_all`, but at most once an hour."""
    fact, _ = ServerFact.objects.get_or_create(name="retention_at", defaults={"value": "0"})
    if now - int(fact.value) >= ROUND_EVERY_S:
        keep_all(now)
        records.forget_all(now)
        ServerFact.objects.filter(name=fact.name).update(value=str(now))


def keep(site: Site, now: int) -> int:
    """Take the identities out of the site's events that came in more than ``log_days`` ago. Returns from how many.

    By the time of receipt: a station's or key's clock may be wrong. What a pool key's holder has taken and not brought
    back is a receipt that still counts, and stays.
    """
    limit = now - site.log_days * DAY_S
    mark, _ = ServerFact.objects.get_or_create(name=f"retention:{site.pk}", defaults={"value": "0"})
    named = Q(key__isnull=False) | Q(holder__isnull=False)
    count = 0
    # Those before the mark are done, but for receipts that were open then.
    fresh = Event.objects.filter(site=site, received_at__gte=int(mark.value), received_at__lt=limit).filter(named)
    open_then = Event.objects.filter(site=site, type=TAKEN, received_at__lt=int(mark.value)).filter(named)
    for events in (fresh, open_then):
        last = 0
        while True:
            found = list(events.filter(pk__gt=last).order_by("pk")[:BATCH])
            if not found:
                break
            last = found[-1].pk
            count += _forget([event for event in found if not _is_open(event)])
    ServerFact.objects.filter(name=mark.name).update(value=str(max(limit, 0)))
    if count:
        log.warning("retention.done site=%s events=%s", site.number, count)
    return count


def _is_open(event: Event) -> bool:
    """Whether this is the receipt of a pool key that is still out."""
    if event.type != TAKEN:
        return False
    later = Event.objects.filter(site=event.site_id, key=event.key, type__in=(TAKEN, RETURNED), pk__gt=event.pk)
    return not later.exists()


def _forget(events: list[Event]) -> int:
    for event in events:
        event.event, event.key, event.holder = uuid4(), None, None
        event.data = {name: event.data[name] for name in KEPT_DATA if name in event.data}
    with transaction.atomic():
        Event.objects.bulk_update(events, ["event", "key", "holder", "data"], batch_size=BATCH)
    return len(events)
