"""The small tables: a key's wrong PINs, how far its log has been read, notes by name.

Runs on the database's thread; what writes does so within the caller's transaction.
"""

from dataclasses import asdict

from sqlite_utils import Database

from station.ports import LogMark
from station.rules.attempts import AttemptCount

# Not sqlite-utils' upsert (4.2): it tries out once what SQLite can do, by making a table. When the disk is full just
# then, its other way from then on silently keeps no new row of columns that must not be NULL: no wrong PIN would count.
_SET_ATTEMPTS = """
INSERT INTO attempts (key, failures, last_at, unlock_seen) VALUES (:key, :failures, :last_at, :unlock_seen)
ON CONFLICT (key) DO UPDATE SET failures = :failures, last_at = :last_at, unlock_seen = :unlock_seen
"""
_SET_LOG_MARK = """
INSERT INTO log_mark (key, generation, seq, "offset") VALUES (:key, :generation, :seq, :offset)
ON CONFLICT (key) DO UPDATE SET generation = :generation, seq = :seq, "offset" = :offset
"""
_SET_NOTE = "INSERT INTO note (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = :value"


def attempts(db: Database, key: int) -> AttemptCount:
    """The wrong PINs of a key; zero where none are kept."""
    rows = list(db.table("attempts").rows_where("key = ?", [key]))
    return AttemptCount(**rows[0]) if rows else AttemptCount(key)


def set_attempts(db: Database, count: AttemptCount) -> None:
    """Keep the count; a count of nothing leaves no row."""
    if count == AttemptCount(count.key):
        db.table("attempts").delete_where("key = ?", [count.key])
    else:
        db.execute(_SET_ATTEMPTS, asdict(count))


def log_mark(db: Database, key: int) -> LogMark | None:
    """How far this key's log has been read."""
    rows = list(db.table("log_mark").rows_where("key = ?", [key]))
    return LogMark(**rows[0]) if rows else None


def set_log_mark(db: Database, mark: LogMark) -> None:
    """Keep the mark."""
    db.execute(_SET_LOG_MARK, asdict(mark))


def note(db: Database, name: str) -> str | None:
    """The note of this name."""
    rows = list(db.table("note").rows_where("name = ?", [name]))
    return rows[0]["value"] if rows else None


def set_note(db: Database, name: str, value: str) -> None:
    """Keep the note."""
    db.execute(_SET_NOTE, {"name": name, "value": value})
