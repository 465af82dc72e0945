"""The folder that a central server keeps everything in: the database and, in files of mode 0600, what is secret.

::

    central.sqlite3          everything but secrets
    server.key               32 random bytes: Django's secret key, codes and tokens are derived from it
    site-<number>/signing-<n>.key   the seed of the site's n-th Ed25519 key, 32 bytes
    site-<number>/pin-salt.key          the site salt of PIN tags, 16 bytes
    site-<number>/pepper-<version>.key  the pepper of one version of PIN tags, 32 bytes
    central.lock             used by any number of servers together, or by one restore alone (flock)
"""

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from central.errors import CentralError

DATA_VARIABLE = "CENTRAL_DATA"
DEFAULT_FOLDER = "central-data"
SERVER_KEY_BYTES = 32
SECRET_LIMIT_BYTES = 4096
LOCK_FILE = "central.lock"


def folder() -> Path:
    """Where this process keeps its data: the environment's CENTRAL_DATA, else ``./central-data``."""
    return Path(os.environ.get(DATA_VARIABLE) or DEFAULT_FOLDER).resolve()


def prepare(path: Path) -> None:
    """Make ``path`` this process's data folder, with its server key, readable by its owner alone.

    Raises CentralError (``data_folder``) when that is not possible.
    """
    os.umask(0o077)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[DATA_VARIABLE] = str(path.resolve())
        keep_secret("server.key", secrets.token_bytes(SERVER_KEY_BYTES))
    except OSError as error:
        raise CentralError("data_folder", path=path, reason=error.strerror) from error


def keep_secret(name: str, content: bytes) -> bytes:
    """Write a new secret file, whole or not at all, and return it; what is there already stays and is returned.

    ``name`` is relative to the data folder. Raises OSError.
    """
    path = folder() / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            # A link never replaces: of two processes that start at once, both go on with the first one's secret.
            os.link(draft, path)
            _sync_folder(path.parent)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return read_secret(name)


def read_secret(name: str) -> bytes:
    """A secret file of the data folder. Raises OSError where there is none."""
    with (folder() / name).open("rb") as file:
        return file.read(SECRET_LIMIT_BYTES)


def destroy_secret(name: str) -> None:
    """Take a secret file away, if it is there. Raises OSError."""
    path = folder() / name
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def derived_key(purpose: str) -> bytes:
    """32 bytes for one purpose, derived from the server key. Raises OSError before `prepare`."""
    return hmac.digest(read_secret("server.key"), purpose.encode("ascii"), hashlib.sha256)


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


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
