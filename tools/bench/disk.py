"""What it costs on this machine's disk to keep an event, and what a bare commit does."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from offline_cache import SqliteStore
from station.ports import Change, LogEvent
from tools.bench.figures import Figure, paired

COMMITS = 200
EVENT = LogEvent("key_activated", 1_790_000_000, 0, key=5001, holder=1001, data={"expires": 1_790_039_600, "areas": 3})


class BareTable:
    """A table like the outbox in a SQLite file of its own, WAL and synchronous=FULL, used by the bare driver."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("CREATE TABLE outbox (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, body TEXT) STRICT")
        self._rows = 0

    def commit_s(self) -> float:
        """Insert a row about as long as an event, and commit; how long it took."""
        self._rows += 1
        row = [self._rows, f"{self._rows:036}", "x" * 240]
        began = time.perf_counter()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO outbox (seq, id, body) VALUES (?, ?, ?)", row)
        self._connection.execute("COMMIT")
        return time.perf_counter() - began


@contextmanager
def bare_table(folder: Path) -> Iterator[BareTable]:
    """One in ``folder``, gone afterwards."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as inside,
        closing(sqlite3.connect(Path(inside) / "bare.db", isolation_level=None)) as connection,
    ):
        yield BareTable(connection)


def bare_commit_s(folder: Path) -> float:
    """The median of bare commits on the disk that ``folder`` is on."""
    with bare_table(folder) as table:
        return statistics.median(table.commit_s() for _ in range(11))


async def event_commit(folder: Path) -> Figure:
    """``event_commit``: an event made durable, against the bare driver's commit of such a row, in turn."""
    ours, against = [], []
    with tempfile.TemporaryDirectory(dir=folder) as inside, bare_table(folder) as bare:
        store = await SqliteStore.open(Path(inside) / "station.db")
        try:
            for _ in range(COMMITS):
                began = time.perf_counter()
                await store.commit(Change([EVENT]))
                ours.append(1e6 * (time.perf_counter() - began))
                against.append(1e6 * bare.commit_s())
        finally:
            await store.close()
    return paired(ours, against, "µs")
