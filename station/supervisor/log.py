"""The supervisor's own few lines: to standard error under systemd, else, as that is the screen, to the kiosk's log."""

import contextlib
import os
import sys
import time
from pathlib import Path


class Log:
    """Appends lines of the form of the kiosk's. What cannot be written is dropped: the station goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def say(self, level: str, event: str, **fields: object) -> None:
        """One line: ``event`` and its fields. Never what was typed."""
        now = time.time()
        words = " ".join([event, *(f"{name}={value}" for name, value in fields.items())])
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
        line = f"{stamp},{int(now % 1 * 1000):03} {level} station.supervisor {words}\n".encode()
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if not os.isatty(sys.__stderr__.fileno()):  # type: ignore[union-attr]
                os.write(sys.__stderr__.fileno(), line)  # type: ignore[union-attr]
                return
        with contextlib.suppress(OSError):
            # Opened for each line, so that it may be rotated away.
            log = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(log, line)
            finally:
                os.close(log)
