"""The console script ``station``: finds the command, and says in one plain line what went wrong.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.
"""

import argparse
import gc
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from station.commands.command_line import DONE, FAILED, WRONG_USAGE, add_config, to_json
from station.plain_text import one_line

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
}


EXTRA_OF = {"smp": "demo", "pyte": "demo", "django": "central"}
"""Packages that a station does without, and the extra (a file of pins) that they come with."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}; see {self.prog} --help\n")
        raise SystemExit(WRONG_USAGE)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code."""
    _say_what_can_be_said()
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
    try:
        command = _import_command(name)
    except ModuleNotFoundError as error:
        return _report_error(name, error, as_json=False)
    parser = _Parser(
        prog=f"station {name}",
        description=command.__doc__,
        epilog=command.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # Else "--pin" would pass for "--pin-stdin", and a PIN would stand on a command line.
        allow_abbrev=False,
    )
    add_config(parser)
    command.configure(parser)
    args, unknown = parser.parse_known_args(words[1:])
    if unknown:
        parser.error(_unknown_options(unknown))
    return _run(name, command.run, args)


def _say_what_can_be_said() -> None:
    """In a locale that lacks a character (an ellipsis, somebody's name), a question mark stands for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _import_command(name: str) -> Any:
    # Only the command that runs is imported: a kiosk does not load the demo, nor `status` Textual. Imports leave next
    # to no garbage: to look for it time and again, among ever more that stays, takes a quarter of a kiosk's start.
    gc.disable()
    try:
        return importlib.import_module(f"station.commands.{name}")
    finally:
        gc.freeze()
        gc.enable()


def _unknown_options(words: Sequence[str]) -> str:
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
        return _report_error(name, error, as_json=getattr(args, "json", False))


def _report_error(name: str, error: Exception, *, as_json: bool) -> int:
    """Say what went wrong; the exit code."""
    # Late, so that a good run does not wait for the words of a bad one.
    from station.commands import error_sentences  # noqa: PLC0415

    found = error_sentences.first_station_error(error)
    exit_code = FAILED
    if found is not None:
        lines, code = error_sentences.lines(found), found.code
        if error_sentences.is_usage_error(found):
            exit_code = WRONG_USAGE
    elif isinstance(error, ModuleNotFoundError) and error.name in EXTRA_OF:
        extra = EXTRA_OF[error.name]
        lines = [f"{error.name} is not installed: install the extra {extra} (pins: requirements/{extra}.txt)"]
        code = "not_installed"
    elif isinstance(error, OSError) and error.strerror:
        # The system's own words, as any command gives them.
        lines = [f"{error.strerror}: {error.filename}" if error.filename else error.strerror]
        code = "system_error"
    else:
        # Type and place only: a message may hold what somebody typed.
        place = importlib.import_module("traceback").extract_tb(error.__traceback__)[-1]
        lines = [f"a mistake in the program: {type(error).__name__} in {Path(place.filename).name}:{place.lineno}"]
        code = "program_error"
    for line in lines:
        sys.stderr.write(f"station {name}: {one_line(line)}\n")
    if as_json:
        sys.stdout.write(to_json({"error": code, "detail": "; ".join(lines)}) + "\n")
    return exit_code


def _overview() -> str:
    rows = "\n".join(f"  {name:<8} {what}" for name, what in COMMANDS.items())
    return (
        f"usage: station COMMAND [--config PATH] …\n\n{rows}\n\n"
        "`station COMMAND --help` says more. A first look: station demo\n"
    )
