"""A keypad that is read as an input device, beside the terminal. It may be unplugged and come back."""

import os

from station.supervisor import input_events
from station.supervisor.held_keys import HeldKeys
from station.supervisor.input_events import EV_KEY, EV_SYN, SYN_DROPPED, InputEvents

AGAIN_S = 1.0


class Keypad:
    """The device at ``path``, taken for ourselves alone as soon as it is there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._events = InputEvents()
        self._keys = HeldKeys()
        self._again_at = 0.0
        self.descriptor: int | None = None

    def open(self, now: float) -> bool:
        """Try to open it if it is time; whether it has been opened by this."""
        if self.descriptor is not None or now < self._again_at:
            return False
        self._again_at = now + AGAIN_S
        try:
            self.descriptor = input_events.open_device(self._path)
        except OSError:
            return False
        self._events = InputEvents()
        return True

    def read(self, now: float) -> bytes:
        """The strokes that were typed on it. Afterwards ``descriptor`` may be None: it is gone."""
        if self.descriptor is None:
            return b""
        try:
            data = input_events.read(self.descriptor)
        except (OSError, EOFError):
            self.close()
            return b""
        strokes = b""
        for event in self._events.feed(data):
            if event.type == EV_KEY:
                strokes += self._keys.key(event.code, event.value, now)
            elif event.type == EV_SYN and event.code == SYN_DROPPED:
                self._keys.lost()
        return strokes

    @property
    def due_at(self) -> float:
        """When to call `open` or `chord` again."""
        if self.descriptor is None:
            return self._again_at
        due_at = self._keys.due_at
        return float("inf") if due_at is None else due_at

    def chord(self, now: float) -> bool:
        """Whether 0 + 2 have been held on it for 2 s."""
        return self._keys.chord(now)

    def close(self) -> None:
        """Let go of it; the kernel gives it back to the console."""
        self._keys.lost()
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
