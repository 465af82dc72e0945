"""A whole site on this machine: a central server with sample data, emulated keys, and the kiosk in this terminal.

Beside the kiosk, a key ring presses, inserts and pulls keys, cuts the network and tries the test lock. With --script,
a scenario is played without a screen. Exit code 1 when a step does not come true.
"""

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from station.commands.command_line import FAILED, UsageError
from station.demo.central_server import CentralServer
from station.demo.scenarios import names
from station.plain_text import PlainFormatter, lines
from ui.languages import LANGUAGES, catalogue

if TYPE_CHECKING:
    from station.demo.site import DemoSite

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
    for package in ("django", "pyte"):
        if find_spec(package) is None:
            raise ModuleNotFoundError(name=package)
    if args.script is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("no_terminal", hint="station demo --script morning")
    try:
        if args.state is not None:
            args.state.mkdir(parents=True, exist_ok=True)
            return asyncio.run(_run(args, args.state.resolve()))
        with tempfile.TemporaryDirectory(prefix="station-demo-") as folder:
            return asyncio.run(_run(args, Path(folder)))
    except asyncio.CancelledError:
        return FAILED


async def _run(args: argparse.Namespace, folder: Path) -> int:
    # What happens is told by the screen or by the steps: the log goes where it can be looked up.
    handler = logging.FileHandler(folder / "demo.log")
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    playing = asyncio.current_task()
    assert playing is not None
    # Told to end, or its terminal closed: everything that it has started ends with it, and the folder goes.
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    central = CentralServer(folder / "central", folder / "keys")
    try:
        if args.script is None:
            sys.stderr.write(catalogue(args.language).gettext("Starting central and the station …") + "\n")
        # It takes longest: all the rest is loaded while it starts.
        await central.begin()
        return await (_show(args, folder, central) if args.script is None else _play(args, folder, central))
    finally:
        await central.close()
        logging.shutdown()


async def _show(args: argparse.Namespace, folder: Path, central: CentralServer) -> int:
    from station.demo.key_ring import KeyRing, office_line  # noqa: PLC0415, while central starts

    async with _site(args, folder, central) as site:
        if site.office is not None:
            sys.stderr.write(office_line(site.office, site.language) + "\n")
        await KeyRing(site).run_async(mouse=False)
    return 0


async def _play(args: argparse.Namespace, folder: Path, central: CentralServer) -> int:
    from station.demo.scenario import named, play  # noqa: PLC0415, while central starts
    from station.demo.steps import ExpectationFailed  # noqa: PLC0415

    async with _site(args, folder, central) as site:
        try:
            await play(named(args.script), site, _print)
        except ExpectationFailed as failure:
            # A plain line that begins with FILE:LINE: editors take one there.
            sys.stderr.write(f"{failure}\n")
            return FAILED
    return 0


@asynccontextmanager
async def _site(args: argparse.Namespace, folder: Path, central: CentralServer) -> AsyncIterator["DemoSite"]:
    """Everything but the kiosk, as long as it is used."""
    from station.demo.site import DemoSite  # noqa: PLC0415, while central starts

    site = DemoSite(folder, language=args.language, central=central)
    try:
        await site.start()
        if args.offline:
            await site.home.network.cut()
        yield site
    finally:
        await site.close()


def _print(line: str) -> None:
    sys.stdout.write(lines(line) + "\n")
    sys.stdout.flush()
