"""How this station is doing: mirror, outbox, clock, configuration, last visits, key reader.

Beside a running kiosk it reads what the kiosk has written a few seconds ago; without one it opens the database.
"""

import argparse
import asyncio
import fcntl
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import config
from config import Problem, Settings
from config.config_file import in_effect
from config.problems import summary
from offline_cache import SqliteStore
from station.app import Station
from station.commands.command_line import add_json, print_answer, utc_text
from station.rules.clock import ClockDoubt
from station.runtime import status_file

EXAMPLE = "example: station status --json"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
_OF_THE_FILE = frozenset({"format", "pid", "written_boottime_s"})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print how the station is doing; 0 whenever that could be found out."""
    path = config.find(args.config)
    shown, problems = in_effect(path)
    fields = status_of(shown.settings, problems)
    print_answer(args, "\n".join(lines(fields)), fields)
    return 0


def status_of(settings: Settings, problems: Sequence[Problem] = ()) -> dict[str, Any]:
    """What `station status --json` prints. Raises StationError, also when a kiosk has the database and writes nothing.

    ``settings`` are those in effect; ``problems`` is what is wrong with the file, where they are an earlier one's.

    ``source``: ``kiosk`` (its file, ``age_s`` old) or ``database``. The reader is only known to a running kiosk.
    """
    path = settings.storage.database.with_name(status_file.FILE_NAME)
    written = status_file.of_running_kiosk(path)
    running = kiosk_runs(settings.storage.database)
    if running and written is not None:
        source: dict[str, Any] = {"source": "kiosk", "age_s": status_file.age_s(written)}
        fields = {name: value for name, value in written.items() if name not in _OF_THE_FILE}
        # The file is as old as the kiosk's last sign of life; the configuration may have been changed since.
        return {"kiosk": True, **source, **fields, "config_version_file": None if problems else settings.version}
    fields = asyncio.run(_from_database(settings, problems))
    last = status_file.read(path)
    visits = last["visits"] if last is not None else []
    source = {"source": "database", "age_s": 0, "written_at": int(time.time())}
    return {
        "kiosk": False,
        **source,
        **fields,
        "visits": visits,
        "config_version_file": None if problems else settings.version,
    }


def kiosk_runs(database: Path) -> bool:
    """Whether a kiosk, or another command, has the database open: it then holds a lock on the file beside it."""
    try:
        lock = os.open(database.with_name(database.name + ".lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


async def _from_database(settings: Settings, problems: Sequence[Problem]) -> dict[str, Any]:
    database = settings.storage.database
    if database.exists():
        return await _fields_of(await Station.open(settings), settings, problems)
    with tempfile.TemporaryDirectory(prefix="station-status-") as nowhere:
        # Whoever only asks makes nothing: without a database the answer is that of an empty one.
        store = await SqliteStore.open(Path(nowhere, database.name))
        return await _fields_of(await Station.open(settings, store=store), settings, problems)


async def _fields_of(station: Station, settings: Settings, problems: Sequence[Problem]) -> dict[str, Any]:
    try:
        return status_file.station_fields(
            await station.readiness.facts(),
            station.time,
            station.mirror,
            configuration={
                "version": settings.version,
                "waiting": None,
                "rejected": {**summary(problems)} if problems else None,
            },
            outbox=await station.store.pending_count(),
            handed_over_at=await status_file.last_hand_over(station.store),
            reader="unknown",
        )
    finally:
        await station.close()


def lines(fields: Mapping[str, Any]) -> Sequence[str]:
    """``fields`` as lines for people."""
    clock = fields["clock"]
    said = f"kiosk running, {_duration(fields['age_s'])} ago" if fields["kiosk"] else "no kiosk runs here"
    trust = f"trusted ({_clock_source(clock)})" if clock["trusted"] else f"NOT trusted ({_DOUBTS[clock['doubt']]})"
    off_only = fields["off_only"]
    can = "keys can be activated" if off_only is None else f"keys can only be switched off ({off_only})"
    # A box has nobody to ask: what it goes by has been read.
    asks = fields.get("profile") != "activation-box"
    if fields["source"] == "database" and off_only == "clock" and asks:
        can = "not known: the clock is asked for by the kiosk, or station sync"
    rows = [
        ("station", f"{fields['station']} ({said})"),
        ("activation", can),
        *_mirror_or_hand_over(fields),
        ("outbox", f"{'?' if fields['outbox'] is None else fields['outbox']} events waiting"),
        ("clock", f"{trust}, {utc_text(clock['unix_s'])}"),
        ("configuration", _configuration(fields)),
        ("certificate", f"until {utc_text(fields['certificate_expires'])}"),
        ("key reader", {"key_in": "a key is in", "unknown": "not looked at"}.get(fields["reader"], fields["reader"])),
    ]
    found = [f"{name:<14} {what}" for name, what in rows]
    visits = fields["visits"]
    found.append(f"{'last visits':<14} {'none known' if not visits else ''}".rstrip())
    for visit in visits:
        reason = f" ({visit['reason']})" if visit["reason"] else ""
        found.append(f"  {utc_text(visit['at'])}  {visit['kind'] or 'unknown':<10}  {visit['outcome'] or '…'}{reason}")
    return found


_DOUBTS = {
    ClockDoubt.NO_SOURCE: "nothing that is trusted tells the time",
    ClockDoubt.BEFORE_FLOOR: "it is before what central has signed",
    ClockDoubt.SET_BACK: "it is before what was trusted here already",
    ClockDoubt.TOO_FAR_AHEAD: "it is more than a year past what central has signed",
}


def _clock_source(clock: Mapping[str, Any]) -> str:
    age_s = clock["signed_age_s"]
    signed = clock["source"] != "rtc" and age_s is not None
    return f"{clock['source']}, central's word of {_duration(age_s)} ago" if signed else str(clock["source"])


def _mirror_or_hand_over(fields: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The rows on mirror and central, or what an activation box has instead. A kiosk's file may lack what is newer."""
    if fields.get("profile") == "activation-box":
        at = fields.get("handed_over_at")
        return [
            ("profile", "activation box: no mirror; works with what is on the key"),
            ("hand-over", "never: station sync, on a network" if at is None else f"last {utc_text(at)}"),
        ]
    age_s = fields["mirror_age_s"]
    mirror = "none, or of unknown age" if age_s is None else f"{_duration(age_s)} old"
    return [("mirror", mirror), ("central", _central(fields))]


