"""Turns the errors of SQLite and of the file system into `StoreFault`."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from station.ports import StoreFault

DISK_FULL = "disk_full"
STORE_BROKEN = "store_broken"
STORE_IO = "store_io"

_PRIMARY_CODE_MASK = 0xFF
"""Extended result codes have the primary one in their lowest byte (sqlite.org/rescode.html)."""

_OUR_MISTAKES = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_MISUSE,
        sqlite3.SQLITE_RANGE,
    }
)
"""Bad SQL, a broken constraint, a wrong parameter: a mistake in this package, not a fault of the disk."""

_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})

_DISK_FULL_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT})


def broken(reason: str) -> StoreFault:
    """The fault of a database that is not whole, or that this package has not written."""
    return StoreFault(STORE_BROKEN, reason=reason)


@contextmanager
def faults_translated() -> Iterator[None]:
    """Raise StoreFault for what SQLite or the file system reports; mistakes in the program go through as they are.

    Everything that a job reads must be read inside, since SQLite also fails on a later row.
    """
    try:
        yield
    except sqlite3.Error as error:
        fault = _fault_of(error)
        if fault is None:
            raise
        raise fault from error
    except OSError as error:
        full = error.errno in _DISK_FULL_ERRNO
        raise StoreFault(DISK_FULL if full else STORE_IO, errno=errno.errorcode.get(error.errno or 0, "")) from error


def _fault_of(error: sqlite3.Error) -> StoreFault | None:
    extended: int | None = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        # Errors of the Python module itself have no code; of those only "Could not decode to UTF-8" is the file's.
        return broken("text") if isinstance(error, sqlite3.OperationalError) else None
    name: str = getattr(error, "sqlite_errorname", "")
    primary = extended & _PRIMARY_CODE_MASK
    if primary in _OUR_MISTAKES:
        return None
    if primary == sqlite3.SQLITE_FULL:
        return StoreFault(DISK_FULL, sqlite=name)
    return StoreFault(STORE_BROKEN if primary in _BROKEN else STORE_IO, sqlite=name)
