"""How long events are kept: a site's ``log_days`` after they came in. Then their rows are gone, and none is rewritten.

What statistics need stays: how many of a type there were a day, in each area and unit (`DailyCount`). And who has a
pool key that is not back (`Handover`).

On PostgreSQL a month goes as a whole when the most patient site keeps nothing of it any more; until then nothing reads
what is over (`Event.objects.kept`). What a site keeps for a shorter time goes in small batches, as everything does on
SQLite. Neither is in the way of events that come in.
"""

import logging
import time
from typing import Any

from django.db import connection, transaction

from central.actions.event_months import drop_month, take_months_off
from central.clock import DAY_S
from central.models import Activation, Event, EventId, Site
from central.operations.apart import each_apart

BATCH = 500
"""Rows deleted in one transaction: nobody else waits for long."""
PAUSE_S = 0.02
"""Between two batches, so that whoever waits gets in: SQLite's writers do not queue."""
IDS_BATCH = 5000
"""Ids deleted in one statement while a month goes; nobody else asks for them."""

COUNT = """
    INSERT INTO central_dailycount (site_id, day, area, unit, type, count)
    SELECT event.site_id, event.received_at - event.received_at %% 86400, COALESCE(area.number, 0),
           COALESCE(unit.number, 0), event.type, COUNT(*)
    FROM {table} event
    LEFT JOIN central_lock lock ON lock.site_id = event.site_id AND lock.number = event.lock
    LEFT JOIN central_area area ON area.id = lock.area_id
    LEFT JOIN central_key key ON key.site_id = event.site_id AND key.number = event.key
    LEFT JOIN central_station station ON station.id = event.station_id
    LEFT JOIN central_unit unit ON unit.id = COALESCE(key.unit_id, station.unit_id)
    WHERE {which}
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (site_id, day, area, unit, type) DO UPDATE SET count = central_dailycount.count + excluded.count
"""
IDS_OF_A_MONTH = """
    WITH batch AS (SELECT id, site_id, event FROM {table} WHERE id > %s ORDER BY id LIMIT %s),
    gone AS (DELETE FROM central_eventid USING batch
             WHERE central_eventid.site_id = batch.site_id AND central_eventid.event = batch.event)
    SELECT MAX(id), COUNT(*) FROM batch
"""

log = logging.getLogger("central.retention")


def delete_old_events(now: int) -> int:
    """Delete what every site keeps no longer of its events, having counted it. Returns how many events.

    Outside of a transaction. What is interrupted goes on the next time; two at once do each row once.
    """
    sites = list(Site.objects.order_by("pk"))
    if not sites:
        return 0
    longest = max(site.log_days for site in sites)

    def delete(site: Site) -> int:
        limit = now - site.log_days * DAY_S
        _delete_activations(site, limit)
        by_row = connection.vendor != "postgresql" or site.log_days < longest
        return _delete_events(site, limit) if by_row else 0

    count = each_apart("delete_old_events", sites, delete)
    return count + take_months_off(now - longest * DAY_S, _throw_away)


def _delete_events(site: Site, limit: int) -> int:
    old = Event.objects.filter(site=site, received_at__lt=limit).order_by("received_at", "pk")
    count = 0
    while True:
        with transaction.atomic():
            found = list(old.select_for_update(skip_locked=True).values_list("pk", "event")[:BATCH])
            if found:
                pks = [pk for pk, _ in found]
                marks = ", ".join(["%s"] * len(pks))
                with connection.cursor() as cursor:
                    which = f"event.received_at < %s AND event.id IN ({marks})"
                    cursor.execute(COUNT.format(table="central_event", which=which), [limit, *pks])
                _delete(EventId.objects.filter(site_id=site.pk, event__in=[event for _, event in found]))
                _delete(Event.objects.filter(received_at__lt=limit, pk__in=pks))
        count += len(found)
        if len(found) < BATCH:
            break
        time.sleep(PAUSE_S)
    if count:
        log.warning("retention.done site=%s events=%s", site.number, count)
    return count


def _delete_activations(site: Site, limit: int) -> None:
    """What they tell is in the events; entries that are so old are judged no more."""
    while pks := list(Activation.objects.filter(site=site, received_at__lt=limit).values_list("pk", flat=True)[:BATCH]):
        _delete(Activation.objects.filter(pk__in=pks))
        if len(pks) == BATCH:
            time.sleep(PAUSE_S)


def _throw_away(table: str) -> int:
    """Forget the ids of a month that has been taken off, count it, throw it away. Returns how many events it had."""
    last: int | None = 0
    count = 0
    with connection.cursor() as cursor:
        while last is not None:
            cursor.execute(IDS_OF_A_MONTH.format(table=table), [last, IDS_BATCH])
            last, found = cursor.fetchone()
            count += found
    # All of it or nothing: what is counted is gone. Another one who is at it waits, and then finds no table.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(COUNT.format(table=table, which="TRUE"), [])
        drop_month(table)
    log.warning("retention.month_gone table=%s events=%s", table, count)
    return count


def _delete(rows: Any) -> None:
    # Django's own deletion loads each row, for whoever wants to be told of it; of these nobody does.
    rows._raw_delete(rows.db)  # noqa: SLF001
