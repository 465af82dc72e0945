"""The mirror: whether a large site's look-up is as quick as a small's, and what asking for news costs without any."""

import asyncio
import os
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from config import Credentials
from offline_cache import SqliteStore
from station.records.pins import pin_tag
from station.sync.client import CentralClient, Pieces
from station.sync.snapshot_reader import SnapshotReader
from tools.bench.figures import Figure, paired
from tools.bench.site import BenchSite, Person

SMALL_OBJECTS, LARGE_OBJECTS = 1_000, 200_000
LOOKUPS = 200
MEMORY = Path("/dev/shm")  # noqa: S108, a folder of a random name is made in it


def refresh(site: BenchSite, samples: int) -> Figure:
    """``refresh_bytes_idle``: asking central for news when there is none, against fetching the mirror whole."""
    return site.wait_for(_refresh(site, samples))


async def _refresh(site: BenchSite, samples: int) -> Figure:
    home = site.demo.home
    ours: list[float] = []
    link = CentralClient(home.url, home.credentials().token)
    try:
        reader = SnapshotReader()

        async def take(pieces: Pieces) -> None:
            async for piece in pieces:
                reader.feed(piece)

        await link.snapshot(os.urandom(16), take)
        assert reader.start is not None
        cursor = reader.start.cursor
        whole = home.network.passed_bytes
        while len(ours) < samples:
            before = home.network.passed_bytes
            page = await link.changes(cursor, os.urandom(16))
            if not page.upserts and not page.removes:
                ours.append(home.network.passed_bytes - before)
            cursor = page.cursor  # something may happen at central meanwhile
    finally:
        await link.close()
    return paired(ours, [whole], "bytes")


def lookup(site: BenchSite, _samples: int) -> Figure:
    """``lookup_200k_vs_1k``: what a PIN's decision reads, in a mirror of 200,000 objects against one of 1,000."""
    home = site.demo.home
    with site.kiosk():
        pass  # has fetched the mirror by then
    mirror = home.settings().storage.database
    person = site.next_person()
    tag = _tag(person, home.credentials())
    # In memory where there is room: what is compared is the search, not the disk.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else site.folder) as inside:
        databases = [_grown(mirror, Path(inside) / f"{size}.db", size) for size in (LARGE_OBJECTS, SMALL_OBJECTS)]
        ours, against = asyncio.run(_lookups(databases, person.number, tag))
    return paired(ours, against, "µs")


async def _lookups(databases: list[Path], key: int, tag: bytes) -> list[list[float]]:
    stores = [await SqliteStore.open(path) for path in databases]
    took_us: list[list[float]] = [[] for _ in stores]
    for _ in range(LOOKUPS):
        for store, took in zip(stores, took_us, strict=True):
            began = time.perf_counter()
            found = await store.bundle(key, [tag])
            took.append(1e6 * (time.perf_counter() - began))
            if not found.person_permits:
                raise LookupError("the PIN's permit is not in the mirror")
    for store in stores:
        await store.close()
    return took_us


def _tag(person: Person, its: Credentials) -> bytes:
    cost = its.argon2
    pepper = its.peppers[0].pepper.reveal()
    return pin_tag(person.pin, its.site_salt, pepper, time=cost.time, memory_kib=cost.memory_kib, lanes=cost.lanes)


def _grown(mirror: Path, path: Path, size: int) -> Path:
    """A copy with holders and their permits beside what the site has, up to ``size`` objects."""
    with closing(sqlite3.connect(mirror)) as whole, closing(sqlite3.connect(path, isolation_level=None)) as copy:
        whole.backup(copy)
        copy.execute("PRAGMA synchronous=OFF")
        ((there, edition),) = copy.execute("SELECT COUNT(*), max(edition) FROM mirror")
        copy.execute("BEGIN IMMEDIATE")
        copy.execute(_HOLDERS, [(size - there) // 2, edition])
        copy.execute(_PERMITS, [edition])
        copy.execute("COMMIT")
    return path


_HOLDERS = """
WITH RECURSIVE numbers (id) AS (SELECT 100000 UNION ALL SELECT id + 1 FROM numbers WHERE id < 99999 + ?)
INSERT INTO mirror_object (edition, type, id, hash, received, holder, unit, pin_tag)
SELECT ?, 'holder', id, zeroblob(32),
    '{"type":"holder","id":' || id || ',"revision":1,"name":"Anna Apelsin","unit":7,"category":0,"status":"active"}',
    NULL, 7, NULL FROM numbers
"""
_PERMITS = """
INSERT INTO mirror_object (edition, type, id, hash, received, holder, unit, pin_tag)
SELECT ?, 'permit', id, zeroblob(32),
    '{"type":"permit","id":' || id || ',"revision":1,"holder":' || id || ',"record":"' || hex(zeroblob(30)) || '"}',
    id, NULL, randomblob(16) FROM mirror WHERE type = 'holder' AND id >= 100000
"""
