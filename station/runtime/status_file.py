"""Keeps ``status.json`` beside the database fresh, for those who may not open the database while the kiosk has it.

One JSON object, replaced as a whole at most every `WRITE_EVERY_S` and after each visit. It is about the station: no
key's number, no name, no PIN, nothing secret. It need not survive a power cut, so it is not synced to the disk.
"""

import asyncio
import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from station.display.screen import Line, Screen
from station.ports import Json, Store, StoreFault
from station.records.base64url import encoded
from station.records.claims import Role
from station.rules.facts import StationFacts
from station.runtime.past_visits import PastVisits
from station.sync.mirror import MirrorSync
from station.sync.timekeeping import Timekeeper

FILE_NAME = "status.json"
FORMAT = 1
WRITE_EVERY_S = 5.0
STALE_AFTER_S = 30
"""A kiosk whose file is older than this hangs, or its disk does not take writes."""
FILE_MODE = 0o644
HANDED_OVER_NOTE = "events_handed_over_at"
"""When an activation box last handed all of its events to central (Unix seconds): `station sync` notes it."""

_log = logging.getLogger("station.status")


class StatusFile:
    """Writes the file of one running kiosk; `run` until cancelled, `follow` each screen."""

    def __init__(
        self,
        path: Path,
        *,
        configuration: Callable[[], Mapping[str, Json]],
        store: Store,
        time: Timekeeper,
        mirror: MirrorSync,
        facts: Callable[[], StationFacts],
        visits: PastVisits,
    ) -> None:
        """``facts``: the station's readiness, as the visit machine was last told.

        ``visits`` is told of each screen before `follow` is.

        ``configuration``: see `station.pushed_config.ConfigStatus.fields`.
        """
        self._path, self._configuration = path, configuration
        self._store, self._time, self._mirror, self._facts = store, time, mirror, facts
        self._visits = visits
        self._visit = (visits.ended, visits.outcome)
        self._visits.take_up((read(path) or {}).get("visits"))
        self._line = Line.EMPTY
        self._news = asyncio.Event()
        self._failed = False

    def follow(self, screen: Screen) -> None:
        """Take in a screen that was shown."""
        broken = (self._line is Line.READER_BROKEN) != (screen.line is Line.READER_BROKEN)
        self._line = screen.line
        visit = (self._visits.ended, self._visits.outcome)
        if broken or visit != self._visit:
            self._visit = visit
            self._news.set()

    async def run(self) -> None:
        """Write now, every few seconds, and as a visit comes further: one that is cut off is called what it was."""
        while True:
            self._news.clear()
            await self._write()
            with contextlib.suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with news.
                async with asyncio.timeout(WRITE_EVERY_S):
                    await self._news.wait()

    async def _write(self) -> None:
        waiting: int | None = None
        handed_over_at: int | None = None
        with contextlib.suppress(StoreFault):
            waiting = await self._store.pending_count()
            handed_over_at = await last_hand_over(self._store)
        now = self._time.now()
        content = station_fields(
            self._facts(),
            self._time,
            self._mirror,
            configuration=self._configuration(),
            outbox=waiting,
            handed_over_at=handed_over_at,
            reader=self._reader(),
        )
        content |= {
            "format": FORMAT,
            "written_at": now.unix_s,
            "written_boottime_s": int(boottime_s()),
            "pid": os.getpid(),
            "visits": self._visits.rows(),
        }
        try:
            _replace(self._path, json.dumps(content).encode() + b"\n")
        except OSError as error:
            if not self._failed:
                _log.warning("status.not_written errno=%s", error.errno)
            self._failed = True
        else:
            self._failed = False

    def _reader(self) -> str:
        if self._line is Line.READER_BROKEN:
            return "broken"
        out = {Line.EMPTY, Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE}
        return "empty" if self._line in out else "key_in"


def station_fields(
    facts: StationFacts,
    time: Timekeeper,
    mirror: MirrorSync,
    *,
    configuration: Mapping[str, Json],
    outbox: int | None,
    handed_over_at: int | None,
    reader: str,
) -> dict[str, Json]:
    """How a station stands, as the status file and `station status --json` have it. Ages in seconds.

    ``handed_over_at``: see `last_hand_over`. An activation box has no mirror, and nobody to be online with.
    """
    box = facts.role is Role.ACTIVATION_BOX
    now, doubt, signed_age_s = time.now(), time.doubt(), time.anchor_age_s()
    return {
        "station": facts.station,
        "profile": facts.role.name.lower().replace("_", "-"),
        "config_version": configuration["version"],
        "config_waiting": configuration["waiting"],
        "config_rejected": configuration["rejected"],
        "off_only": facts.off_only.value if facts.off_only is not None else None,
        "online": None if box else facts.online,
        "central_fault": mirror.fault,
        "mirror_age_s": facts.mirror_age_s,
        "mirror_confirmed_at": None if box else mirror.confirmed_at(),
        "outbox": outbox,
        "handed_over_at": handed_over_at,
        "clock": {
            "trusted": now.trust is not None,
            "source": now.trust.name.lower() if now.trust is not None else None,
            "unix_s": now.unix_s,
            "doubt": doubt.value if doubt is not None else None,
            "signed_age_s": int(signed_age_s) if signed_age_s is not None else None,
        },
        "certificate_expires": facts.certificate_expires,
        "central_keys": [encoded(key) for key in mirror.central_keys],
        "reader": reader,
    }


async def last_hand_over(store: Store) -> int | None:
    """When this activation box last handed over its events; None: never, or it is no box. Raises StoreFault."""
    note = await store.note(HANDED_OVER_NOTE)
    return int(note) if note and note.isdecimal() else None


def read(path: Path) -> dict[str, Json] | None:
    """What a kiosk wrote to ``path``; None where there is nothing that one has written."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def of_running_kiosk(path: Path) -> dict[str, Json] | None:
    """What the kiosk that is alive now wrote to ``path``; None where the one that wrote it is gone, or none has."""
    written = read(path)
    pid = written.get("pid") if written is not None else None
    if not isinstance(pid, int) or pid <= 0:
        return None
    with contextlib.suppress(PermissionError):  # another user's: it is there
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
    return written


def age_s(written: Mapping[str, Json]) -> int:
    """How long ago a kiosk that is alive wrote it: by a clock that nobody sets, as boards begin in another year."""
    at = written.get("written_boottime_s")
    return max(0, int(boottime_s()) - at) if isinstance(at, int) else 0


def boottime_s() -> float:
    """Seconds since the machine was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _replace(path: Path, content: bytes) -> None:
    """The old file or the new one, never half of each."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.chmod(FILE_MODE)
        temporary.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
