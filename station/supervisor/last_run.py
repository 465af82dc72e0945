"""Remembers on the disk that a supervisor runs, so that the next one knows of a death that nobody told it of."""

import contextlib
import os
from pathlib import Path

FILE_NAME = "supervisor.boot"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_FILE_LIMIT_BYTES = 64


class LastRun:
    """A file in ``folder`` with the boot's id while a supervisor runs. What cannot be read or written is nothing."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._boot = _content(BOOT_ID)

    def begin(self) -> bool:
        """Whether the supervisor before this one was killed in this same boot: no power has failed then."""
        was_killed = bool(self._boot) and _content(self._path) == self._boot
        with contextlib.suppress(OSError):
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(file, self._boot)
            finally:
                os.close(file)
        return was_killed

    def end(self) -> None:
        """We end because somebody has told us to."""
        with contextlib.suppress(OSError):
            self._path.unlink()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_LIMIT_BYTES)
    except OSError:
        return b""
