"""Small durable facts by name, and the activations' sequence. Runs on the database's thread."""

from sqlite_utils import Database

from offline_cache.faults import broken
from offline_cache.transaction import immediate


def note(db: Database, name: str, value: str | None) -> str | None:
    """Set the note if a value is given; return what it is then, None where there is none."""
    rows = list(db.query("SELECT value FROM note WHERE name = ?", [name]))
    kept: str | None = rows[0]["value"] if rows else None
    if value is None or value == kept:
        # Nothing to write, so no sync of the disk: the clock's floor is noted more often than it moves.
        return kept
    with immediate(db):
        db.execute("INSERT OR REPLACE INTO note (name, value) VALUES (?, ?)", [name, value])
    return value


def next_sequence(db: Database) -> int:
    """The next number, counting from 1; durable before it is returned, so that it is never given twice."""
    with immediate(db):
        rows = list(db.query("UPDATE counters SET value = value + 1 WHERE name = 'activation' RETURNING value"))
        if not rows:
            raise broken("counters")
    number: int = rows[0]["value"]
    return number
