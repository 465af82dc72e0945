"""What time alone changes: records at half of their life, people whose last day is over, stations that went silent."""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from auditlog.context import disable_auditlog

from central.acts import renewing
from central.acts.people import collect_keys
from central.clock import DAY_S
from central.events.logmarks import publish_marks
from central.feed import change
from central.feed.change import forget_tombstones
from central.issuing import blocklists, permits
from central.keeping.retention import keep_when_due
from central.models import Blocklist, Holder, Permit, Site, Station

BATCH = 20
"""Permits signed in one transaction: stations fetch them in small pages, and administrators never wait long."""
TOMBSTONES_KEPT_S = 60 * DAY_S
SILENT_AFTER_S = 600

log = logging.getLogger("central.renewal")


def resign_due(now: int, batch: int = BATCH) -> int:
    """Sign anew at most ``batch`` permits that are due, and blocklists; end what is over. Returns how many permits."""
    with disable_auditlog():
        _end_employments(now)
        with change():
            due = list(
                Permit.objects.filter(renew_at__lte=now)
                .select_related("permission", "holder", "holder__site")
                .order_by("renew_at")[:batch]
            )
            for permit in due:
                permits.renew(permit, now)
            for blocklist in Blocklist.objects.filter(renew_at__lte=now).select_related("site"):
                blocklists.issue(blocklist.site, now)
    return len(due)


def keep_up(now: int) -> None:
    """One round of everything that time changes. Called every few seconds by `central serve`."""
    resign_due(now)
    with disable_auditlog():
        publish_marks(now)
        _note_silence(now)
    keep_when_due(now)
    for site in Site.objects.all():
        renewing.finish(site)
        forget_tombstones(site.pk, now - TOMBSTONES_KEPT_S)


def _end_employments(now: int) -> None:
    for site in Site.objects.all():
        today = datetime.fromtimestamp(now, ZoneInfo(site.timezone)).date()
        over = Holder.objects.filter(site=site, status=Holder.Status.ACTIVE, employment_ends__lt=today)
        if over.exists():
            with change():
                for holder in over:
                    holder.status = Holder.Status.ENDED
                    holder.save(update_fields=["status"])
                    collect_keys(holder, holder.employment_ends or today)
                    log.info("holder.ended site=%s holder=%s", site.number, holder.number)


def _note_silence(now: int) -> None:
    """Neighbours are shown as up or down; only enrolled stations, whose silence means something."""
    enrolled = Station.objects.filter(last_contact__isnull=False)
    silent = enrolled.filter(last_contact__lt=now - SILENT_AFTER_S).exclude(status=Station.Status.DOWN)
    heard = enrolled.filter(last_contact__gte=now - SILENT_AFTER_S).exclude(status=Station.Status.UP)
    # Out of order by hand: it may call as much as it likes.
    heard = heard.filter(out_of_order=None)
    for stations, status in ((silent, Station.Status.DOWN), (heard, Station.Status.UP)):
        if stations.exists():
            with change():
                for station in stations:
                    station.status = status
                    station.save(update_fields=["status"])
