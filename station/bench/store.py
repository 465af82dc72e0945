"""The station's database: what keeping an event costs, and whether a large site's look-up is as quick as a small's."""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from offline_cache import SqliteStore
from station.bench.disk import bare_table
from station.bench.figures import Figure, Say, paired
from station.bench.site import HOLDER, KEY, BenchSite
from station.ports import Change, MirrorState, NewEvent

SMALL_OBJECTS, LARGE_OBJECTS = 1_000, 200_000
COMMITS = 200
MEMORY = Path("/dev/shm")  # noqa: S108, a folder of a random name is made in it
LOOKUPS = 200
GRANTED = {"expires": 1_790_039_600, "areas": 3, "locks": 40}
EVENT = NewEvent("key_activated", 1_790_000_000, 0, key=KEY, holder=HOLDER, data=GRANTED)


def event_commit(folder: Path, *, quick: bool, say: Say) -> Figure:
    """``event_commit``, in ``folder``'s file system."""
    say("event commit")
    return asyncio.run(_event_commit(folder, COMMITS // 2 if quick else COMMITS))


def lookup(folder: Path, say: Say) -> Figure:
    """``lookup_200k_vs_1k``, in ``folder``'s file system."""
    say("look-ups among 200,000")
    # In memory where there is room: what is compared is the search, not the disk.
    return asyncio.run(_lookup(MEMORY if MEMORY.is_dir() else folder))


async def _event_commit(folder: Path, commits: int) -> Figure:
    """An event made durable, against the bare driver's commit of the same row, in turn."""
    ours, against = [], []
    with tempfile.TemporaryDirectory(dir=folder) as inside, bare_table(folder) as bare:
        store = await SqliteStore.open(Path(inside) / "station.db")
        try:
            for number in range(commits):
                # In turn, and each as often the first of the two: what one leaves to the disk, the other may wait for.
                if number % 2:
                    against.append(1e6 * bare.commit_s())
                began = time.perf_counter()
                await store.commit(Change([EVENT]))
                ours.append(1e6 * (time.perf_counter() - began))
                if not number % 2:
                    against.append(1e6 * bare.commit_s())
        finally:
            await store.close()
    return paired(ours, against, "µs")


async def _lookup(folder: Path) -> Figure:
    """What a PIN's decision reads, in a mirror of 200,000 objects against one of 1,000."""
    ours, against = [], []
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside)
        site = BenchSite(path, path / "key-reader")
        small = await _filled(path / "small.db", site, SMALL_OBJECTS)
        large = await _filled(path / "large.db", site, LARGE_OBJECTS)
        try:
            for _ in range(LOOKUPS):
                ours.append(await _bundle_us(large, site.tag()))
                against.append(await _bundle_us(small, site.tag()))
        finally:
            await small.close()
            await large.close()
    return paired(ours, against, "µs")


async def _bundle_us(store: SqliteStore, tag: bytes) -> float:
    began = time.perf_counter()
    await store.bundle(KEY, tag)
    return 1e6 * (time.perf_counter() - began)


async def _filled(path: Path, site: BenchSite, count: int) -> SqliteStore:
    """Holders and their permits beside what the site has."""
    objects = site.objects()
    store = await SqliteStore.open(path)
    await store.replace_mirror(MirrorState("bench", "bench", 0), objects)
    await store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_HOLDERS, [(count - len(objects)) // 2])
        connection.execute(_PERMITS)
        connection.execute("COMMIT")
    return await SqliteStore.open(path)


_HOLDERS = """
WITH RECURSIVE numbers (id) AS (SELECT 10000 UNION ALL SELECT id + 1 FROM numbers WHERE id < 9999 + ?)
INSERT INTO mirror_object (type, id, revision, body, holder, unit, pin_tag)
SELECT 'holder', id, 1,
    '{"type":"holder","id":' || id || ',"revision":1,"name":"Anna Apelsin","unit":7,"category":0,"status":"active"}',
    NULL, 7, NULL FROM numbers
"""
_PERMITS = """
INSERT INTO mirror_object (type, id, revision, body, holder, unit, pin_tag)
SELECT 'permit', id, 1, '{"type":"permit","id":' || id || ',"revision":1,"holder":' || id || ',"record":"' ||
    hex(zeroblob(30)) || '"}', id, NULL, randomblob(16) FROM mirror_object WHERE type = 'holder' AND id >= 10000
"""
