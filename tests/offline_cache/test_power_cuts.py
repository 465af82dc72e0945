"""The plug is pulled: at every write of a recorded day, in every way that a disk may keep or lose what was not synced.

Killing the process would prove nothing about power: the kernel keeps what a dead process wrote. Here what reached the
disk is rebuilt from the recorded writes: everything up to a file's last sync is there, and of what came after, all,
nothing, any part, or the beginning of the last write.
"""

import asyncio
import random
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from offline_cache import SqliteStore, connection
from station.ports import Change, LogEvent, LogMark, MirrorObject, MirrorState
from station.rules.attempts import AttemptCount
from tests.offline_cache.recording_vfs import (
    Acknowledged,
    Deleted,
    Op,
    Synced,
    Truncated,
    Written,
    library,
    recording,
)
from tests.received import take

CUT_STATES = 2000
SEED = 20261121
CHANGES = 150
KEYS = range(1, 6)
SECTOR_BYTES = 512
DATABASE = "station.db"


# --- a day at a station -------------------------------------------------------------------------------------------


def mirror_object(random_: random.Random, revision: int) -> MirrorObject:
    id_ = random_.randrange(1, 40)
    body = {"type": "holder", "id": id_, "revision": revision, "name": "x" * random_.randrange(200), "unit": 1}
    return MirrorObject("holder", id_, body)


class Day:
    """A seeded day: each step is one change of the store, and afterwards the state is what `seen` says."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.random = random.Random(SEED)
        self.revision = 0
        self.offset = 0

    async def step(self, number: int) -> None:
        kind = self.random.choices(
            ["visit", "event", "attempt", "page", "drain", "log", "snapshot"], [6, 4, 4, 3, 3, 2, 1]
        )[0]
        await getattr(self, kind)(number)

    async def visit(self, number: int) -> None:
        events = [LogEvent("key_synced", number, 0, key=1, data={"n": f"{number}.{i}"}) for i in range(3)]
        await self.store.commit(Change(events, attempts=AttemptCount(self.random.choice(KEYS))))

    async def event(self, number: int) -> None:
        await self.store.commit(Change([LogEvent("key_synced", number, 0, key=1, data={"n": str(number)})]))

    async def attempt(self, number: int) -> None:
        key = self.random.choice(KEYS)
        count = await self.store.attempts(key)
        await self.store.commit(Change(attempts=AttemptCount(key, count.failures + 1, number)))

    async def page(self, number: int) -> None:
        self.revision += 1
        upserts = [mirror_object(self.random, self.revision) for _ in range(self.random.randrange(1, 20))]
        unique = list({each.id: each for each in upserts}.values())
        await take(self.store, MirrorState("e", str(number), number, number), unique, [("holder", 99)])

    async def drain(self, number: int) -> None:
        pending = await self.store.pending(self.random.randrange(1, 8))
        ids = [event.id for event in pending]
        await self.store.take_answers(ids[1:], {ids[0]: f"poisoned {number}"} if ids else {})

    async def log(self, number: int) -> None:
        self.offset += 30
        id_ = f"00000000-0000-5000-8000-{number:012d}"
        event = LogEvent("lock_opened", number, 0, key=2, lock=7, data={"n": str(number)}, id=id_)
        await self.store.commit(Change([event], log_mark=LogMark(2, 1, number, self.offset)))

    async def snapshot(self, number: int) -> None:
        self.revision += 1
        objects = {id_: mirror_object(self.random, self.revision) for id_ in range(10)}
        unique = list({each.id: each for each in objects.values()}.values())
        await take(self.store, MirrorState("e", str(number), number, number), unique, whole=True)


async def seen(store: SqliteStore) -> tuple[Any, ...]:
    """Everything that a power cut must not change."""
    return (
        tuple((event.seq, event.id, event.body["data"].get("n")) for event in await store.pending(10_000)),
        tuple([await store.attempts(key) for key in KEYS]),
        await store.mirror_state(),
        await store.objects("holder"),
        await store.log_mark(2),
    )


@dataclass
class Recording:
    ops: list[Op] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)
    """What was seen after 0, 1, 2 … changes."""


async def recorded(folder: Path) -> Recording:
    lib = library()
    assert lib is not None
    found = Recording()
    with recording(lib, found.ops):
        store = await SqliteStore.open(folder / DATABASE)
        day = Day(store)
        found.states.append(await seen(store))
        found.ops.append(Acknowledged(0))
        for number in range(1, CHANGES + 1):
            await day.step(number)
            found.ops.append(Acknowledged(number))
            found.states.append(await seen(store))
        end = len(found.ops)
        await store.close()
    del found.ops[end:]
    return found


# --- the disk -----------------------------------------------------------------------------------------------------


def applied(content: bytes, ops: Sequence[Op]) -> bytes:
    disk = bytearray(content)
    for op in ops:
        match op:
            case Written(_, offset, data):
                disk.extend(bytes(max(0, offset - len(disk))))
                disk[offset : offset + len(data)] = data
            case Truncated(_, size):
                del disk[size:]
    return bytes(disk)


@dataclass(frozen=True)
class Cut:
    """What a disk may hold after a cut, and how many changes had been acknowledged by then."""

    files: dict[str, bytes]
    acknowledged: int
    at: int
    how: str


def cuts(found: Recording) -> Iterator[Cut]:
    """Every different state of the disk at every point, from the first acknowledgement on."""
    random_ = random.Random(SEED)
    durable: dict[str, bytes] = {}
    pending: dict[str, list[Op]] = {}
    acknowledged = -1
    known: set[int] = set()
    for at, op in enumerate(found.ops):
        match op:
            case Acknowledged(number):
                acknowledged = number
            case Synced(file):
                durable[file] = applied(durable.get(file, b""), pending.pop(file, []))
            case Deleted(file):
                durable.pop(file, None)
                pending.pop(file, None)
            case Written(file) | Truncated(file):
                pending.setdefault(file, []).append(op)
        if acknowledged < 0:
            continue
        for how, kept in ways(pending, random_):
            files = {name: applied(durable.get(name, b""), kept.get(name, [])) for name in {*durable, *kept}}
            state = hash((acknowledged, *sorted(files.items())))
            if state not in known:
                known.add(state)
                yield Cut(files, acknowledged, at, how)


def ways(pending: dict[str, list[Op]], random_: random.Random) -> Iterator[tuple[str, dict[str, list[Op]]]]:
    """Nothing of what was not synced, all of it, some of it in any mixture, all but the end of the last write."""
    yield "nothing", {}
    yield "all", pending
    for _ in range(3):
        yield "some", {file: [op for op in ops if random_.random() < 0.5] for file, ops in pending.items()}
    for file, ops in pending.items():
        last = ops[-1] if ops else None
        if isinstance(last, Written) and len(last.data) > SECTOR_BYTES:
            sectors = random_.randrange(1, -(-len(last.data) // SECTOR_BYTES))
            torn = Written(last.file, last.offset, last.data[: sectors * SECTOR_BYTES])
            yield "torn", {**pending, file: [*ops[:-1], torn]}


def lay(cut: Cut, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in cut.files.items():
        (folder / name).write_bytes(content)


def integrity(path: Path) -> str:
    conn = sqlite3.connect(path)
    try:
        return str(conn.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        conn.close()


async def failures(found: Recording, folder: Path, states: int) -> tuple[int, list[str]]:
    """How many states were tried, and what was wrong with which."""
    every = [cut for cut in cuts(found) if DATABASE in cut.files]
    chosen = every if len(every) <= states else random.Random(SEED).sample(every, states)
    wrong = []
    for cut in chosen:
        lay(cut, folder)
        try:
            store = await SqliteStore.open(folder / DATABASE)
            after = await seen(store)
            await store.close()
            assert integrity(folder / DATABASE) == "ok"
        except Exception as error:  # noqa: BLE001
            wrong.append(f"op {cut.at} ({cut.how}): {error}")
            continue
        # The change under way may have made it or not; one that was acknowledged has.
        if after not in found.states[cut.acknowledged : cut.acknowledged + 2]:
            wrong.append(f"op {cut.at} ({cut.how}): not as after {cut.acknowledged} changes")
    return len(chosen), wrong


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: these thousands of databases need no disk."""
    memory = Path("/dev/shm")
    folder = memory / f"power-cuts-{tmp_path.name}" if memory.is_dir() else tmp_path / "cuts"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


