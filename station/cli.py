"""The console script ``station``: finds the command, and says in one plain line what went wrong.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from station.errors import StationError

COMMANDS = {
    "run": "the kiosk, under a supervisor that keeps it alive",
    "kiosk": "the kiosk without its supervisor",
    "demo": "everything on this machine: central server, emulated keys, kiosk",
    "visit": "one key visit without a screen",
    "enrol": "enrol with the central server",
    "sync": "bring the mirror up to date and drain the outbox once",
    "status": "how this station is doing",
    "doctor": "what a technician would check, with the mend",
    "config": "station.toml: what is in effect, check, roll back, schema",
    "key": "what is on the inserted key; hand out a new one",
    "lock": "what a lock would decide about a key",
    "emulate": "an emulated key on a pseudo-terminal",
    "bench": "how fast a station is on this machine",
}
DONE, FAILED, WRONG_USAGE = 0, 1, 2


class UsageError(StationError):
    """The command line makes no sense (exit code 2)."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(WRONG_USAGE)


def add_action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str, example: str
) -> argparse.ArgumentParser:
    """A command's own command, as ``show`` in ``station key show``: with ``--config``, ``--json`` and an example."""
    parser = actions.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # Suppressed where it is not given: else it would undo one that stands before the action's name.
    _add_config(parser, default=argparse.SUPPRESS)
    add_json(parser)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option ``--json``."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def answer(args: argparse.Namespace, text: str, fields: object) -> None:
    """What a command has to say on standard output: ``text``, or with ``--json`` one object."""
    line = _json(fields) if args.json else text
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _json(value: object) -> str:
    # Imported where it is needed, as logging and traceback are: `station run` has a picture to show at once.
    return str(importlib.import_module("json").dumps(value, ensure_ascii=False))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0] if words else "--help"
    if name in {"-h", "--help"}:
        sys.stdout.write(_overview())
        return DONE if words else WRONG_USAGE
    if name == "--version":
        version = importlib.import_module("station.version")
        sys.stdout.write(f"station {version.version_and_commit()}\n")
        return DONE
    if name not in COMMANDS:
        sys.stderr.write(f"station: there is no command {name[:40]!r}; see station --help\n")
        return WRONG_USAGE
    command = _imported(name)
    parser = _Parser(
        prog=f"station {name}",
        description=command.__doc__,
        epilog=command.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # Else "--pin" would pass for "--pin-stdin", and a PIN would stand on a command line.
        allow_abbrev=False,
    )
    _add_config(parser, default=None)
    command.configure(parser)
    args, strange = parser.parse_known_args(words[1:])
    if strange:
        parser.error(_strange(strange))
    return _run(name, command.run, args)


def _imported(name: str) -> Any:
    # Only the command that runs is imported: a kiosk does not load the demo, nor `status` Textual. Imports leave next
    # to no garbage: to look for it time and again, among ever more that stays, takes a quarter of a kiosk's start.
    gc.disable()
    try:
        return importlib.import_module(f"station.commands.{name}")
    finally:
        gc.freeze()
        gc.enable()


def _add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        default=default,
        help="default: ./station.toml, else /etc/station/station.toml",
    )


def _strange(words: Sequence[str]) -> str:
    """Names of options only: what follows a mistyped one may be a PIN."""
    options = [word.partition("=")[0][:40] for word in words if word.startswith("--")]
    return f"there is no option {options[0]}" if options else "too many words"


def _run(name: str, run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    # A command says itself what went wrong. What its parts would log is for the kiosk's log file.
    if "logging" in sys.modules:
        logging = importlib.import_module("logging")
        logging.basicConfig(level=logging.CRITICAL, format="%(name)s %(message)s")
    try:
        code = run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return FAILED
    except BrokenPipeError:
        # Whoever read has gone; else the interpreter complains of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - nobody at a command line is helped by a traceback
        return _complain(name, error, as_json=getattr(args, "json", False))


def _complain(name: str, error: Exception, *, as_json: bool) -> int:
    # Late, so that a good run does not wait for the words of a bad one.
    complaints = importlib.import_module("station.commands.complaints")
    found = complaints.station_error(error)
    if found is None and isinstance(error, OSError) and error.strerror:
        # The system's own words, as any command gives them.
        lines = [f"{error.strerror}: {error.filename}" if error.filename else error.strerror]
        code, exit_code = "system_error", FAILED
    elif found is None:
        # Type and place only: a message may hold what somebody typed.
        place = importlib.import_module("traceback").extract_tb(error.__traceback__)[-1]
        lines = [f"a mistake in the program: {type(error).__name__} in {Path(place.filename).name}:{place.lineno}"]
        code, exit_code = "program_error", FAILED
    else:
        lines, code = complaints.lines(found), found.code
        exit_code = WRONG_USAGE if complaints.is_usage(found) else FAILED
    for line in lines:
        sys.stderr.write(f"station {name}: {line}\n")
    if as_json:
        sys.stdout.write(_json({"error": code, "detail": "; ".join(lines)}) + "\n")
    return exit_code


def _overview() -> str:
    rows = "\n".join(f"  {name:<8} {what}" for name, what in COMMANDS.items())
    return (
        f"usage: station COMMAND [--config PATH] …\n\n{rows}\n\n"
        "`station COMMAND --help` says more. A first look: station demo\n"
    )
