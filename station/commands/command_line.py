"""What commands share: exit codes, the error of wrong usage, common options, and the answer as text or JSON."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from station.errors import StationError
from station.plain_text import lines

DONE, FAILED, WRONG_USAGE = 0, 1, 2


class UsageError(StationError):
    """The command line makes no sense (exit code 2)."""


def add_config(parser: argparse.ArgumentParser, *, default: object = None) -> None:
    """Add the option ``--config``."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="PATH",
        default=default,
        help="default: ./station.toml, else /etc/station/station.toml",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--json``."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def add_action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str, example: str
) -> argparse.ArgumentParser:
    """Add a command's own command, as ``show`` in ``station key show``, with ``--config``, ``--json``, an example."""
    parser = actions.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    # Suppressed where it is not given: else it would undo one that stands before the action's name.
    add_config(parser, default=argparse.SUPPRESS)
    add_json(parser)
    return parser


def print_answer(args: argparse.Namespace, text: str, fields: object) -> None:
    """Print ``text``, or with ``--json`` ``fields`` as one object."""
    # Names and codes in it come from central and from keys.
    sys.stdout.write((to_json(fields) if args.json else lines(text)) + "\n")
    sys.stdout.flush()


def utc_text(unix_s: int) -> str:
    """A time as logs have it; the bare number where no calendar has it."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(unix_s)


def to_json(value: object) -> str:
    """``value`` on one line, in ASCII: a terminal takes some characters beyond it for commands."""
    return json.dumps(value)
