"""Checks what can be found out on this machine alone: certificate, key reader, clock, database, disk, kiosk."""

import asyncio
import grp
import os
import pwd
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import Credentials, Settings
from drivers.smp.reader import SmpKeyReader
from offline_cache import SqliteStore
from station.app import Station, identity_of, reader_settings
from station.commands.doctor_checks.finding import Finding, fail, from_error, ok, warn
from station.errors import StationError
from station.ports import KeyFile, KeyLost, KeyRefused, ReaderLost
from station.rules.clock import ClockMemory, ClockRules, trusted_time
from station.runtime import status_file
from station.runtime.profiles import PROFILES
from station.sync.timekeeping import Clocks, SystemClocks

CERTIFICATE_WARN_DAYS = 14
"""A station renews at half of its certificate's life: with so little left, renewing has not worked for weeks."""
BOX_CERTIFICATE_WARN_DAYS = 60
"""An activation box renews only when somebody takes it to a network: there must be time to plan that."""
HAND_OVER_WARN_DAYS = 400
DISK_WARN_BYTES = 200_000_000
DISK_FAIL_BYTES = 20_000_000
KEY_ANSWERS_S = 1.5
OUTBOX_WARN_EVENTS = 1000
DAY_S = 86400


def is_activation_box(settings: Settings) -> bool:
    """Whether this is an activation box: no mirror, no network, and a clock of its own."""
    return settings.station.profile == "activation-box"


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """What only the database knows: the credentials file has the enrolment's certificate for ever."""

    certificate_expires: int | None = None
    """Unix seconds."""
    clock_floor_s: int = 0
    """The newest time (Unix seconds) that central has signed: no clock before it is right."""


async def read_stored_facts(settings: Settings) -> StoredFacts:
    """What is in the database, as far as that can be found out. Nobody else may have it open."""
    if not settings.storage.database.exists():
        return StoredFacts()
    try:
        station = await Station.open(settings)
    except StationError:
        return StoredFacts()
    try:
        return StoredFacts(station.identity.claims.expires, station.time.floor_s)
    finally:
        await station.close()


def check_certificate(settings: Settings, credentials: Credentials, expires: int | None) -> list[Finding]:
    """Check whose certificate it is, in what role, until when. ``expires``: of a renewed one; None: not known."""
    try:
        claims = identity_of(credentials).claims
    except StationError as error:
        return [from_error("certificate", error)]
    role = claims.role.name.lower().replace("_", " ")
    if PROFILES[claims.role].name != settings.station.profile:
        what = f"certified as {role}, but station.profile is {settings.station.profile}"
        return [fail("certificate", what, "mend station.profile, or enrol again")]
    if credentials.station != settings.station.number:
        what = f"for station {credentials.station}, but station.number is {settings.station.number}"
        return [warn("certificate", what, "enrol again, or mend station.number")]
    until = max(claims.expires, expires or 0)
    left_s = until - int(time.time())
    said = f"{role}, until {time.strftime('%Y-%m-%d', time.gmtime(until))}"
    if left_s <= 0:
        return [fail("certificate", f"{said}: it is over", "connect the station to central, then station sync")]
    if is_activation_box(settings):
        if left_s < BOX_CERTIFICATE_WARN_DAYS * DAY_S:
            return [warn("certificate", f"{said}: soon over", "connect the box to central, then station sync")]
    elif left_s < CERTIFICATE_WARN_DAYS * DAY_S:
        return [warn("certificate", f"{said}: not renewed for weeks", "connect it to central, then station sync")]
    return [ok("certificate", said)]


async def check_key_reader(settings: Settings, status: Mapping[str, Any] | None) -> list[Finding]:
    """Check that the port is there, permitted, free, answering. ``status``: of a running kiosk; None: none runs."""
    port = str(settings.key_reader.port)
    if status is not None:
        if status.get("reader") == "broken":
            return [fail("key reader", f"the kiosk cannot use {port}", "plug it in, or mend key_reader.port")]
        return [ok("key reader", f"{port} is in use by the kiosk")]
    if "://" not in port and (refused := _permission_fault(Path(port))) is not None:
        return [refused]
    reader = SmpKeyReader(reader_settings(settings))
    try:
        key = await asyncio.wait_for(reader.next_key(), KEY_ANSWERS_S)
        record = await key.read(KeyFile.ID)
    except (TimeoutError, KeyLost):
        what = f"{port} can be opened; no key answers"
        return [warn("key reader", what, "press a key's button, put it in, and run this once more")]
    except (ReaderLost, KeyRefused) as error:
        return [from_error("key reader", error)]
    finally:
        await reader.close()
    if not record:
        what = f"{port}: a key answers that has no record in {settings.key_reader.folder}"
        return [warn("key reader", what, "hand it out (station key provision); if it has been, mend key_reader.folder")]
    return [ok("key reader", f"{port}: a key answers")]


def _permission_fault(port: Path) -> Finding | None:
    try:
        mode = port.stat()
    except OSError:
        return None  # opening it says why
    if not stat.S_ISCHR(mode.st_mode):
        return fail("key reader", f"{port} is no serial port", "mend key_reader.port (look in /dev/serial/by-id)")
    if os.access(port, os.R_OK | os.W_OK):
        return None
    group, user = str(mode.st_gid), str(os.geteuid())
    with suppress(KeyError):
        group = grp.getgrgid(mode.st_gid).gr_name
    with suppress(KeyError):
        user = pwd.getpwuid(os.geteuid()).pw_name
    return fail("key reader", f"{user} may not open {port}", f"usermod -aG {group} {user}, then log in anew")


