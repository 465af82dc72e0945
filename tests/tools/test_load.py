"""`make load` on the smallest size: that the tool still finds its way, not how fast anything is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.central import nginx, postgresql

ROOT = Path(__file__).parents[2]


@pytest.mark.nightly
@pytest.mark.skipif(postgresql.programs() is None or nginx.program() is None, reason="PostgreSQL or nginx is missing")
def test_a_small_morning_through_the_proxy() -> None:
    command = [
        sys.executable,
        "-m",
        "tools.load",
        "--size",
        "S",
        "--seconds",
        "5",
        "--share",
        "0.03",
        "--proxy",
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["errors"] == {}
    assert row["connections"] == 13
    assert row["polls_a_second"] > 1
    assert row["events_a_second"] > 4
    assert set(row["pages_ms"]) >= {"today", "people"}
    assert row["memory_mib"]["proxy"] > 1
