"""An emulated key on a pseudo-terminal, as slow as its line and as unpleasant as a real one.

Its files are in the folder --state, one for each file on the key; a new folder is a blank key. It starts pressed and
inserted, and reads press, insert, pull and lose-power from standard input, one a line, until SIGTERM.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from drivers.emulated_key.command import emulate
from station.commands.command_line import UsageError

SLOWEST_BAUD, FASTEST_BAUD = 300, 4_000_000
EXAMPLE = "example: station emulate --link ./key0 --state ./keys/1001"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--link", type=Path, required=True, metavar="PATH", help="name for the pseudo-terminal")
    parser.add_argument("--state", type=Path, metavar="DIR", help="the key's files (default: a temporary folder)")
    parser.add_argument("--baud", type=int, default=115200, metavar="N", help="the line's speed (default: 115200)")


def run(args: argparse.Namespace) -> int:
    """Emulate until SIGTERM."""
    if not args.link.absolute().parent.is_dir():
        raise UsageError("link_folder_missing", path=args.link.absolute().parent)
    if not SLOWEST_BAUD <= args.baud <= FASTEST_BAUD:
        raise UsageError("baud_out_of_range", baud=args.baud)
    if args.state is not None:
        asyncio.run(emulate(args.link, args.state, args.baud, sys.stdin.fileno()))
        return 0
    with tempfile.TemporaryDirectory(prefix="station-key-") as folder:
        asyncio.run(emulate(args.link, Path(folder), args.baud, sys.stdin.fileno()))
    return 0
