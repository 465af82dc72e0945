"""The books after a crisis: what stations counted and locks wrote, against what central has. Reads, and compares."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

OPENINGS = frozenset({"lock_opened", "lock_refused"})


@dataclass(frozen=True, slots=True)
class LockEntry:
    """What a lock wrote to a key's log. ``time_s``: the key's clock."""

    key: int
    lock: int
    time_s: int
    outcome: str
    holder: int | None


@dataclass(frozen=True, slots=True)
class StationCount:
    """What a station's database has counted."""

    station: int
    instance: str
    events: int
    """How many it has ever kept: the last number given."""
    waiting: int
    """Those that are still in the outbox, set aside or not."""
    log_ids: frozenset[str]
    """Ids of entries of keys' logs that it has handed over; another station may have been first with the same."""


def read(station: int, database: Path) -> StationCount:
    """The count of a stopped station."""
    with closing(sqlite3.connect(database)) as db:
        ((instance,),) = db.execute("SELECT id FROM instance")
        ((events,),) = db.execute("SELECT IFNULL(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")
        ((waiting,),) = db.execute("SELECT COUNT(*) FROM outbox")
        log_ids = frozenset(str(UUID(bytes=id_)) for (id_,) in db.execute("SELECT id FROM answered_id"))
    return StationCount(station, instance, events, waiting, log_ids)


def differences(
    events: Sequence[Mapping[str, Any]], counts: Iterable[StationCount], entries: Iterable[LockEntry]
) -> list[str]:
    """Where central's ``events`` are not exactly what stations counted and locks wrote, in plain words."""
    found = []
    for count in counts:
        if count.waiting:
            found.append(f"station {count.station} still has {count.waiting} events")
        # It may have gone on since it was counted.
        mine = [e for e in events if e["instance"] == count.instance and e["seq"] <= count.events]
        by_others = {e["id"] for e in events if e["instance"] != count.instance} & count.log_ids
        lost = count.events - len({e["seq"] for e in mine}) - len(by_others)
        if lost:
            found.append(f"of station {count.station}'s {count.events} events {lost} are not at central")
        if len(mine) != len({e["seq"] for e in mine}):
            found.append(f"station {count.station} has an event twice")
    logged = Counter(
        LockEntry(e["key"], e["lock"], e["at"], e["data"]["outcome"], e["holder"])
        for e in events
        if e["type"] in OPENINGS
    )
    seen = Counter(entries)
    found += [f"not in the opening log: {_said(entry)}" for entry in (seen - logged).elements()]
    found += [f"in the opening log, and no lock saw it: {_said(entry)}" for entry in (logged - seen).elements()]
    return found


def _said(entry: LockEntry) -> str:
    return f"key {entry.key} at lock {entry.lock}: {entry.outcome}"
