"""`make load` (``python -m tools.load``): one table for a size, on standard output; ends by itself.

``python -m tools.load explain`` prints what each call of a station costs inside the server, and PostgreSQL's plans.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass

from tools.load import usage
from tools.load.http1 import Address
from tools.load.place import ROOT, Database, Served, database, say, served
from tools.load.report import Row, markdown, row_of
from tools.load.sizes import EVENTS_A_SECOND, POLLS_A_SECOND, SIZES, SQLITE_SHARE, Size
from tools.load.traffic import Heard, Traffic

WARM_UP_S = 5.0
DIRECT_CONNECTIONS = 900
"""Without a proxy: one server process of old held no more."""
FILES = 65_536
P99_LIMIT_MS = 250.0
STEP = 1.4
"""From one tried rate to the next."""


@dataclass(frozen=True)
class Asked:
    """What this run is to do."""

    size: Size
    share: float
    """Of the calls of 6,000 stations."""
    seconds: float


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.load", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["run", "find", "explain", "waiting"], default="run")
    parser.add_argument("--size", choices=[name for name in SIZES if name != "WAITING"], default="NATIONAL")
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL, at a tenth of the calls")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each measurement (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="of the server (default: %(default)s)")
    parser.add_argument("--share", type=float, help="of the calls of 6,000 stations (default: the size's)")
    options = parser.parse_args()
    _allow_files()
    size = SIZES["WAITING" if options.what == "waiting" else options.size]
    share = options.share or (SQLITE_SHARE if options.sqlite else size.share)
    asked = Asked(size, share, options.seconds)
    with ExitStack() as left:
        place = left.enter_context(database(size, sqlite=options.sqlite))
        if options.what == "explain":
            subprocess.run(
                [sys.executable, "-m", "tools.load.inside", size.name], cwd=ROOT, env=place.environment, check=True
            )
            return
        server = left.enter_context(served(place, options.workers))
        rows = asyncio.run(_find(asked, place, server) if options.what == "find" else _measured(asked, place, server))
    print(json.dumps([row.fields() for row in rows], indent=1) if options.json else markdown(rows))


async def _measured(asked: Asked, place: Database, server: Served) -> list[Row]:
    traffic = _traffic(asked.size, place, server)
    await traffic.connect()
    try:
        say(f"warming up for {WARM_UP_S:.0f} s")
        await traffic.run(WARM_UP_S, POLLS_A_SECOND * asked.share, EVENTS_A_SECOND * asked.share)
        return [await _one(asked, traffic, place, server)]
    finally:
        await traffic.close()


async def _find(asked: Asked, place: Database, server: Served) -> list[Row]:
    """Larger and larger shares until the 99th of a hundred answers takes too long. The last one is too much."""
    traffic = _traffic(asked.size, place, server)
    await traffic.connect()
    rows: list[Row] = []
    share = asked.share
    while not rows or rows[-1].is_good(P99_LIMIT_MS):
        rows.append(await _one(Asked(asked.size, share, asked.seconds), traffic, place, server))
        say(f"{share:.2f}: p99 {rows[-1].worst_p99_ms:.0f} ms")
        share *= STEP
    await traffic.close()
    return rows


async def _one(asked: Asked, traffic: Traffic, place: Database, server: Served) -> Row:
    """Measure once: calls, an office page every few seconds, a change a second by the office."""
    say(f"measuring {asked.size.name} for {asked.seconds:.0f} s")
    parts = {"server": [server.process.pid], "database": list(place.programs), "generator": [os.getpid()]}
    changes = subprocess.Popen(
        [sys.executable, "-m", "tools.load.changes", asked.size.name, str(asked.seconds)],
        cwd=ROOT,
        env=place.environment,
    )
    before = {name: usage.processor_s(pids) for name, pids in parts.items()}
    polls, events = POLLS_A_SECOND * asked.share, EVENTS_A_SECOND * asked.share
    running = asyncio.ensure_future(traffic.run(asked.seconds, polls, events))
    await asyncio.sleep(0)
    await traffic.office(asked.seconds, f"http://{server.host}:{server.port}")
    heard: Heard = await running
    used = {name: usage.processor_s(pids) - before[name] for name, pids in parts.items()}
    memory = {name: usage.memory_mib(pids) for name, pids in parts.items()}
    await asyncio.to_thread(changes.wait, 60)
    return row_of(asked.size.name, place, asked.share, heard, used, memory)


def _traffic(size: Size, place: Database, server: Served) -> Traffic:
    told = subprocess.run(
        [sys.executable, "-m", "tools.load.facts"],
        cwd=ROOT,
        env=place.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    cursors = {int(site): cursor for site, cursor in json.loads(told.stdout).items()}
    return Traffic(size, Address(server.host, server.port), cursors, DIRECT_CONNECTIONS)


def _allow_files() -> None:
    # Each connection is a file.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
