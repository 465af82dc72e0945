"""Small durable facts by name, and the activations' sequence. Runs on the database's thread."""

import sqlite3

from offline_cache.faults import broken
from offline_cache.transaction import immediate


def note(db: sqlite3.Connection, name: str, value: str | None) -> str | None:
    """Set the note if a value is given; return what it is then, None where there is none."""
    row = db.execute("SELECT value FROM note WHERE name = ?", [name]).fetchone()
    kept: str | None = row[0] if row else None
    if value is None or value == kept:
        # Nothing to write, so no sync of the disk: the clock's floor is noted more often than it moves.
        return kept
    with immediate(db):
        db.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", [name, value])
    return value


def next_sequence(db: sqlite3.Connection) -> int:
    """The next number, counting from 1; durable before it is returned, so that it is never given twice."""
    with immediate(db):
        rows = db.execute("UPDATE counters SET value = value + 1 WHERE name = 'activation' RETURNING value").fetchall()
        if not rows:
            raise broken("counters")
    number: int = rows[0][0]
    return number
