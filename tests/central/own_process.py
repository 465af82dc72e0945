"""A file of tests in a process of its own, and so in a database of its own: on SQLite, or on a real PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

from tests.central import postgresql

ROOT = Path(__file__).parents[2]


def passed_on_sqlite(file: Path) -> str:
    """What the file's tests have printed."""
    return _passed(file, {name: value for name, value in os.environ.items() if name != "DATABASE_URL"})


def passed_on_postgresql(file: Path) -> str:
    """As `passed_on_sqlite`."""
    with postgresql.server() as database:
        return _passed(file, os.environ | {"DATABASE_URL": database.url()})


def _passed(file: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-rP", "-p", "no:xdist", "-p", "no:cacheprovider", str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    return done.stdout
