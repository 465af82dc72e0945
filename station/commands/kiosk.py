"""The kiosk without its supervisor: serves keys at the socket until it is told to end. `station run` starts it."""

import argparse
import asyncio
import logging
import os
import sys
from collections import deque
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

import config
from config import Settings
from station.app import Station
from station.commands import cannot_start
from station.display.screen import Screen
from station.errors import StationError
from station.name_lookups import StationLoop
from station.plain_text import PlainFormatter
from station.pushed_config import PushedConfig
from station.runtime import status_file
from station.runtime.heartbeat import Heartbeat, answered, descriptor_of, reasons_of, turning
from station.runtime.neighbours_file import NeighboursFile
from station.runtime.status_file import StatusFile
from station.supervisor.kiosk_process import UPDATE_CODE
from ui.kiosk import Kiosk

EXAMPLE = "example: station kiosk --config /etc/station/station.toml"
LOG_LIMIT_BYTES = 4 * 1024 * 1024
EARLY_LINES = 100
LOG_FILES = 4
"""16 MiB of log at most, some months of it: an SD card fills up slowly and unnoticed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to log (default: station.log by the database)")


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM, or until a new configuration needs another process."""
    path = config.find(args.config)
    # What a full disk does not take is lost: logging would write of that across the screen.
    logging.raiseExceptions = False
    early = _EarlyLines()
    _log_to(early)
    with asyncio.Runner(loop_factory=StationLoop) as runner:
        # What would end the kiosk at once is said here, on a terminal where a line can still be read.
        try:
            opened = runner.run(_ready(path))
        except Exception:
            early.print_warnings()
            raise
        file = args.log or opened.station.settings.storage.database.with_name("station.log")
        kept = _log_file(file)
        _log_to(kept)
        for record in early.records:
            kept.handle(record)
        running = _Run(opened)
        running.kiosk.run_until_stopped(runner.get_loop())
        runner.run(opened.station.close())
    return UPDATE_CODE if running.ended_for_update else 0


class _EarlyLines(logging.Handler):
    """Keeps what is logged before it is known where to."""

    def __init__(self) -> None:
        super().__init__()
        self.records: deque[logging.LogRecord] = deque(maxlen=EARLY_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep ``record``."""
        self.records.append(record)

    def print_warnings(self) -> None:
        """Write the warnings to standard error, beside what the command says: there will be no log file."""
        for record in self.records:
            if record.levelno >= logging.WARNING:
                sys.stderr.write(f"{self.format(record)}\n")


def _log_file(file: Path) -> logging.Handler:
    try:
        return RotatingFileHandler(file, maxBytes=LOG_LIMIT_BYTES, backupCount=LOG_FILES - 1, encoding="utf-8")
    except OSError:
        # The station serves keys without a log; status and screen say that the disk does not work.
        return logging.NullHandler()


def _log_to(handler: logging.Handler) -> None:
    # The screen belongs to the kiosk: a log line on it would be read as part of the picture.
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    # httpx logs each request with its address at INFO: once a minute, for ever.
    logging.getLogger("httpx").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class _Opened:
    config: PushedConfig
    station: Station


async def _ready(path: Path) -> _Opened:
    """The station at ``path``, opened. Raises StationError when it does not open."""
    try:
        return await _try_to_open(path)
    except StationError as fault:
        if not cannot_start.is_wanted(fault):
            raise
        return await cannot_start.wait_until_it_starts(path, fault, lambda: _try_to_open(path))


async def _try_to_open(path: Path) -> _Opened:
    pushed = PushedConfig(path)
    return _Opened(pushed, await pushed.open())


class _Run:
    """A kiosk and the station behind it."""

    def __init__(self, opened: _Opened) -> None:
        self._config, self._station = opened.config, opened.station
        self.ended_for_update = False
        self._status: StatusFile | None = None
        display = self._station.settings.display
        self.kiosk = Kiosk(self._press, language=display.language, bell=display.bell, services=self._serve)

    def _press(self, stroke: str) -> None:
        self._station.visits.press(stroke)

    def _show(self, screen: Screen) -> None:
        self.kiosk.snapshot = screen
        if self._status is not None:
            self._status.follow(screen)

    async def _serve(self) -> None:
        station = self._station
        self._status = StatusFile(
            station.settings.storage.database.with_name(status_file.FILE_NAME),
            configuration=self._config.status.fields,
            store=station.store,
            time=station.time,
            mirror=station.mirror,
            facts=lambda: station.visits.state.station,
            visits=station.visits.past_visits,
        )
        async with asyncio.TaskGroup() as tasks:
            parts = [tasks.create_task(station.run(self._show, reasons=reasons_of(os.environ)), name="station")]
            # Whoever stands there waits for the screen: what nobody looks at comes after it.
            await station.visits.serving.wait()
            parts += [
                tasks.create_task(self._status.run(), name="status"),
                tasks.create_task(self._neighbours(station).run(), name="neighbours"),
            ]
            if (descriptor := descriptor_of(os.environ)) is not None:
                parts.append(tasks.create_task(self._heartbeat(station, descriptor).run(), name="heartbeat"))
            await self._config.run(self._adopt)
            self.ended_for_update = True
            for part in parts:
                part.cancel()
        self.kiosk.exit()

    def _adopt(self, settings: Settings) -> None:
        self.kiosk.language, self.kiosk.rings = settings.display.language, settings.display.bell

    def _heartbeat(self, station: Station, descriptor: int) -> Heartbeat:
        """What has to turn: the database's thread, the key reader, the screen's queue of messages."""
        started_at = asyncio.get_running_loop().time()
        reader = turning(lambda: max(started_at, station.reader.looked_at_s))
        return Heartbeat(descriptor, [station.store.alive, reader, answered(self.kiosk.call_later)])

    def _neighbours(self, station: Station) -> NeighboursFile:
        display, storage = station.settings.display, station.settings.storage
        return NeighboursFile(
            station.store,
            storage.database.parent,
            station=station.identity.station,
            unit=station.identity.claims.unit,
            down=lambda: station.mirror.down,
            language=display.language,
        )
