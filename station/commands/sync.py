"""Brings the mirror up to date and hands the waiting events to the central server, once.

A running kiosk does both by itself, and has the database: this is for a station whose kiosk has been stopped.
"""

import argparse
import asyncio
from dataclasses import dataclass

import config
from config import Settings
from station.app import Station
from station.cli import add_json, answer

EXAMPLE = "example: station sync --config /etc/station/station.toml"


@dataclass(frozen=True, slots=True)
class Synced:
    """What was done."""

    objects: int
    """In the mirror now."""
    changed: bool
    """Whether there was anything new."""
    age_before_s: int | None
    """How old the mirror was; None: there was none."""
    sent: int
    """Events that central has taken."""
    waiting: int
    """Events that it has not; those that it will never take are not counted."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Refresh, drain, say what was done."""
    synced = asyncio.run(_sync(config.load(config.find(args.config))))
    news = "brought up to date" if synced.changed else "was up to date"
    answer(
        args,
        f"mirror {news}: {synced.objects} objects; events: {synced.sent} sent, {synced.waiting} waiting",
        {
            "mirror_objects": synced.objects,
            "mirror_changed": synced.changed,
            "mirror_age_before_s": synced.age_before_s,
            "events_sent": synced.sent,
            "outbox": synced.waiting,
        },
    )
    return 0


async def _sync(settings: Settings) -> Synced:
    station = await Station.open(settings)
    try:
        before = station.mirroring.state
        _, digest = await station.store.mirror_digest()
        if station.is_activation_box:
            await station.mirroring.refresh_without_mirror()
        else:
            await station.mirroring.refresh()
        objects, digest_now = await station.store.mirror_digest()
        after = station.mirroring.state
        age_before_s = None
        if before.confirmed_at is not None and after.confirmed_at is not None:
            age_before_s = max(0, after.confirmed_at - before.confirmed_at)
        sent = await station.outbox.drain()
        waiting = await station.store.pending_count()
        return Synced(objects, digest != digest_now, age_before_s, sent, waiting)
    finally:
        await station.close()