def check_clock(
    settings: Settings,
    status: Mapping[str, Any] | None,
    *,
    central_answers: bool,
    floor_s: int = 0,
    clocks: Clocks | None = None,
) -> Finding:
    """Check whether the time can be trusted, and what it rests on. ``floor_s``: see `StoredFacts.clock_floor_s`."""
    if status is not None:
        said = status.get("clock") or {}
        if said.get("trusted"):
            return ok("clock", f"trusted by the kiosk ({said.get('source')})")
        mend = _BOX_CLOCK_MEND if is_activation_box(settings) else _CLOCK_MEND
        return fail("clock", "the kiosk has no trusted time: keys can only be switched off", mend)
    rules = settings.clock
    readings = (clocks or SystemClocks(read_rtc=rules.trust_rtc))()
    if is_activation_box(settings) and readings.rtc_unix_s is None:
        # Whatever else the time could rest on is not there where the box will stand.
        return fail("clock", "no battery-backed clock answers, and a box has no other", _BOX_CLOCK_MEND)
    if central_answers and not is_activation_box(settings):
        return ok("clock", "central's signed time is at hand")
    if rules.trust_ntp and readings.ntp_synchronised:
        return ok("clock", "the system says that it is NTP-synchronised")
    if rules.trust_rtc and readings.rtc_unix_s is not None:
        by_rtc = ClockRules(trust_ntp=False, trust_rtc=True, holdover_days=settings.policy.mirror_max_age_days)
        said = datetime.fromtimestamp(readings.rtc_unix_s, UTC).strftime("%Y-%m-%d %H:%MZ")
        if trusted_time(readings, by_rtc, ClockMemory(floor_s)) is None:
            return fail("clock", f"the battery-backed clock says {said}: that cannot be", _WRONG_CLOCK_MEND)
        return ok("clock", f"a battery-backed clock answers: {said}")
    return fail("clock", "nothing that time could rest on: keys can only be switched off", _CLOCK_MEND)


_CLOCK_MEND = "connect it to central, or set up NTP (timedatectl set-ntp true), or fit a clock and set clock.trust_rtc"

_WRONG_CLOCK_MEND = "set the system's clock, then hwclock --systohc; if it is wrong again, it needs a new battery"

_BOX_CLOCK_MEND = "fit a battery-backed clock, and set it: hwclock --systohc after station sync"


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
    found = [ok("database", f"{path} is whole (quick_check)")]
    if is_activation_box(settings):
        found.append(_check_hand_over(handed_over_at))
    else:
        found.append(_check_mirror(settings, state.confirmed_at))
    return [*found, _check_outbox(waiting), _check_disk(path)]


def check_kiosk_status(settings: Settings, status: Mapping[str, Any]) -> list[Finding]:
    """Check mirror, or a box's last hand-over, and outbox as a running kiosk has them."""
    if is_activation_box(settings):
        found = _check_hand_over(status.get("handed_over_at"))
    else:
        found = _check_mirror(settings, status.get("mirror_confirmed_at"))
    return [found, _check_outbox(status.get("outbox"))]


def _check_hand_over(at: int | None) -> Finding:
    mend = "connect the box to central, stop it, then station sync"
    if at is None:
        return warn("hand-over", "there has been none: it has only what it was enrolled with", mend)
    days = max(0, int(time.time()) - at) // DAY_S
    if days > HAND_OVER_WARN_DAYS:
        return warn("hand-over", f"the last one was {days} days ago", mend)
    return ok("hand-over", f"the last one was {days} days ago")


def _check_mirror(settings: Settings, confirmed_at: int | None) -> Finding:
    if confirmed_at is None:
        return warn("mirror", "there is none yet: keys can only be switched off", "station sync")
    age_s = max(0, int(time.time()) - confirmed_at)
    longest = settings.policy.mirror_max_age_days
    if age_s > longest * DAY_S:
        what = f"{age_s // DAY_S} days old, more than {longest}: keys can only be switched off"
        return fail("mirror", what, "connect it to central, then station sync")
    if age_s > DAY_S:
        return warn("mirror", f"{age_s // DAY_S} days old", "connect it to central, then station sync")
    return ok("mirror", f"confirmed {age_s} s ago")


def _check_outbox(waiting: int | None) -> Finding:
    if waiting is None:
        return fail("outbox", "cannot be read", "look at the log; check the disk")
    if waiting > OUTBOX_WARN_EVENTS:
        return warn("outbox", f"{waiting} events wait for central", "connect it to central, then station sync")
    return ok("outbox", f"{waiting} events wait for central")


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


def check_kiosk(settings: Settings, *, running: bool) -> Finding:
    """Check whether the kiosk runs, and still says so."""
    path = settings.storage.database.with_name(status_file.FILE_NAME)
    if not running:
        return warn("kiosk", "does not run", "systemctl start station, or station run")
    try:
        age_s = int(time.time() - path.stat().st_mtime)
    except OSError:
        return warn("kiosk", f"has the database, but there is no {path}", "wait some seconds, then run this again")
    if age_s > status_file.STALE_AFTER_S:
        return fail("kiosk", f"has not said anything for {age_s} s", "hold 0 and 2 until the screen goes dark")
    return ok("kiosk", f"runs; said so {age_s} s ago")
