"""How this package changes state: one explicit write transaction, all of it or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def immediate(db: sqlite3.Connection) -> Iterator[None]:
    """``BEGIN IMMEDIATE`` … ``COMMIT``; whatever is raised inside, or by the commit itself, rolls back.

    A deferred transaction, a mere ``BEGIN``, fails at its first write when it can no longer become a
    writer (SQLITE_BUSY_SNAPSHOT), where waiting does not help.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # Does nothing where SQLite has rolled back by itself (a full disk, an I/O error).
        db.rollback()
        raise
