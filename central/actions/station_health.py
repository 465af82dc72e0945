"""How stations are doing, noted from what they ask and report: which blocks they know, when they go silent."""

from collections.abc import Sequence
from dataclasses import dataclass

from central.models import Blocklist, BlockReached, Event, Key, Station, StationHealth
from central.models.noting import note
from central.postgresql import asking
from station.plain_text import one_line

NOTED_EVERY_S = 60
"""A poll that finds nothing writes nothing more than once a minute."""
SILENT_AFTER_S = 900
RESTARTS = ("station_started", "station_restarted")
REASON_LIMIT_CHARACTERS = 20
VERSION_LIMIT_CHARACTERS = 64
# By one statement. A list that has changed since says nothing of the older one: it is noted when the station has asked
# again. By the few keys that are blocked: blocks of all sites and times stand in one table.
_KNOWN_BLOCKS = f"""
    SELECT block.id FROM central_key blocked
    JOIN central_block block ON block.key_id = blocked.id AND block.open
    JOIN central_blocklist newest ON newest.site_id = blocked.site_id AND newest.version >= block.version
    WHERE blocked.site_id = %(site)s AND blocked.status = '{Key.Status.BLOCKED}'
        AND EXISTS (SELECT 1 FROM central_mirrorrow WHERE site_id = %(site)s AND type = '{Blocklist.MIRROR_TYPE}'
                        AND revision > %(before)s AND revision <= %(revision)s)
        AND NOT EXISTS (SELECT 1 FROM central_blockreached reached
                        WHERE reached.block_id = block.id AND reached.station_id = %(station)s)
"""  # noqa: S608  (constants)


@dataclass(frozen=True)
class SelfReport:
    """What a station says of itself; None for what it did not tell. It decides nothing: it is only shown."""

    outbox: int | None = None
    """How many events wait at the station."""
    mirror_age_s: int | None = None
    clock: int | None = None
    config_version: str | None = None


def note_mirror(station: Station, revision: int, now: int, report: SelfReport | None = None) -> None:
    """Note that the station has everything up to that revision, and how it says that it is."""
    report = report or SelfReport()
    seen: StationHealth | None = getattr(station, "health", None)
    if seen is not None and now - (seen.mirror_at or 0) < NOTED_EVERY_S:
        told = {"outbox": report.outbox, "clock": report.clock, "config_version": report.config_version}
        news = any(value is not None and value != getattr(seen, name) for name, value in told.items())
        if seen.revision == revision and not news:
            return
    # What is lower than before is true as well: a station set up anew begins at the beginning.
    facts: dict[str, object] = {"revision": revision, "mirror_at": now, "outbox": report.outbox}
    if report.clock is not None:
        facts["clock"] = report.clock
    if report.config_version is not None:
        facts["config_version"] = report.config_version
    age_s = report.mirror_age_s
    facts["mirror_confirmed_at"] = None if age_s is None else max(0, now - age_s)
    # Before the revision: what is broken off in between is then done again.
    _note_known_blocks(station, revision, None if seen is None else seen.revision, now)
    if not note(StationHealth, station.pk, **facts):
        # Only these: another call of the same station may have noted its first facts meanwhile.
        StationHealth.objects.update_or_create(station=station, defaults=facts)


def note_events(station: Station, events: Sequence[Event], now: int) -> None:
    """Note what a batch of events says of the station: clock, what its outbox had waiting, configuration, restarts."""
    if not events:
        return
    facts: dict[str, object] = {
        "events_at": now,
        "events_behind_s": max(0, now - min(event.at for event in events)),
        "clock": events[-1].clock,
    }
    for event in events:
        if event.type in RESTARTS:
            facts["restarted_at"] = event.at
            facts["restart_reason"] = one_line(event.data.get("reason", ""))[:REASON_LIMIT_CHARACTERS]
        elif event.type == "config_applied":
            facts["config_version"] = one_line(event.data.get("version", ""))[:VERSION_LIMIT_CHARACTERS]
            facts["config_at"], facts["config_rejected_at"] = event.at, None
        elif event.type == "config_rejected":
            facts["config_rejected_at"] = event.at
    if not note(StationHealth, station.pk, **facts):
        StationHealth.objects.update_or_create(station=station, defaults=facts)


def note_silence(now: int) -> None:
    """Note which stations are up or down; only enrolled ones, whose silence means something.

    Past the change feed: each answer to a poll says who is down, and none is woken by it.
    """
    enrolled = Station.objects.filter(last_contact__isnull=False)
    silent = enrolled.filter(last_contact__lt=now - SILENT_AFTER_S).exclude(status=Station.Status.DOWN)
    heard = enrolled.filter(last_contact__gte=now - SILENT_AFTER_S).exclude(status=Station.Status.UP)
    # Out of order by hand: it may call as much as it likes.
    heard = heard.filter(out_of_order=None)
    for stations, status in ((silent, Station.Status.DOWN), (heard, Station.Status.UP)):
        stations.update(status=status)


def _note_known_blocks(station: Station, revision: int, before: int | None, now: int) -> None:
    """Note which blocks a station knows that has everything up to that revision: those on the blocklist that it has.

    ``before``: the revision that was noted before; what the station knew by that has been noted then.
    """
    if before == revision:
        return
    asked = {"site": station.site_id, "station": station.pk, "revision": revision, "before": before or 0}
    with asking() as cursor:
        cursor.execute(_KNOWN_BLOCKS, asked)
        unheard = [block for (block,) in cursor.fetchall()]
    if unheard:
        BlockReached.objects.bulk_create(
            [BlockReached(block_id=block, station=station, at=now) for block in unheard], ignore_conflicts=True
        )
