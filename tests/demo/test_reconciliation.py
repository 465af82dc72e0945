"""The books: what is lost, doubled, or in one of them only is said."""

import json
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from offline_cache import SqliteStore
from station.demo.reconciliation import LockEntry, StationCount, differences, read
from station.ports import Change, LogEvent

HERE, THERE = "here", "there"
LOG_ID = str(UUID(int=7))
ENTRY = LockEntry(5001, 140, 100, "opened", 1001)


def event(seq: int, instance: str = HERE, **told: Any) -> dict[str, Any]:
    named = {"id": f"{instance}-{seq}", "type": "key_synced", "key": None, "lock": None, "holder": None, "at": 1}
    return named | {"seq": seq, "instance": instance, "data": {}} | told


def opening(seq: int, instance: str = HERE, id_: str = LOG_ID) -> dict[str, Any]:
    told = {"type": "lock_opened", "key": 5001, "lock": 140, "holder": 1001, "at": 100, "data": {"outcome": "opened"}}
    return event(seq, instance, id=id_, **told)


def count(events: int = 2, waiting: int = 0, log_ids: frozenset[str] = frozenset(), of: str = HERE) -> StationCount:
    return StationCount(1 if of == HERE else 2, of, events, waiting, log_ids)


@pytest.mark.parametrize(
    ("events", "counts", "entries", "said"),
    [
        ([event(1), event(2)], [count()], [], []),
        # It has gone on since it was counted.
        ([event(1), event(2), event(3)], [count()], [], []),
        ([event(1)], [count()], [], ["of station 1's 2 events 1 are not at central"]),
        ([event(2)], [count()], [], ["of station 1's 2 events 1 are not at central"]),
        ([event(1), event(2)], [count(waiting=1)], [], ["station 1 still has 1 events"]),
        (
            [event(1), event(2), event(2, id="another")],
            [count()],
            [],
            ["station 1 has an event twice"],
        ),
        ([event(1), opening(2)], [count(log_ids=frozenset({LOG_ID}))], [ENTRY], []),
        # Both stations have read the same entry; central has it from the first.
        (
            [opening(1, THERE), event(1)],
            [count(log_ids=frozenset({LOG_ID})), count(1, log_ids=frozenset({LOG_ID}), of=THERE)],
            [ENTRY],
            [],
        ),
        ([event(1), event(2)], [count()], [ENTRY], ["not in the opening log: key 5001 at lock 140: opened"]),
        (
            [event(1), opening(2)],
            [count()],
            [],
            ["in the opening log, and no lock saw it: key 5001 at lock 140: opened"],
        ),
        (
            [opening(1), opening(2, id_="another")],
            [count()],
            [ENTRY],
            ["in the opening log, and no lock saw it: key 5001 at lock 140: opened"],
        ),
    ],
)
def test_differences(
    events: list[dict[str, Any]], counts: list[StationCount], entries: list[LockEntry], said: list[str]
) -> None:
    assert differences(events, counts, entries) == said


async def test_a_stations_own_count(tmp_path: Path) -> None:
    path = tmp_path / "station.db"
    store = await SqliteStore.open(path)
    await store.commit(Change([LogEvent("key_synced", 1, 0), LogEvent("lock_opened", 1, 0, id=LOG_ID)]))
    await store.take_answers([LOG_ID], {})
    instance = store.instance
    await store.close()
    assert read(3, path) == StationCount(3, instance, 2, 1, frozenset({LOG_ID}))
    assert json.dumps(sorted(read(3, path).log_ids)) == f'["{LOG_ID}"]'
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM outbox")
    assert read(3, path).waiting == 0
