# ruff: noqa: ASYNC220 - nothing else runs on a test's loop meanwhile
import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offline_cache import SqliteStore
from station.ports import Change, LogEvent
from station.rules.attempts import AttemptCount

REPOSITORY = Path(__file__).parents[2]


async def commit_for_ever(path: Path) -> None:
    """What is killed: says a number only once the store has acknowledged it."""
    store = await SqliteStore.open(path)
    number = 0
    while True:
        number += 1
        # Two events and a count that say the same number: all of it or nothing.
        pair = [LogEvent("pin_rejected", number, 0, key=7), LogEvent("key_synced", number, 0, key=7)]
        await store.commit(Change(pair, AttemptCount(7, number)))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


@pytest.mark.parametrize("acknowledged_at_least", [1, 7, 60])
async def test_killing_the_process_loses_nothing_acknowledged(path: Path, acknowledged_at_least: int) -> None:
    # This proves death of the process only, never a power cut: SQLite survives kill -9 even with synchronous=OFF,
    # since the kernel still has the writes. Power cuts need a replay of recorded writes.
    child = subprocess.Popen(
        [sys.executable, __file__, str(path)],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child, child.stdout:
        heard = [int(child.stdout.readline()) for _ in range(acknowledged_at_least)]
        child.send_signal(signal.SIGKILL)
        # The last line may have been cut in its middle.
        heard += [int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        assert child.wait(10) == -signal.SIGKILL

    store = await SqliteStore.open(path)
    events = await store.pending(1_000_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    numbers = [event.body["at"] for event in events]
    whole = len(numbers) // 2
    assert numbers == [number for number in range(1, whole + 1) for _ in range(2)]
    assert whole >= heard[-1]
    assert heard == list(range(1, heard[-1] + 1))
    assert (await store.attempts(7)).failures == whole
    await store.close()


if __name__ == "__main__":
    asyncio.run(commit_for_ever(Path(sys.argv[1])))
