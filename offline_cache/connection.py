"""The one connection to the database file: how it is opened, what it is set to, how it is let go."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlite_utils import Database

from offline_cache.faults import STORE_IO, broken, faults_translated
from offline_cache.schema import migrate
from station.ports import StoreFault

BUSY_TIMEOUT_MS = 1000
"""Only a stranger (someone with the sqlite3 shell) can hold a lock; less than the 5 s after which the kiosk counts as
hung."""
WAL_AUTOCHECKPOINT_PAGES = 500
"""2 MiB of WAL between checkpoints."""
JOURNAL_SIZE_LIMIT_BYTES = 4 * 1024 * 1024
"""A snapshot makes the WAL as large as the mirror; cut back to this, it does not keep that from a small disk."""
DATABASE_LIMIT_BYTES = 512 * 1024 * 1024
"""The outbox grows for as long as central is away: a month of 500 visits a day is 30 MB, so this is more than a year.
Beyond it the database counts as a full disk, before it takes the room from all else on a small one."""
DELETING_ROOM_BYTES = 32 * 1024 * 1024
"""Beyond the limit, for taking up what central has answered: nothing else makes room again, and an event that is set
aside grows by the reason. All that are ever kept of those fit in."""
NO_ROOM_FOR_THE_INDEX = frozenset({"SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMOPEN"})
"""What opening says where the 32 KiB of the WAL's index (``-shm``) find no room."""

_FILE_MODE = 0o600
_FOLDER_MODE = 0o700


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """The database at ``path``, made where there is none, migrated, checked; closed at the end.

    The file gets mode 0600 (SQLite gives WAL and shared memory the same), a missing folder 0700. A lock on
    ``<path>.lock`` keeps other processes of the station out: SQLite before 3.51.3 can corrupt a WAL that two
    connections write to.

    Raises StoreFault: ``store_broken`` (not a database, or a damaged one), ``disk_full``, ``store_io`` (also reason
    ``in_use`` and ``newer_schema``).
    """
    with faults_translated():
        _make_folder(path.parent)
    with _held_alone(path):
        with faults_translated():
            _make_file(path)
            db = Database(_connected(path), execute_plugins=False, strict=True)
        try:
            with faults_translated():
                _prepare(db)
            yield db
        finally:
            with faults_translated():
                db.close()


@contextmanager
def immediate(db: Database) -> Iterator[None]:
    """``BEGIN IMMEDIATE`` … ``COMMIT``; whatever is raised inside, or by the commit itself, rolls back.

    A deferred transaction, as sqlite-utils begins one, fails at its first write when it can no longer become a writer
    (SQLITE_BUSY_SNAPSHOT), where waiting does not help. Inside, sqlite-utils makes savepoints of its own.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # Does nothing where SQLite has rolled back by itself (a full disk, an I/O error).
        db.rollback()
        raise


@contextmanager
def room_to_delete(db: Database) -> Iterator[None]:
    """Let a database that is at its limit grow by a little. Where less than the limit is set, that stands."""
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    (before,) = db.execute("PRAGMA max_page_count").fetchone()
    limit = DATABASE_LIMIT_BYTES // page_bytes
    if not limit <= before < limit + DELETING_ROOM_BYTES // page_bytes:
        yield
        return
    db.execute(f"PRAGMA max_page_count={limit + DELETING_ROOM_BYTES // page_bytes}").fetchall()
    try:
        yield
    finally:
        # SQLite takes what is below the database's size for its size.
        db.execute(f"PRAGMA max_page_count={limit}").fetchall()


def empty_write_ahead_log(db: Database) -> None:
    """Have nothing left in the WAL: what was replaced would stay in it until as much is written again."""
    # On a full or failing disk it stays meanwhile: what was committed before is not to fail by it.
    with suppress(sqlite3.OperationalError):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _connected(path: Path) -> sqlite3.Connection:
    """A connection that can read, also on a full disk: a station must start there, to switch keys off."""
    conn = _connection(path)
    try:
        conn.execute("SELECT COUNT(*) FROM sqlite_schema").fetchall()
    except sqlite3.OperationalError as error:
        conn.close()
        if error.sqlite_errorname not in NO_ROOM_FOR_THE_INDEX:
            raise
        conn = _connection(path)
        # Before anything reads: then the WAL's index is in memory. Nobody else could read meanwhile, with a shell.
        conn.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
    except BaseException:
        conn.close()
        raise
    return conn


def _connection(path: Path) -> sqlite3.Connection:
    # No implicit transactions by the driver: every BEGIN is written out. Only the database's thread uses a connection;
    # one that nobody has closed is let go of by whichever thread collects garbage.
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False)


@contextmanager
def _held_alone(path: Path) -> Iterator[None]:
    # A file of its own: closing any descriptor of the database itself would drop SQLite's POSIX locks on it.
    with faults_translated():
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        _give_to_owner_of(path.parent, lock)
    try:
        with faults_translated():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreFault(STORE_IO, reason="in_use") from error
        yield
    finally:
        os.close(lock)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _give_to_owner_of(folder.parent, descriptor)
    finally:
        os.close(descriptor)


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    """What an administrator's command makes belongs to the service's user, as the folder does.

    SQLite gives the WAL and its index the owner of the database by itself.
    """
    owner = folder.stat()
    if os.geteuid() == 0 and os.fstat(descriptor).st_uid != owner.st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _make_file(path: Path) -> None:
    """Before SQLite does: it would take the mode from the umask."""
    made = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
    try:
        os.fchmod(descriptor, _FILE_MODE)
        if made:
            _give_to_owner_of(path.parent, descriptor)
    finally:
        os.close(descriptor)
    if made:
        # The name must survive a power cut as well as the content.
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _prepare(db: Database) -> None:
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    (mode,) = db.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise StoreFault(STORE_IO, reason="no_wal")
    # FULL: in WAL mode NORMAL does not sync at commit, and a power cut takes events that were reported as kept.
    db.execute("PRAGMA synchronous=FULL")
    db.execute("PRAGMA foreign_keys=ON")
    db.execute(f"PRAGMA wal_autocheckpoint={WAL_AUTOCHECKPOINT_PAGES}").fetchall()
    db.execute(f"PRAGMA journal_size_limit={JOURNAL_SIZE_LIMIT_BYTES}").fetchall()
    (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
    db.execute(f"PRAGMA max_page_count={DATABASE_LIMIT_BYTES // page_bytes}").fetchall()
    if db.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise broken("quick_check")
    # What is deleted or replaced is overwritten: a name that central no longer tells is not left on the card.
    db.execute("PRAGMA secure_delete=ON").fetchall()
    with immediate(db):
        migrate(db)
