import sqlite3
import time
from pathlib import Path
from statistics import median

import pytest

from offline_cache import SqliteStore
from station.ports import Change, LogEvent, MirrorState, ReceivedObject
from tests.received import received, take

COMMITS = 200
RATIO_MAX = 8.0
"""1.4 was measured; far enough from it for a busy machine, near enough to see a second sync or a lost index."""
HOLDERS = 4000
OBJECTS = 20_000
BUNDLE_MAX_S = 0.01


async def test_a_commit_costs_little_more_than_sqlite_itself(
    store: SqliteStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = sqlite3.connect(tmp_path / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body TEXT) STRICT")
    bare_s, ours_s = [], []
    # Taken in turns, so that a disturbance meets both.
    for at in range(COMMITS):
        begun = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO event (body) VALUES (?)", ["x" * 200])
        bare.execute("COMMIT")
        between = time.perf_counter()
        await store.commit(Change([LogEvent("key_synced", at, 0, key=7, data={"wire_bytes": 1000})]))
        bare_s.append(between - begun)
        ours_s.append(time.perf_counter() - between)
    bare.close()
    ratio = median(ours_s) / median(bare_s)
    with capsys.disabled():
        print(f"\ncommit: {median(ours_s) * 1e6:.0f} µs, bare sqlite3 {median(bare_s) * 1e6:.0f} µs, ratio {ratio:.2f}")  # noqa: T201
    assert ratio < RATIO_MAX


async def test_a_decision_on_a_large_mirror_is_quick(store: SqliteStore, capsys: pytest.CaptureFixture[str]) -> None:
    def made(type_: str, id_: int, pin_tag: bytes | None = None, **fields: object) -> ReceivedObject:
        return received({"type": type_, "id": id_, "revision": id_, **fields}, pin_tag)

    def tag(holder: int) -> bytes:
        return holder.to_bytes(16, "big")

    objects = [made("unit", 1), made("blocklist", 0)]
    for n in range(1, HOLDERS + 1):
        objects.append(made("holder", n, unit=1, name="Invented N."))
        objects.append(made("key", n, unit=1, holder=n, record="x" * 200))
        objects += [made("permit", n + each * HOLDERS, holder=n, pin_tag=tag(n), record="x" * 400) for each in range(3)]
    assert len(objects) >= OBJECTS
    begun = time.perf_counter()
    await take(store, MirrorState("e", "c", 1, 1), objects, whole=True)
    snapshot_s = time.perf_counter() - begun
    took = []
    for n in range(1, HOLDERS, 40):
        begun = time.perf_counter()
        found = await store.bundle(key=n, pin_tags=[tag(n + 1)])
        took.append(time.perf_counter() - begun)
        assert found.person is not None
        assert (found.person.id, len(found.person_permits), len(found.key_holder_permits)) == (n + 1, 3, 3)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(objects)} objects: snapshot {snapshot_s * 1e3:.0f} ms, bundle {median(took) * 1e6:.0f} µs"
        )
    assert median(took) < BUNDLE_MAX_S
