"""Tells systemd how we are: the datagrams of sd_notify(3)."""

import contextlib
import os
from collections.abc import Mapping

_USEC_PER_S = 1_000_000


class Notify:
    """Says nothing where nobody listens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        usec = environment.get("WATCHDOG_USEC", "")
        mine = environment.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
        self.every_s = int(usec) / _USEC_PER_S / 3 if self and mine and usec.isdigit() and int(usec) else None
        """How often `alive` has to be called; None: never."""

    def __bool__(self) -> bool:
        return self._address[:1] in {"/", "@"}

    def ready(self) -> None:
        """The terminal is ours, the kiosk has been started."""
        self._send("READY=1")

    def alive(self) -> None:
        """We still turn."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """We were asked to end."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """A line for ``systemctl status``."""
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
