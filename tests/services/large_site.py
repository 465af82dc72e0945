"""A site of any size behind a real HTTP server, and what a station of it costs: measured in a process of its own."""

import asyncio
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offline_cache import SqliteStore
from station.records.base64url import decoded, encoded
from station.records.keys import SigningKey
from station.records.mirror_digest import MirrorSum, object_hash
from tests.services.lying_central import NOW_S, UNIT, Asked, LyingCentral, Reply

LOOK_EVERY_S = 0.05


class LargeCentral(LyingCentral):
    """As the small one, but a change, and a call that asks for it, cost it the same however much there is."""

    def __init__(self) -> None:
        super().__init__()
        self._sum = MirrorSum()
        self._snapshot: tuple[int, bytes, str] | None = None

    def put(self, type_: str, id_: int, **fields: Any) -> dict[str, Any]:
        """As before, and the sum goes with it."""
        before = [object_hash(self.objects[type_, id_])] if (type_, id_) in self.objects else []
        self.objects.pop((type_, id_), None)
        body = super().put(type_, id_, **fields)
        self._sum = self._sum.changed([object_hash(body)], before)
        return body

    def head(self, asked: Asked, objects: Any = None, **changed: Any) -> str:
        """What confirms the whole of it."""
        held = {"count": self._sum.count, "mirror_digest": self._sum.digest()}
        return super().head(asked, [], **(held | changed))

    def changes(self, asked: Asked, **changed: Any) -> Reply:
        """What is new stands last."""
        since, upserts = int(asked.query["since"].rpartition(".")[2]), []
        for each in reversed(self.objects.values()):
            if each["revision"] <= since:
                break
            upserts.append(each)
        content = {"upserts": upserts, "removes": [], "cursor": self.cursor, "more": False, "down": []}
        body = json.dumps(content | {"head": self.head(asked)} | changed).encode()
        return Reply(200, body, {"Content-Type": "application/json"})

    def snapshot(self, asked: Asked, **changed: Any) -> Reply:
        """Everything, packed."""
        start = json.dumps({"epoch": self.epoch, "cursor": self.cursor, "head": self.head(asked)})[:-1]
        objects = json.dumps(list(self.objects.values()), separators=(",", ":"))
        packed = gzip.compress(f'{start},"objects":{objects}}}'.encode(), 1)
        return Reply(200, packed, {"Content-Type": "application/json", "Content-Encoding": "gzip"})

    def fill(self, objects: int) -> None:
        """Of so many objects: keys, people with a permit, 300 stations, areas, as in a large municipality."""
        self.small_site()
        stations, areas = min(300, objects // 20), min(60, objects // 20)
        for number in range(stations):
            self.put("station", 100 + number, name=f"Box {number}", address=f"Väg {number}", unit=UNIT, role=0)
        for number in range(areas):
            self.put("area", 100 + number, name=f"Område {number}")
        rest = objects - len(self.objects)
        keys, people = rest * 40 // 108, rest * 34 // 108
        for number in range(people):
            self.holder(1000 + number)
        for number in range(rest - keys - people):
            self.permit(1000 + number, 1000 + number, 1, pin_tag=number.to_bytes(16, "big"))
        for number in range(keys):
            self.key(1000 + number, 1000 + number if number < people else None)


@dataclass(frozen=True)
class Cost:
    """Of a station with a mirror of so many objects."""

    objects: int
    first_processor_s: float
    first_s: float
    first_mib: float
    """Peak over the idle process."""
    change_ms: float
    """Processor of taking in one changed key."""
    change_steps: int
    """Of SQLite's machine, for the same."""
    longest_stall_s: float
    """Of the event loop, during the first mirror."""


async def cost_of(central: LargeCentral, changes: int = 40) -> Cost:
    """Have a station in a process of its own take in the site, and then changes of one key each."""
    signing = SigningKey.generate()
    central.certificate = central.certify(signing.public, NOW_S - 5 * 86400)
    said = {
        "url": central.url,
        "root": encoded(central.signing.public),
        "certificate": encoded(central.certificate),
        "seed": encoded(signing.seed()),
        "changes": changes,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.services.large_site", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(said).encode() + b"\n")
    try:
        while line := await process.stdout.readline():
            told = json.loads(line)
            if told:
                return Cost(len(central.objects), **told)
            central.again("key", 1007, status="blocked" if central.revision % 2 else "active")
            process.stdin.write(b"\n")
        raise AssertionError("the station ended")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _memory_mib(name: str) -> float:
    """Of this program alone: what ``getrusage`` calls its peak is that of whoever has started it, if that was more."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError


def _lines() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line) if line.strip() else {}


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


class _Steps:
    """Counts SQLite's steps."""

    def __init__(self, store: SqliteStore) -> None:
        self._store, self.count = store, 0

    async def begin(self) -> None:
        """From now on."""
        await self._store.thread.run(lambda db: db.conn.set_progress_handler(self._step, 10))

    def _step(self) -> int:
        self.count += 10
        return 0


async def _station() -> None:
    from tests.services.parts import HandClocks, Parts

    lines = _lines()
    said = next(lines)
    central = LyingCentral()
    central.url, central.signing = said["url"], None  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as folder:
        parts = await Parts.start(
            central,
            HandClocks(),
            Path(folder) / "station.db",
            SigningKey(decoded(said["seed"])),
            decoded(said["certificate"]),
            roots=[decoded(said["root"])],
        )
        try:
            await parts.link.time(1, b"n" * 16)
            idle_mib, stall = _memory_mib("VmRSS"), asyncio.create_task(_longest_stall())
            began_s, began = time.process_time(), time.monotonic()
            assert await parts.poll()
            whole_s, whole = time.process_time() - began_s, time.monotonic() - began
            peak_mib = _memory_mib("VmHWM")
            stall.cancel()
            steps = _Steps(parts.store)
            await steps.begin()
            took = []
            for _ in range(said["changes"]):
                _say({})
                next(lines)
                before_s, cursor = time.process_time(), parts.mirror.state.cursor
                assert await parts.poll()
                took.append(time.process_time() - before_s)
                assert parts.mirror.state.cursor != cursor
            told = {
                "first_processor_s": whole_s,
                "first_s": whole,
                "first_mib": peak_mib - idle_mib,
                "change_ms": 1000 * sorted(took)[len(took) // 2] if took else 0.0,
                "change_steps": steps.count // max(1, len(took)),
                "longest_stall_s": max(stalls, default=0.0),
            }
            _say(told)
        finally:
            await parts.close()


stalls: list[float] = []


async def _longest_stall() -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(LOOK_EVERY_S)
        stalls.append(time.monotonic() - before - LOOK_EVERY_S)


if __name__ == "__main__":
    asyncio.run(_station())
