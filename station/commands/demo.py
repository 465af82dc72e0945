"""A whole site on this machine: a central server with sample data, emulated keys, and the kiosk in this terminal.

Beside the kiosk, a key ring presses, inserts and pulls keys, cuts the network and tries the test lock. With --script,
a scenario is played without a screen. Exit code 1 when a step does not come true.
"""

import argparse
import asyncio
import importlib
import logging
import signal
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from station.commands.command_line import FAILED, UsageError
from station.demo.scenario import Play, named, names, play
from station.demo.site import DemoSite
from station.demo.steps import ExpectationFailed
from station.plain_text import PlainFormatter, lines
from ui.languages import LANGUAGES, catalogue

EXAMPLE = "examples: station demo\n          station demo --script morning"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        default="en",
        help="of the screens; a script's own steps are English (default: en)",
    )
    parser.add_argument("--offline", action="store_true", help="begin with the network cut")
    parser.add_argument("--script", metavar="NAME", choices=names(), help=f"play a scenario: {', '.join(names())}")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep the site there (default: a temporary folder)")


def run(args: argparse.Namespace) -> int:
    """Show, or play; exit code 1 when a step's expectation fails."""
    try:
        return _show_or_play(args)
    except ExpectationFailed as failure:
        # A plain line that begins with FILE:LINE: editors take one there.
        sys.stderr.write(f"{failure}\n")
        return FAILED
    except asyncio.CancelledError:
        return FAILED


def _show_or_play(args: argparse.Namespace) -> int:
    for package in ("django", "pyte"):
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    scenario = named(args.script) if args.script else None
    if scenario is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no_terminal", hint="station demo --script morning")
    if args.state is not None:
        args.state.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_run(args, args.state.resolve(), scenario))
    with tempfile.TemporaryDirectory(prefix="station-demo-") as folder:
        return asyncio.run(_run(args, Path(folder), scenario))


async def _run(args: argparse.Namespace, folder: Path, scenario: Play | None) -> int:
    # What happens is told by the screen or by the steps: the log goes where it can be looked up.
    handler = logging.FileHandler(folder / "demo.log")
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    site = DemoSite(folder, language=args.language)
    playing = asyncio.current_task()
    assert playing is not None
    # Told to end, or its terminal closed: everything that it has started ends with it, and the folder goes.
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    try:
        if scenario is None:
            await _show(site, offline=args.offline)
        else:
            await site.start()
            if args.offline:
                await site.home.network.cut()
            await play(scenario, site, _print)
    finally:
        await site.close()
        logging.shutdown()
    return 0


async def _show(site: DemoSite, *, offline: bool) -> None:
    sys.stderr.write(catalogue(site.language).gettext("Starting central and the station …") + "\n")
    starting = asyncio.create_task(site.start())
    await asyncio.sleep(0)
    # Central is on its way: pyte and Textual, which only this needs, are loaded meanwhile.
    key_ring = importlib.import_module("station.demo.key_ring")
    await starting
    if offline:
        await site.home.network.cut()
    if site.office is not None:
        sys.stderr.write(key_ring.office_line(site.office, site.language) + "\n")
    await key_ring.KeyRing(site).run_async(mouse=False)


def _print(line: str) -> None:
    sys.stdout.write(lines(line) + "\n")
    sys.stdout.flush()
