"""How stations are doing, noted from what they ask and report: which blocks they know, when they go silent."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, Subquery

from central.models import Block, Blocklist, BlockReached, Event, MirrorRow, Station, StationHealth
from station.plain_text import one_line

NOTED_EVERY_S = 60
"""A poll that finds nothing writes nothing more than once a minute."""
SILENT_AFTER_S = 900
RESTARTS = ("station_started", "station_restarted")
REASON_LIMIT_CHARACTERS = 20
VERSION_LIMIT_CHARACTERS = 64


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
    seen = StationHealth.objects.filter(station=station).first()
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
    with transaction.atomic():
        StationHealth.objects.update_or_create(station=station, defaults=facts)
        _note_known_blocks(station, revision, now)


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
    if not StationHealth.objects.filter(station=station).update(**facts):
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


def _note_known_blocks(station: Station, revision: int, now: int) -> None:
    """Note which blocks a station knows that has everything up to that revision: those on the blocklist that it has."""
    told = MirrorRow.objects.filter(site=station.site_id, type=Blocklist.MIRROR_TYPE, revision__lte=revision)
    # By one statement. A list that has changed since says nothing of the older one: it is noted when the station has
    # asked again.
    newest = Blocklist.objects.filter(Exists(told), site=station.site_id).values("version")
    known = Block.objects.filter(key__site=station.site_id, open=True, version__lte=Subquery(newest))
    if unheard := list(known.exclude(reached__station=station)):
        BlockReached.objects.bulk_create(
            [BlockReached(block=block, station=station, at=now) for block in unheard], ignore_conflicts=True
        )
