"""How many bytes a visit takes on the wire. They do not depend on how fast a machine is."""

import asyncio
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Self

from station.bench.emulated_line import HeardKey, RecordedLine
from station.bench.figures import Found, Say, paired, worse
from station.bench.site import HOLDER, PIN, BenchSite
from station.display.screen import Line, Screen
from station.ports import KeyFile
from station.services.visits import Visits

BAUD = 1_000_000
OFF_LIMIT_BYTES = 700
ACTIVE_LIMIT_BYTES = 900
LOG_ENTRIES = 100
AT_ONCE = 5
LIMIT_S = 20.0
QUIET_S = 0.15
LOCK = 1001


class Counted:
    """What one key has cost so far at one station."""

    def __init__(self, line: RecordedLine) -> None:
        self._line = line
        self.off_bytes = self.active_bytes = self.visit_bytes = self.content_bytes = 0

    def since_echo(self) -> int:
        """Bytes of both directions since the answer of the insertion's first echo."""
        passed = self._line.passed
        first = next(i for i, (_, to_key, _, about, _) in enumerate(passed) if about == "echo" and not to_key)
        return sum(size for _, _, size, *_ in passed[first + 1 :])


async def counted(folder: Path) -> Counted:
    """One key on its way through a day: active from yesterday, put in, prompt; then the visit that is asked for."""
    reader = folder / "key-reader"
    site = BenchSite(folder, reader)
    await site.fill(site.objects(permit_revision=1))
    line = RecordedLine(reader, BAUD)
    count = Counted(line)
    key = HeardKey(folder / "key")
    key.folder.store(KeyFile.ID.value, site.id_record)
    key.folder.store_state(replace(key.folder.state(), clock_offset_s=0.0))
    try:
        async with _Visit(site, line) as visit:
            await visit.to_ready(key)
            await visit.out()
        # Another station's work, so that no visit goes on.
        async with _Visit(site, line) as visit:
            visit.insert(key)
            await visit.until(Line.PROMPT)
            count.active_bytes = visit.at_prompt
            await visit.quiet()
            await visit.out()
            for number in range(LOG_ENTRIES):
                key.folder.append_log_entry(
                    time_s=1_790_000_000 + 60 * number, lock=LOCK + number % 40, outcome="opens", holder=HOLDER
                )
        await site.fill(site.objects(permit_revision=2))
        async with _Visit(site, line) as visit:
            before = {file: key.folder.read(file) for file in KeyFile}
            await visit.to_ready(key)
            count.off_bytes = visit.at_prompt
            count.visit_bytes = count.since_echo()
            after = {file: key.folder.read(file) for file in KeyFile}
            written = sum(len(after[file]) for file in KeyFile if after[file] != before[file])
            count.content_bytes = written + len(after[KeyFile.LOG]) + len(after[KeyFile.ID])
            await visit.out()
    finally:
        line.close()
    return count


class _Visit:
    def __init__(self, site: BenchSite, line: RecordedLine) -> None:
        self._site, self._line = site, line
        self._screen: Screen | None = None
        self._changed = asyncio.Event()
        self.at_prompt = 0
        self._visits: Visits

    async def __aenter__(self) -> Self:
        self._opened = self._site.station()
        self._station = await self._opened.__aenter__()
        self._visits = self._station.serve(self._station.key_socket(), show=self._show, ring=lambda: None)
        # Central is known to be dead by the time of a PIN: else what is counted is also how often a key is looked for
        # while somebody waits for central.
        works = self._station.mirroring.run(), self._visits.run()
        self._running = [asyncio.create_task(work) for work in works]
        return self

    async def __aexit__(self, *exception: object) -> None:
        for running in self._running:
            running.cancel()
        await asyncio.wait(self._running)
        await self._opened.__aexit__(None, None, None)

    def insert(self, key: HeardKey) -> None:
        key.press()
        self.at_prompt = 0
        self._line.insert(key)

    async def to_ready(self, key: HeardKey) -> None:
        self.insert(key)
        await self.until(Line.PROMPT)
        await self.quiet()
        for digit in PIN.decode():
            self._visits.press(digit)
        self._visits.press("#")
        await self.until(Line.READY)

    async def out(self) -> None:
        self._line.pull()
        await self.until(Line.OUT_OFF, Line.OUT_READY, Line.EMPTY)

    async def until(self, *lines: Line) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self._screen is None or self._screen.line not in lines:
                self._changed.clear()
                await self._changed.wait()

    async def quiet(self) -> None:
        """Until nothing but the look whether it is still there goes over the wire."""
        async with asyncio.timeout(LIMIT_S):
            last = ""
            while last != "read id":
                await asyncio.sleep(QUIET_S)
                last = self._line.passed[-1][3]

    def _show(self, screen: Screen) -> None:
        self._screen = screen
        if screen.line is Line.PROMPT and not self.at_prompt:
            self.at_prompt = Counted(self._line).since_echo()
        self._changed.set()


def measured(samples: int, say: Say) -> dict[str, Found]:
    """``prompt_bytes`` (the worse of an off and an active key, each against its limit) and ``visit_bytes``."""
    say("bytes of a visit")
    # Nobody is at central's address, and says so; without a handler it would be on standard error.
    logging.getLogger("station").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="station-bench-") as folder:
        counts = asyncio.run(_counted_often(Path(folder), samples))
    off = paired([count.off_bytes for count in counts], [OFF_LIMIT_BYTES], "bytes")
    active = paired([count.active_bytes for count in counts], [ACTIVE_LIMIT_BYTES], "bytes")
    contents = [count.content_bytes for count in counts]
    return {
        "prompt_bytes": worse(off, active),
        "visit_bytes": paired([count.visit_bytes for count in counts], contents, "bytes"),
    }


async def _counted_often(folder: Path, samples: int) -> list[Counted]:
    """Several days side by side: each waits most of its time, and what is counted is not time."""
    counts: list[Counted] = []
    while len(counts) < samples:
        days = range(len(counts), min(len(counts) + AT_ONCE, samples))
        folders = [folder / f"{day}" for day in days]
        for each in folders:
            each.mkdir()
        counts += await asyncio.gather(*(counted(each) for each in folders))
    return counts
