"""The kiosk, under a supervisor that keeps it alive: restarts it when it dies, hangs, or 0 + 2 is held for 2 s."""

import argparse
import os
import sys
from pathlib import Path

from station.supervisor.supervisor import supervise

EXAMPLE = "example: station run --config /etc/station/station.toml"

HERE, SYSTEM = Path("station.toml"), Path("/etc/station/station.toml")
"""As `config.find`; importing that takes longer than the first picture may."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to log (default: station.log by the database)")
    parser.add_argument("--keypad", metavar="DEVICE", help="an input device to take for itself, as /dev/input/by-id/…")


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGHUP."""
    if not os.isatty(0):
        # Imported for this only: the first picture does not wait for it.
        from station.commands.command_line import UsageError  # noqa: PLC0415

        raise UsageError("no_terminal", hint="station visit")
    path = args.config or (HERE if HERE.exists() else SYSTEM)
    log = ["--log", str(args.log)] if args.log is not None else []
    command = [sys.executable, "-m", "station", "kiosk", "--config", str(path), *log]
    return supervise(command, config=path, log=args.log, keypad=args.keypad)
