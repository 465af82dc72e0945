"""The kiosk's heartbeat as the supervisor sees it: a byte now and then on a pipe. Silence means that it is stuck."""

import os

SILENCE_LIMIT_S = 5.0
START_LIMIT_S = 30.0
"""The first start on a small board, without compiled modules, takes 15 s; ten of these are less than ten minutes."""
_READ_BYTES = 4096


class Pulse:
    """When it last beat. Reads no clock."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self.first_at: float | None = None
        self._last_at: float | None = None

    def beat(self, now: float) -> None:
        """It has beaten."""
        if self.first_at is None:
            self.first_at = now
        self._last_at = now

    @property
    def due_at(self) -> float:
        """When it counts as stuck unless it beats before."""
        return self._started_at + START_LIMIT_S if self._last_at is None else self._last_at + SILENCE_LIMIT_S

    def lived_s(self, now: float) -> float:
        """How long it has been beating."""
        return 0.0 if self.first_at is None else now - self.first_at


def drain(descriptor: int) -> bool | None:
    """Whether there was a beat in the pipe; None when the other end is closed."""
    try:
        return bool(os.read(descriptor, _READ_BYTES)) or None
    except BlockingIOError:
        return False
    except OSError:
        return None
