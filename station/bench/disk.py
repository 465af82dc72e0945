"""What a durable commit costs on this machine's disk, with nothing around it."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

TIMES = 11
BODY = "x" * 240
"""About as long as an event."""


class BareTable:
    """A table like the outbox in a SQLite file of its own, WAL and synchronous=FULL, used by the bare driver."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, body TEXT) STRICT")
        self._rows = 0

    def commit_s(self, body: str = BODY) -> float:
        """Insert a row and commit; how long it took."""
        self._rows += 1
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(
            "INSERT INTO outbox (seq, id, body) VALUES (?, ?, ?)", [self._rows, f"{self._rows:036}", body]
        )
        self._connection.execute("COMMIT")
        return time.perf_counter() - began


@contextmanager
def bare_table(folder: Path) -> Iterator[BareTable]:
    """One in ``folder``, gone afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        path = Path(inside) / "bare.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield BareTable(connection)


def bare_commit_s(folder: Path) -> float:
    """The median of bare commits on the disk that ``folder`` is on."""
    with bare_table(folder) as table:
        return statistics.median(table.commit_s() for _ in range(TIMES))
