"""What the supervisor reports: lines of a log, and its state to systemd."""

import contextlib
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_USEC_PER_S = 1_000_000


class Log:
    """Appends lines to standard error under systemd, else, as that is the screen, to the kiosk's log file.

    What cannot be written is dropped: the station goes on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, level: str, event: str, **fields: object) -> None:
        """Write one line: ``event`` and its fields. Never what was typed."""
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


class Systemd:
    """Sends the datagrams of sd_notify(3). False, and silent, when we were not started by systemd."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
        self.is_watched = bool(self) and mine and usec.isdigit() and int(usec) > 0
        """Whether systemd kills us when we hang."""
        self._every_s = int(usec) / _USEC_PER_S / 3 if self.is_watched else float("inf")
        self.watchdog_due_at = 0.0 if self.is_watched else float("inf")
        """When `watchdog` has to be called."""

    def __bool__(self) -> bool:
        return self._address[:1] in {"/", "@"}

    def ready(self) -> None:
        """Tell that the terminal is ours and the kiosk has been started."""
        self._send("READY=1")

    def watchdog(self, now: float) -> None:
        """Tell, three times in each of the unit's WatchdogSec, that the loop still turns."""
        if now >= self.watchdog_due_at:
            self.watchdog_due_at = now + self._every_s
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Tell that we were asked to end."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Set the line that ``systemctl status`` shows."""
        self._send(f"STATUS={text}")

    def _send(self, message: str) -> None:
        if not self:
            return
        # Only under systemd.
        import socket  # noqa: PLC0415

        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as there,
        ):
            there.sendto(message.encode(), address)