needs_shared_sqlite = pytest.mark.skipif(library() is None, reason="sqlite3 is built into this Python")


@needs_shared_sqlite
def test_no_power_cut_loses_or_doubles_anything(
    tmp_path: Path, quick_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "WAL_AUTOCHECKPOINT_PAGES", 12)
    found = asyncio.run(recorded(tmp_path))
    tried, wrong = asyncio.run(failures(found, quick_folder, CUT_STATES))
    with capsys.disabled():
        print(f"\npower cuts: {tried} states of the disk from {len(found.ops)} operations, {len(wrong)} wrong")  # noqa: T201, the count is asked for
    assert tried >= CUT_STATES
    assert wrong == []


@needs_shared_sqlite
def test_without_full_synchronisation_the_same_cuts_lose_changes(
    tmp_path: Path, quick_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proof that the test above can fail."""
    monkeypatch.setattr(connection, "WAL_AUTOCHECKPOINT_PAGES", 12)
    prepare = connection._prepare

    def careless(db: Database) -> None:
        prepare(db)
        db.execute("PRAGMA synchronous=NORMAL")

    monkeypatch.setattr(connection, "_prepare", careless)
    found = asyncio.run(recorded(tmp_path))
    _, wrong = asyncio.run(failures(found, quick_folder, 200))
    assert any("not as after" in each for each in wrong)
