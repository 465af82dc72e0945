"""Brings the mirror up to date and hands the waiting events to the central server, once.

A running kiosk does both by itself, and has the database: this is for a station whose kiosk has been stopped. An
activation box has no other way: it hands over its events and takes up central's keys, the blocklist, the peppers, what
the site says of itself, the time and its renewed certificate. Of people and keys central tells it nothing.
"""

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import config
from config import Settings
from offline_cache import SqliteStore
from station import name_lookups
from station.app import Station
from station.commands.command_line import UsageError, add_json, print_answer
from station.runtime import status_file
from station.sync.replaced_station import hand_over
from station.sync.timekeeping import Clocks

EXAMPLE = "example: station sync --config /etc/station/station.toml"


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a synchronisation has done."""

    objects: int
    """In the mirror now; at an activation box those few that it keeps."""
    changed: bool
    """Whether there was anything new."""
    age_before_s: int | None
    """How old the mirror was; None: there was none."""
    sent: int
    """Events that central has taken."""
    sent_of_old: int
    """Of those on the disk of the hardware before."""
    waiting: int
    """Events that it has not; those that it will never take are not counted."""
    certificate_expires: int
    """Unix seconds; after a renewal, of the new one."""
    box: bool
    """An activation box: ``objects`` are no mirror."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--events-of",
        type=Path,
        metavar="PATH",
        help="the station.db of the hardware that this one replaces: hand over its events too",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Synchronise, and print what was done."""
    old: Path | None = args.events_of
    # Opening a database makes it where there is none.
    if old is not None and not old.is_file():
        raise UsageError("no_such_database", path=old)
    synced = name_lookups.run(synchronise(config.load(config.find(args.config)), events_of=old))
    print_answer(
        args,
        f"{_summary(synced)}; events: {synced.sent} sent, {synced.waiting} waiting"
        + (f"; of the old hardware: {synced.sent_of_old} sent" if old is not None else ""),
        {
            "mirror_objects": 0 if synced.box else synced.objects,
            "mirror_changed": synced.changed and not synced.box,
            "mirror_age_before_s": None if synced.box else synced.age_before_s,
            "events_sent": synced.sent,
            "events_sent_of_old": synced.sent_of_old,
            "outbox": synced.waiting,
            "certificate_expires": synced.certificate_expires,
        },
    )
    return 0


def _summary(synced: SyncResult) -> str:
    news = "brought up to date" if synced.changed else "was up to date" if not synced.box else "were up to date"
    if not synced.box:
        return f"mirror {news}: {synced.objects} objects"
    until = datetime.fromtimestamp(synced.certificate_expires, UTC).date()
    return f"blocklist and central's keys {news}; certificate until {until}"


async def synchronise(settings: Settings, clocks: Clocks | None = None, *, events_of: Path | None = None) -> SyncResult:
    """Bring the mirror up to date and send the events, by the machine's clocks or by ``clocks``.

    ``events_of``: the database of the hardware before. Raises NotOurs, CentralUnreachable, CentralRefused, StoreFault,
    and what `Station.open` raises.
    """
    station = await Station.open(settings, clocks=clocks)
    try:
        before = station.mirror.state
        box = not station.profile.asks_central
        await station.mirror.refresh()
        # The blocklist and the time zone come with what has been taken up.
        await station.readiness.reload()
        after = station.mirror.state
        age_before_s = None
        if before.confirmed_at is not None and after.confirmed_at is not None:
            age_before_s = max(0, after.confirmed_at - before.confirmed_at)
        sent = await station.outbox.drain()
        of_old = 0
        if events_of is not None:
            old = await SqliteStore.open(events_of)
            try:
                of_old = await hand_over(old, station.central, station.identity, station.record_event)
            finally:
                await old.close()
        waiting = await station.store.pending_count()
        if box and not waiting:
            await station.store.note(status_file.HANDED_OVER_NOTE, str(station.time.now().unix_s))
        expires = station.identity.claims.expires
        return SyncResult(after.sum.count, before.sum != after.sum, age_before_s, sent, of_old, waiting, expires, box)
    finally:
        await station.close()
