"""What the station remembers of each key: wrong PINs, and how far its log has been read. On the database's thread."""

import sqlite3

from station.core.attempts import AttemptCount
from station.ports import LogMark


def attempts(db: sqlite3.Connection, key: int) -> AttemptCount:
    """The wrong PINs of a key; zero where none are kept."""
    row = db.execute("SELECT key, failures, last_at, unlock_seen FROM attempts WHERE key = ?", [key]).fetchone()
    return AttemptCount(*row) if row else AttemptCount(key)


def set_attempts(db: sqlite3.Connection, count: AttemptCount) -> None:
    """Keep the count; a count of nothing leaves no row. Within a transaction."""
    if count == AttemptCount(count.key):
        db.execute("DELETE FROM attempts WHERE key = ?", [count.key])
        return
    db.execute(
        "INSERT OR REPLACE INTO attempts (key, failures, last_at, unlock_seen) VALUES (?, ?, ?, ?)",
        [count.key, count.failures, count.last_at, count.unlock_seen],
    )


def log_mark(db: sqlite3.Connection, key: int) -> LogMark | None:
    """How far this key's log has been read."""
    row = db.execute("SELECT key, generation, seq, offset_bytes FROM log_mark WHERE key = ?", [key]).fetchone()
    return LogMark(*row) if row else None


def set_log_mark(db: sqlite3.Connection, mark: LogMark) -> None:
    """Keep the mark. Within a transaction."""
    db.execute(
        "INSERT OR REPLACE INTO log_mark (key, generation, seq, offset_bytes) VALUES (?, ?, ?, ?)",
        [mark.key, mark.generation, mark.seq, mark.offset],
    )
