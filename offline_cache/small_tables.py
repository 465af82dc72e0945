"""The small tables: a key's wrong PINs, how far its log has been read, notes by name.

Runs on the database's thread; what writes does so within the caller's transaction.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlite_utils import Database

from station.ports import LogMark
from station.rules.attempts import AttemptCount


def attempts(db: Database, key: int) -> AttemptCount:
    """The wrong PINs of a key; zero where none are kept."""
    rows = list(db.table("attempts").rows_where("key = ?", [key]))
    return AttemptCount(**rows[0]) if rows else AttemptCount(key)


def set_attempts(db: Database, count: AttemptCount) -> None:
    """Keep the count; a count of nothing leaves no row."""
    if count == AttemptCount(count.key):
        db.table("attempts").delete_where("key = ?", [count.key])
    else:
        _replace(db, "attempts", asdict(count))


def log_mark(db: Database, key: int) -> LogMark | None:
    """How far this key's log has been read."""
    rows = list(db.table("log_mark").rows_where("key = ?", [key]))
    return LogMark(**rows[0]) if rows else None


def set_log_mark(db: Database, mark: LogMark) -> None:
    """Keep the mark."""
    _replace(db, "log_mark", asdict(mark))


def note(db: Database, name: str) -> str | None:
    """The note of this name."""
    rows = list(db.table("note").rows_where("name = ?", [name]))
    return rows[0]["value"] if rows else None


def set_note(db: Database, name: str, value: str) -> None:
    """Keep the note."""
    _replace(db, "note", {"name": name, "value": value})


def _replace(db: Database, table: str, row: Mapping[str, Any]) -> None:
    # Not sqlite-utils' upsert (4.2): it tries out once what SQLite can do, by making a table. When the disk is full
    # just then, its other way from then on silently keeps no new row of columns that must not be NULL.
    db.table(table).insert(dict(row), replace=True)
