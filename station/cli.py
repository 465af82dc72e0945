"""The console script ``station``: finds the command, and says in one plain line what went wrong.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from station import __version__
from station.errors import StationError

COMMANDS = {
    "run": "the kiosk",
    "demo": "everything on this machine: central server, emulated keys, kiosk",
    "visit": "one key visit without a screen",
    "enrol": "enrol with the central server",
    "sync": "bring the mirror up to date and drain the outbox once",
    "status": "how this station is doing",
    "doctor": "what a technician would check, with the mend",
    "config": "check station.toml, print its schema",
    "key": "what is on the inserted key; hand out a new one",
    "lock": "what a lock would decide about a key",
    "emulate": "an emulated key on a pseudo-terminal",
}
DONE, FAILED, WRONG_USAGE = 0, 1, 2


class UsageError(StationError):
    """The command line makes no sense (exit code 2)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(WRONG_USAGE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0] if words else "--help"
    if name in {"-h", "--help"}:
        sys.stdout.write(_overview())
        return DONE if words else WRONG_USAGE
    if name == "--version":
        sys.stdout.write(f"station {__version__}\n")
        return DONE
    if name not in COMMANDS:
        sys.stderr.write(f"station: there is no command {name[:40]!r}; see station --help\n")
        return WRONG_USAGE
    # Only the command that runs is imported: a kiosk does not load the demo, nor `status` Textual.
    command = importlib.import_module(f"station.commands.{name}")
    parser = _Parser(
        prog=f"station {name}",
        description=command.__doc__,
        epilog=command.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, metavar="PATH", help="default: ./station.toml, else /etc/station/station.toml"
    )
    command.configure(parser)
    return _run(name, command.run, parser.parse_args(words[1:]))


def _run(name: str, run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(name)s %(message)s")
    try:
        return run(args)
    except StationError as error:
        # Late, so that a good run does not wait for the words of a bad one.
        complaints = importlib.import_module("station.commands.complaints")
        for line in complaints.lines(error):
            sys.stderr.write(f"station {name}: {line}\n")
        return WRONG_USAGE if complaints.is_usage(error) else FAILED
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        return FAILED


def _overview() -> str:
    rows = "\n".join(f"  {name:<8} {what}" for name, what in COMMANDS.items())
    return (
        f"usage: station COMMAND [--config PATH] …\n\n{rows}\n\n"
        "`station COMMAND --help` says more. A first look: station demo\n"
    )
