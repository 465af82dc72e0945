# ruff: noqa: ASYNC220 - nothing else runs on a test's loop meanwhile
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from offline_cache import SqliteStore

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("acknowledged_at_least", [1, 7, 60])
async def test_killing_the_process_loses_nothing_acknowledged(path: Path, acknowledged_at_least: int) -> None:
    # This proves death of the process only, never a power cut: SQLite survives kill -9 even with synchronous=OFF,
    # since the kernel still has the writes. Power cuts need a replay of recorded writes.
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("commit_loop.py")), str(path)],
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