def _duration(seconds: int) -> str:
    """Roughly how long: ``12 s``, ``5 min``, ``3 h``, ``2 days``."""
    if seconds < 2 * MINUTE_S:
        return f"{seconds} s"
    if seconds < 2 * HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return f"{seconds // HOUR_S} h" if seconds < 2 * DAY_S else f"{seconds // DAY_S} days"


def _central(fields: Mapping[str, Any]) -> str:
    if fields["source"] == "database":
        return "not asked"
    if fields.get("central_fault"):
        return f"is there, but of no use ({fields['central_fault']}): station doctor says what to do"
    return "answers" if fields["online"] else "does not answer"


def _configuration(fields: Mapping[str, Any]) -> str:
    running, file, rejected = fields["config_version"], fields["config_version_file"], fields["config_rejected"]
    if rejected is not None:
        line = "" if rejected["line"] is None else f":{rejected['line']}"
        key = "" if rejected["key"] is None else f"{rejected['key']}: "
        return f"{running}; the file that is there is REJECTED: {rejected['file']}{line}: {key}{rejected['reason']}"
    if fields["config_waiting"] is not None:
        return f"{running}; {fields['config_waiting']} waits for the end of a visit"
    return running if running == file else f"{running}; the kiosk has not taken up the file yet ({file or 'broken'})"
