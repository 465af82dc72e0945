"""A whole site on this machine: a central server with sample data, emulated keys, and the kiosk in this terminal.

Beside the kiosk, a key ring presses, inserts and pulls keys, cuts the network and tries the test lock. With --script,
a scenario is played without a screen: a built-in one by its name, or a file.
"""

import argparse
import asyncio
import importlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from station.cli import UsageError
from station.demo.player import Player
from station.demo.script import Step, load
from station.demo.world import World

EXAMPLE = "examples: station demo\n          station demo --script morning"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--language", choices=("sv", "da", "en"), default="en", help="of the station (default: en)")
    parser.add_argument("--offline", action="store_true", help="begin with the network cut")
    parser.add_argument("--script", metavar="FILE", help="play a scenario: morning, or a file")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the site there (default: a temporary folder)")


def run(args: argparse.Namespace) -> int:
    """Show, or play; exit code 1 when a step's expectation fails."""
    steps = load(args.script) if args.script else None
    if steps is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no_terminal", hint="station demo --script morning")
    if args.state is not None:
        return asyncio.run(_run(args, args.state.resolve(), steps))
    with tempfile.TemporaryDirectory(prefix="station-demo-") as folder:
        return asyncio.run(_run(args, Path(folder), steps))


async def _run(args: argparse.Namespace, folder: Path, steps: Sequence[Step] | None) -> int:
    world = World(folder, language=args.language)
    try:
        if steps is None:
            sys.stderr.write("starting the central server and the station …\n")
        await world.start()
        if args.offline:
            await world.network.cut()
        if steps is not None:
            await Player(world, _print).play(steps)
        else:
            # pyte and Textual are needed for this only.
            key_ring = importlib.import_module("station.demo.key_ring")
            await key_ring.KeyRing(world).run_async(mouse=False)
    finally:
        await world.close()
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
