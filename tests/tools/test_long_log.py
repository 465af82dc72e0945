"""Five million events in a real PostgreSQL: no page looks through them, and none takes longer than people notice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.central import postgresql

COUNT = 5_000_000
LIMITS_MS = {"today": 300, "pools": 300, "a batch of 12 events": 100, "a batch of 100 events": 400}
LOOK_UP_MS = 200


@pytest.mark.nightly
def test_five_million_events_are_not_looked_through() -> None:
    with postgresql.server() as database:
        done = subprocess.run(
            [sys.executable, "-m", "tests.tools.log_pages", str(COUNT)],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"DATABASE_URL": database.url()},
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.partition('{"month taken off"')[0])
    assert told["scans"] == []
    slow = {what: ms for what, ms in told["ms"].items() if ms > LIMITS_MS.get(what, LOOK_UP_MS)}
    assert slow == {}, told["ms"]
