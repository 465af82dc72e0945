"""`make load` (``python -m tools.load``): one table for a size, on standard output; ends by itself.

``find`` goes on from share to share until the rate is not held any more. ``explain`` prints what each call of a station
costs inside the server, and PostgreSQL's plans. ``waiting`` measures how long a block takes to reach a
thousand polls that wait.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.central import nginx
from tools.load import usage, waiting
from tools.load.http1 import Address
from tools.load.place import (
    ROOT,
    Database,
    Served,
    cursors_of,
    database,
    log_size,
    make_permits_due,
    say,
    served,
    signed_anew,
)
from tools.load.report import Row, markdown, row_of
from tools.load.sizes import EVENTS_A_SECOND, POLLS_A_SECOND, SIZES, SQLITE_SHARE, Size
from tools.load.traffic import Traffic

WARM_UP_S = 5.0
DIRECT_CONNECTIONS = 900
"""Without a proxy: one server process of old held no more."""
FILES = 65_536
CALLERS = 60_000
"""Connections of one address: here all stations have this one."""
P99_LIMIT_MS = 250.0
STEP = 1.4
"""From one tried rate to the next."""


@dataclass(frozen=True)
class Door:
    """Where stations and browsers knock: at the server itself, or at the proxy before it."""

    address: Address
    url: str
    connections: int
    """The most that are open at once."""
    proxy: int | None = None
    """The proxy's process."""


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
    parser.add_argument("--events", type=float, default=0, help="in the log before it begins, of 90 days (PostgreSQL)")
    parser.add_argument("--proxy", action="store_true", help="through nginx with TLS, a connection for each station")
    parser.add_argument("--due", action="store_true", help="while every permit is due to be signed anew (PostgreSQL)")
    options = parser.parse_args()
    _allow_files()
    # Whoever ends it ends its server and its database with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    size = SIZES["WAITING" if options.what == "waiting" else options.size]
    share = options.share or (SQLITE_SHARE if options.sqlite else size.share)
    asked = Asked(size, share, options.seconds)
    with ExitStack() as left:
        place = left.enter_context(database(size, int(options.events), sqlite=options.sqlite))
        if options.what == "explain":
            subprocess.run(
                [sys.executable, "-m", "tools.load.inside", size.name], cwd=ROOT, env=place.environment, check=True
            )
            return
        if options.due:
            make_permits_due(place)
        server = left.enter_context(served(place, options.workers, tls=options.proxy))
        door = _door(left, server) if options.proxy else _direct(server)
        if options.what == "waiting":
            print(asyncio.run(waiting.measured(place, door.address, server.process.pid)))
            return
        traffic = Traffic(size, door.address, cursors_of(place), door.connections)
        work = _find if options.what == "find" else _measured
        rows = asyncio.run(work(asked, Measurement(place, server, door, traffic)))
        said = [log_size(place), *([signed_anew(place)] if options.due else [])]
    print(
        json.dumps([row.fields() for row in rows], indent=1) if options.json else "\n\n".join([markdown(rows), *said])
    )


@dataclass(frozen=True)
class Measurement:
    """What is measured, and how it is reached."""

    place: Database
    server: Served
    door: Door
    traffic: Traffic


async def _measured(asked: Asked, what: Measurement) -> list[Row]:
    traffic = what.traffic
    say(f"opening {traffic.connections} connections")
    await traffic.connect()
    try:
        say(f"warming up for {WARM_UP_S:.0f} s")
        await traffic.run(WARM_UP_S, POLLS_A_SECOND * asked.share, EVENTS_A_SECOND * asked.share)
        return [await _one(asked, what)]
    finally:
        await traffic.close()


async def _find(asked: Asked, what: Measurement) -> list[Row]:
    """Larger and larger shares until the 99th of a hundred answers takes too long. The last one is too much."""
    await what.traffic.connect()
    rows: list[Row] = []
    share = asked.share
    while not rows or rows[-1].is_good(P99_LIMIT_MS):
        rows.append(await _one(replace(asked, share=share), what))
        say(f"{share:.2f} of 6,000 stations: p99 {rows[-1].worst_p99_ms:.0f} ms")
        share *= STEP
    await what.traffic.close()
    return rows


async def _one(asked: Asked, what: Measurement) -> Row:
    """Measure once: calls, an office page every few seconds, a change a second by the office."""
    say(f"measuring {asked.size.name} for {asked.seconds:.0f} s")
    traffic, door = what.traffic, what.door
    parts = {"server": [what.server.process.pid], "database": list(what.place.programs)}
    if door.proxy is not None:
        parts["proxy"] = [door.proxy]
    words = [sys.executable, "-m", "tools.load.changes", asked.size.name, str(asked.seconds)]
    changes = await asyncio.create_subprocess_exec(*words, cwd=ROOT, env=what.place.environment)
    before = {name: usage.processor_s(pids) for name, pids in parts.items()} | {"generator": time.process_time()}
    polls, events = POLLS_A_SECOND * asked.share, EVENTS_A_SECOND * asked.share
    heard, _ = await asyncio.gather(
        traffic.run(asked.seconds, polls, events), traffic.office(asked.seconds, door.url, tls=door.address.tls)
    )
    used = {name: usage.processor_s(pids) - before[name] for name, pids in parts.items()}
    used["generator"] = time.process_time() - before["generator"]
    memory = {name: usage.memory_mib(pids) for name, pids in parts.items()}
    await asyncio.wait_for(changes.wait(), 60)
    return row_of(asked.size.name, what.place, asked.share, heard, used, memory, traffic.connections)


def _direct(server: Served) -> Door:
    address = Address(server.host, server.port)
    return Door(address, f"http://{server.host}:{server.port}", DIRECT_CONNECTIONS)


def _door(left: ExitStack, server: Served) -> Door:
    program = nginx.program()
    if program is None:
        raise SystemExit("nginx is missing (apt install nginx-light)")
    folder = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="central-load-proxy-")))
    upstream = f"{server.host}:{server.port}"
    # One machine here: the second one is the same.
    proxy = left.enter_context(nginx.proxy(program, folder, [upstream, upstream], callers=CALLERS))
    address = Address("127.0.0.1", proxy.port, nginx.NAME, proxy.trust)
    return Door(address, f"https://127.0.0.1:{proxy.port}", CALLERS, proxy.process.pid)


def _allow_files() -> None:
    # Each connection is a file.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
