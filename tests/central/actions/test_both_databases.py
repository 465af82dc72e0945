"""The log of events, on SQLite and on a real PostgreSQL: `on_any_database.py`, in a process of its own for each."""

import os
import subprocess
import sys
from pathlib import Path

from tests.central import postgresql

ROOT = Path(__file__).parents[3]


def run(environment: dict[str, str]) -> None:
    words = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", str(Path(__file__).parent / "on_any_database.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_on_sqlite() -> None:
    run({name: value for name, value in os.environ.items() if name != "DATABASE_URL"})


def test_on_postgresql() -> None:
    with postgresql.server() as database:
        run(os.environ | {"DATABASE_URL": database.url()})
