"""A whole site on this machine: a central server with sample data, emulated keys, and the kiosk in this terminal.

Beside the kiosk, a key ring presses, inserts and pulls keys, cuts the network and tries the test lock. With --script,
a scenario is played without a screen: a built-in one by its name, or a file. Exit code 1 when a step does not come
true, 2 when the script is wrong.
"""

import argparse
import asyncio
import importlib
import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from station.commands.command_line import FAILED, WRONG_USAGE, UsageError
from station.demo.checks import ExpectationFailed
from station.demo.player import Player
from station.demo.script import ScriptFault, Step, load, names
from station.demo.world import World

EXAMPLE = "examples: station demo\n          station demo --script morning"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--language", choices=("sv", "da", "en"), default="en", help="of the station (default: en)")
    parser.add_argument("--offline", action="store_true", help="begin with the network cut")
    parser.add_argument("--script", metavar="FILE", help=f"play a scenario: {', '.join(names())}, or a file")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the site there (default: a temporary folder)")


def run(args: argparse.Namespace) -> int:
    """Show, or play; exit code 1 when a step's expectation fails, 2 when the script is wrong."""
    # Plain lines that begin with FILE:LINE: editors take one there.
    try:
        return _show_or_play(args)
    except ScriptFault as fault:
        sys.stderr.write(f"{fault}\n")
        return WRONG_USAGE
    except ExpectationFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return FAILED
    except asyncio.CancelledError:
        return FAILED


def _show_or_play(args: argparse.Namespace) -> int:
    steps = load(args.script) if args.script else None
    if steps is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no_terminal", hint="station demo --script morning")
    if args.state is not None:
        args.state.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_run(args, args.state.resolve(), steps))
    with tempfile.TemporaryDirectory(prefix="station-demo-") as folder:
        return asyncio.run(_run(args, Path(folder), steps))


async def _run(args: argparse.Namespace, folder: Path, steps: Sequence[Step] | None) -> int:
    # What happens is told by the screen or by the steps: the log goes where it can be looked up.
    logging.basicConfig(
        filename=folder / "demo.log",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    world = World(folder, language=args.language)
    playing = asyncio.current_task()
    assert playing is not None
    # Told to end, or its terminal closed: everything that it has started ends with it, and the folder goes.
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    try:
        if steps is None:
            sys.stderr.write("starting the central server and the station …\n")
        await world.start()
        if args.offline:
            await world.home.network.cut()
        if steps is not None:
            await Player(world, _print).play(steps)
        else:
            # pyte and Textual are needed for this only.
            key_ring = importlib.import_module("station.demo.key_ring")
            await key_ring.KeyRing(world).run_async(mouse=False)
    finally:
        await world.close()
        logging.shutdown()
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
