"""Visit after visit at one station of real parts, in a process of its own: nothing but its memory is measured.

    python -m tests.system.soak FOLDER VISITS [--profile]

Real store, real driver, a real pseudo-terminal with emulated keys, real signatures, Argon2 at its cheapest, central out
of reach; time jumps between visits. Prints one JSON object;
``--profile`` writes what the second half has allocated and kept to standard error.
"""

import asyncio
import gc
import json
import os
import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

from drivers.smp import reader, session
from station.display.screen import Line
from station.records.claims import KeyKind
from station.rules.facts import KeyStatus
from station.runtime import loop as visits
from tests.services.hooked import HookedKey
from tests.services.site import ANNA, HER_KEY, HIS_KEY, PINS, POOL_KEY, SPARE_KEY, TIM, Site, StationAt
from tests.steady_time import SteadyLoop

BETWEEN_VISITS_S = 300
"""2,000 of these are a week: permits and the mirror last ten days."""
SETTLE_EVERY = 20
"""So many visits' events are acknowledged at a time, as by a central that is back for a moment."""
MEASURE_EVERY = 50
BLOCKED_KEY = 801
FAREWELLS = (Line.EMPTY, Line.OUT_OFF, Line.OUT_READY, Line.OUT_EARLY, Line.OUT_UNSURE)


def rss_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGESIZE")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Soak:
    """The visits, one kind after the other."""

    def __init__(self, site: Site, station: StationAt) -> None:
        self.site, self.station = site, station
        self.hers, self.his = site.key(HER_KEY), site.key(HIS_KEY)
        self.pool, self.spare, self.blocked = site.key(POOL_KEY), site.key(SPARE_KEY), site.key(BLOCKED_KEY)
        self.seen: Counter[str] = Counter()
        self.kinds = (self.on, self.off, self.pooled, self.mistyped, self.refused, self.bounced, self.early, self.lent)

    async def visit(self, number: int) -> None:
        await self.kinds[number % len(self.kinds)]()
        await self.station.idle()
        self.seen[self.station.screen.line.value] += 1
        self.forget()
        self.site.skip(BETWEEN_VISITS_S)

    def forget(self) -> None:
        """What the test's own parts remember is not the station's memory."""
        self.station.shown[:-1] = []
        self.station.store.asked.clear()
        for key in (self.hers, self.his, self.pool, self.spare, self.blocked):
            key.asked.clear()

    async def out(self) -> None:
        self.station.line.pull()
        await self.station.until(*FAREWELLS)

    async def switched_on(self, key: HookedKey, pin: str) -> None:
        self.station.insert(key)
        await self.station.until(Line.PROMPT)
        self.station.type(f"*{pin}#")
        await self.station.until(Line.READY)

    async def on(self) -> None:
        await self.switched_on(self.hers, PINS[ANNA])
        await self.out()

    async def off(self) -> None:
        self.station.insert(self.hers)
        await self.station.until(Line.PROMPT)
        await self.out()

    async def pooled(self) -> None:
        await self.switched_on(self.pool, PINS[TIM])
        await self.out()

    async def mistyped(self) -> None:
        self.station.insert(self.hers)
        await self.station.until(Line.PROMPT)
        self.station.type("*987654#")
        await self.station.until(Line.WRONG_PIN)
        self.station.type(f"*{PINS[ANNA]}#")
        await self.station.until(Line.READY)
        await self.out()

    async def refused(self) -> None:
        self.station.insert(self.blocked)
        await self.station.until(Line.REFUSED)
        await self.out()

    async def bounced(self) -> None:
        await self.switched_on(self.hers, PINS[ANNA])
        await self.out()
        self.station.insert(self.hers)
        await self.station.until(Line.READY, Line.PROMPT)
        await self.out()

    async def early(self) -> None:
        self.station.insert(self.pool)
        await self.station.until(Line.READING, Line.PROMPT)
        await self.out()

    async def lent(self) -> None:
        await self.switched_on(self.spare, PINS[ANNA])
        await self.out()


async def soak(folder: Path, count: int) -> dict[str, object]:
    # Most of a visit is the driver making sure that a key is really gone.
    vars(session).update(LOOK_INTERVAL_S=0.02, ANSWER_TIMEOUT_S=0.03)
    vars(reader).update(POLL_INTERVAL_S=0.01)
    vars(visits).update(TICK_S=0.05)
    site = Site(folder)
    site.key_object(BLOCKED_KEY, KeyKind.PERSONAL, ANNA, KeyStatus.BLOCKED)
    station = await site.station()
    rows: list[tuple[int, int]] = []
    events = 0
    profile = "--profile" in sys.argv
    before = None
    try:
        await station.until(Line.EMPTY)
        run = Soak(site, station)
        began = time.monotonic()
        for number in range(1, count + 1):
            await run.visit(number)
            if number % SETTLE_EVERY == 0:
                pending = await station.store.real.pending(1000)
                await station.store.real.take_answers([event.id for event in pending], {})
                events += len(pending)
            if number % MEASURE_EVERY == 0:
                rows.append((number, rss_bytes()))
                sys.stderr.write(f"{rows[-1]}\n")
            if profile and number == count // 2:
                gc.collect()
                tracemalloc.start()
                before = tracemalloc.take_snapshot()
        if before is not None:
            gc.collect()
            kept = tracemalloc.take_snapshot().compare_to(before, "lineno")
            sys.stderr.write("".join(f"{line}\n" for line in kept[:25]))
        return {
            "visits": count,
            "events": events,
            "seconds": round(time.monotonic() - began, 1),
            "rss_bytes": rows,
            "tasks": len(asyncio.all_tasks()),
            "descriptors": descriptors(),
            "shown": run.seen,
        }
    finally:
        await site.close()


if __name__ == "__main__":
    # A key answers within 30 ms, or it is gone: only while this process is kept from running it may take longer.
    with asyncio.Runner(loop_factory=SteadyLoop) as runner:
        sys.stdout.write(json.dumps(runner.run(soak(Path(sys.argv[1]), int(sys.argv[2])))) + "\n")
