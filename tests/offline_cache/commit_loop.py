"""Commits events until it is killed; prints an event's id only once the store has acknowledged it."""

import asyncio
import sys
from pathlib import Path

from offline_cache import SqliteStore
from station.core.attempts import AttemptCount
from station.ports import Change, NewEvent


async def run(path: Path) -> None:
    store = await SqliteStore.open(path)
    number = 0
    while True:
        number += 1
        # Two events and a count that say the same number: all of it or nothing.
        pair = [NewEvent("pin_rejected", number, 0, key=7), NewEvent("key_synced", number, 0, key=7)]
        await store.commit(Change(pair, AttemptCount(7, number)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
