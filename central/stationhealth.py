"""Notes how stations are doing, from what they ask and report; says how far a change has reached; ends a stolen one."""

from central.api.schemas import EventIn
from central.api.selfreport import SelfReport
from central.feed import change
from central.models import EnrolmentCode, MirrorRow, Site, Station, StationHealth
from central.models.event import CLOCK_UNKNOWN
from central.office.reach import note_reached

NOTED_EVERY_S = 60
"""A poll that finds nothing writes nothing more than once a minute."""
RESTARTS = ("station_started", "station_restarted")
REASON_LIMIT_CHARACTERS = 20
VERSION_LIMIT_CHARACTERS = 64


def note_mirror(station: Station, revision: int, now: int, report: SelfReport | None = None) -> None:
    """The station has everything up to that revision, and says how it is."""
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
    StationHealth.objects.update_or_create(station=station, defaults=facts)
    note_reached(station, (seen.revision or 0) if seen is not None else 0, revision, now)


def note_events(station: Station, events: list[EventIn], now: int) -> None:
    """A batch has come in: clock, what the outbox had waiting, configuration, restarts."""
    if not events:
        return
    newest = events[-1]
    facts: dict[str, object] = {
        "events_at": now,
        "events_behind_s": max(0, now - min(event.at for event in events)),
        "clock": CLOCK_UNKNOWN if newest.clock == "unknown" else newest.clock,
    }
    for event in events:
        if event.type in RESTARTS:
            facts["restarted_at"] = event.at
            facts["restart_reason"] = str(event.data.get("reason", ""))[:REASON_LIMIT_CHARACTERS]
        elif event.type == "config_applied":
            facts["config_version"] = str(event.data.get("version", ""))[:VERSION_LIMIT_CHARACTERS]
            facts["config_at"], facts["config_rejected_at"] = event.at, None
        elif event.type == "config_rejected":
            facts["config_rejected_at"] = event.at
    StationHealth.objects.update_or_create(station=station, defaults=facts)


def reached(site: Site, type_: str, number: int) -> dict[int, bool]:
    """Which enrolled stations, by number, have the newest version of that mirror object: ``key`` 5001, blocklist 0."""
    row = MirrorRow.objects.filter(site=site, type=type_, number=number).first()
    needed = row.revision if row is not None else 0
    stations = Station.objects.filter(site=site, stolen=False, tokens__isnull=False).select_related("health").distinct()
    return {station.number: _revision(station) >= needed for station in stations}


def _revision(station: Station) -> int:
    health = getattr(station, "health", None)
    return health.revision or 0 if health is not None else 0


def revoke(station: Station) -> None:
    """A station is stolen: its number goes on the blocklist, its tokens and open codes are worth nothing at once.

    What is left to do is to renew every PIN of the site: a thief has the pepper and all tags.
    """
    with change():
        station.stolen = True
        station.save(update_fields=["stolen"])
        station.tokens.all().delete()
        EnrolmentCode.objects.filter(station=station, used_at=None).delete()
