"""Who uses a data folder: any number of servers together, or one `restore` alone (flock on ``central.lock``)."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from central import datafolder
from central.errors import CentralError

LOCK_FILE = "central.lock"


class ServerLock:
    """Held until the process ends, also however it ends."""

    @staticmethod
    def share() -> None:
        """Use the folder from now on. Raises CentralError (``restoring``) during a restore."""
        descriptor = _open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            raise CentralError("restoring", reason="a backup is being restored") from error

    @staticmethod
    @contextmanager
    def alone() -> Iterator[None]:
        """Have the folder alone. Raises CentralError (``serving``) when a server uses it."""
        descriptor = _open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise CentralError("serving", reason="stop the server first") from error
        finally:
            os.close(descriptor)


def _open() -> int:
    return os.open(datafolder.folder() / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
