"""Checks the database and the disk that it is on; reads from it what other checks need."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from config import Settings
from offline_cache import SqliteStore
from station.app import Station
from station.commands.doctor_checks.finding import Finding, fail, from_error, ok, warn
from station.commands.doctor_checks.mirror_and_outbox import check_mirror_and_outbox
from station.errors import StationError
from station.rules.clock import ClockMemory
from station.runtime import status_file

DISK_WARN_BYTES = 200_000_000
DISK_FAIL_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """What only the database knows: the credentials file has the enrolment's certificate for ever."""

    certificate_expires: int | None = None
    """Unix seconds."""
    clock: ClockMemory = field(default_factory=ClockMemory)
    """What the station remembers of the time."""


async def read_stored_facts(settings: Settings) -> StoredFacts:
    """What is in the database, as far as that can be found out. Nobody else may have it open."""
    if not settings.storage.database.exists():
        return StoredFacts()
    try:
        station = await Station.open(settings)
    except StationError:
        return StoredFacts()
    try:
        return StoredFacts(station.identity.claims.expires, station.time.memory)
    finally:
        await station.close()


async def check_database(settings: Settings, *, in_use: bool) -> list[Finding]:
    """Check the database, by SQLite where nobody has it open, and the disk that it is on."""
    path = settings.storage.database
    if in_use:
        return [ok("database", f"{path} is in use; it was checked when it was opened"), _check_disk(path)]
    if not path.exists():
        return [warn("database", f"{path} is not there yet", "station sync, or the kiosk, makes it"), _check_disk(path)]
    try:
        store = await SqliteStore.open(path)
    except StationError as error:
        return [from_error("database", error), _check_disk(path)]
    try:
        state, waiting = await store.mirror_state(), await store.pending_count()
        handed_over_at = await status_file.last_hand_over(store)
    except StationError as error:
        return [from_error("database", error), _check_disk(path)]
    finally:
        await store.close()
    synchronised = check_mirror_and_outbox(
        settings, confirmed_at=state.confirmed_at, handed_over_at=handed_over_at, waiting=waiting
    )
    return [ok("database", f"{path} is whole (quick_check)"), *synchronised, _check_disk(path)]


def _check_disk(path: Path) -> Finding:
    folder = path.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return fail("disk", f"{folder}: {error.strerror}", "make the folder, or mend storage.database")
    said = f"{free // 1_000_000} MB free in {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return fail("disk", f"nothing can be written to {folder}", "give it to the station's user: chown")
    if free < DISK_FAIL_BYTES:
        return fail("disk", said, "free some space, or use a larger disk")
    return warn("disk", said, "free some space") if free < DISK_WARN_BYTES else ok("disk", said)
