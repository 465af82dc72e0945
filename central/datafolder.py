"""The folder that a central server keeps everything in: the database and, in a file of mode 0600, its master key.

::

    central.sqlite3          everything; secrets are sealed under the master key (`central.signing.sealing`)
    master.key               32 random bytes, the same on every machine that shares a database, and never changed
    central.lock             used by any number of servers together, or by one restore alone (flock)
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from central.errors import CentralError

DATA_VARIABLE = "CENTRAL_DATA"
DEFAULT_FOLDER = "central-data"
MASTER_KEY = "master.key"
MASTER_KEY_BYTES = 32
LOCK_FILE = "central.lock"


def folder() -> Path:
    """Where this process keeps its data: the environment's CENTRAL_DATA, else ``./central-data``."""
    return Path(os.environ.get(DATA_VARIABLE) or DEFAULT_FOLDER).resolve()


def prepare(path: Path) -> None:
    """Make ``path`` this process's data folder, readable by its owner alone.

    Raises CentralError (``data_folder``) when that is not possible.
    """
    os.umask(0o077)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[DATA_VARIABLE] = str(path.resolve())
    except OSError as error:
        raise CentralError("data_folder", path=path, reason=error.strerror) from error


def has_master_key() -> bool:
    """Whether the file is there."""
    return (folder() / MASTER_KEY).exists()


def make_master_key() -> None:
    """Write a new master key, whole or not at all; one that is there already stays. Raises OSError.

    Only for a database in which nothing is sealed yet.
    """
    path = folder() / MASTER_KEY
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(MASTER_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces: of two processes that start at once, both go on with the first one's.
        with suppress(FileExistsError):
            os.link(draft, path)
        sync_folder(path.parent)
    finally:
        draft.unlink()


def derived_key(purpose: str) -> bytes:
    """32 bytes for one purpose, derived from the master key by HKDF (RFC 5869): the same on every machine that has it.

    Raises CentralError (``master_key``) where its file is missing or none.
    """
    try:
        with (folder() / MASTER_KEY).open("rb") as file:
            master = file.read(MASTER_KEY_BYTES + 1)
    except OSError as error:
        raise CentralError("master_key", file=folder() / MASTER_KEY, reason=error.strerror) from error
    if len(master) != MASTER_KEY_BYTES:
        raise CentralError("master_key", file=folder() / MASTER_KEY, reason=f"it has not {MASTER_KEY_BYTES} bytes")
    return HKDF(SHA256(), MASTER_KEY_BYTES, salt=None, info=purpose.encode("ascii")).derive(master)


def lock_shared() -> None:
    """Use the folder until this process ends. Raises CentralError (``restoring``) during a restore."""
    descriptor = _open_lock()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        raise CentralError("restoring", reason="a backup is being restored") from error


@contextmanager
def locked_alone() -> Iterator[None]:
    """Have the folder alone. Raises CentralError (``serving``) when a server uses it."""
    descriptor = _open_lock()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise CentralError("serving", reason="stop the server first") from error
    finally:
        os.close(descriptor)


def _open_lock() -> int:
    return os.open(folder() / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def sync_folder(path: Path) -> None:
    """Have the names of its files on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
