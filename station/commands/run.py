"""The kiosk: serves keys at the socket until it is told to end."""

import argparse
import logging
from pathlib import Path

import config
from config import Settings
from station.app import Station
from station.services.visits import Visits
from ui.kiosk import Kiosk

EXAMPLE = "example: station run --config /etc/station/station.toml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to log (default: station.log by the database)")


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM."""
    settings = config.load(config.find(args.config))
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


class _Run:
    """A kiosk and the station behind it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._visits: Visits | None = None
        self.kiosk = Kiosk(
            self._press, language=settings.display.language, bell=settings.display.bell, start=self._serve
        )

    def _press(self, stroke: str) -> None:
        if self._visits is not None:
            self._visits.press(stroke)

    async def _serve(self) -> None:
        station = await Station.open(self._settings)
        socket = station.key_socket()
        try:
            # The kiosk rings by itself when a line wants to be looked at.
            self._visits = station.serve(socket, show=self.kiosk.show, ring=lambda: None)
            await station.run()
        finally:
            await socket.close()
            await station.close()
