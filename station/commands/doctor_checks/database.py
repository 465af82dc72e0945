"""Checks the database and the disk that it is on; reads from it what other checks need."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from config import Settings
from offline_cache import SqliteStore
from station.app import Station
from station.commands.doctor_checks.finding import Finding, Level, fail, from_error, ok, warn
from station.commands.doctor_checks.mirror_and_outbox import check_mirror_and_outbox
from station.errors import StationError
from station.rules.clock import ClockMemory
from station.runtime import status_file


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


async def check_database(settings: Settings, disk: Sequence[Finding], *, in_use: bool) -> list[Finding]:
    """Check the database, by SQLite where nobody has it open. ``disk``: what `check_disk` has found."""
    if in_use and disk[0].level is Level.FAIL:
        # What it was when it was opened says nothing by now.
        what = f"{settings.storage.database} is in use, on a disk that is full or takes no writes, or soon will be"
        return [fail("database", what, disk[0].mend), *disk]
    return [*await _check_file(settings, in_use=in_use), *disk]


async def _check_file(settings: Settings, *, in_use: bool) -> list[Finding]:
    path = settings.storage.database
    if in_use:
        return [ok("database", f"{path} is in use; it was checked when it was opened")]
    if not path.exists():
        return [warn("database", f"{path} is not there yet", "station sync, or the kiosk, makes it")]
    try:
        store = await SqliteStore.open(path)
    except StationError as error:
        return [from_error("database", error)]
    try:
        state, waiting = await store.mirror_state(), await store.pending_count()
        handed_over_at = await status_file.last_hand_over(store)
    except StationError as error:
        return [from_error("database", error)]
    finally:
        await store.close()
    synchronised = check_mirror_and_outbox(
        settings, confirmed_at=state.confirmed_at, handed_over_at=handed_over_at, waiting=waiting
    )
    return [ok("database", f"{path} is whole (quick_check)"), *synchronised]
