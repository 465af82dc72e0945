"""The kiosk without its supervisor: serves keys at the socket until it is told to end. `station run` starts it."""

import argparse
import asyncio
import logging
from pathlib import Path

import config
from config import Settings
from station.app import Station
from station.core.screen import Screen
from station.services import status_file
from station.services.status_file import StatusFile
from station.services.visits import Visits
from ui.kiosk import Kiosk

EXAMPLE = "example: station kiosk --config /etc/station/station.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to log (default: station.log by the database)")


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM."""
    settings = config.load(config.find(args.config))
    # What would end the kiosk at once is said here, on a terminal where a line can still be read.
    asyncio.run(_try_to_open(settings))
    # The screen belongs to the kiosk: a log line on it would be read as part of the picture.
    logging.basicConfig(
        filename=args.log or settings.storage.database.with_name("station.log"),
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    # httpx logs each request with its address at INFO: once a minute, for ever.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    _Run(settings).kiosk.run_kiosk()
    return 0


async def _try_to_open(settings: Settings) -> None:
    await (await Station.open(settings)).close()


class _Run:
    """A kiosk and the station behind it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._visits: Visits | None = None
        self._status: StatusFile | None = None
        self.kiosk = Kiosk(
            self._press, language=settings.display.language, bell=settings.display.bell, start=self._serve
        )

    def _press(self, stroke: str) -> None:
        if self._visits is not None:
            self._visits.press(stroke)

    def _show(self, screen: Screen) -> None:
        self.kiosk.show(screen)
        if self._status is not None and self._visits is not None:
            self._status.saw(self._visits.state, screen)

    async def _serve(self) -> None:
        station = await Station.open(self._settings)
        socket = station.key_socket()
        try:
            # The kiosk rings by itself when a line wants to be looked at.
            self._visits = visits = station.serve(socket, show=self._show, ring=lambda: None)
            self._status = StatusFile(
                self._settings.storage.database.with_name(status_file.FILE_NAME),
                config_version=self._settings.version,
                store=station.store,
                time=station.time,
                mirroring=station.mirroring,
                facts=lambda: visits.state.station,
            )
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(station.run(), name="station")
                tasks.create_task(self._status.run(), name="status")
        finally:
            await socket.close()
            await station.close()
