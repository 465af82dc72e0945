"""A keypad that is read as a Linux input device (evdev), beside the terminal. It may be unplugged and come back.

Two ioctls and a struct of ``linux/input.h``: the packages that wrap them have to be compiled on the station.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from station.supervisor.key_filter import BACKSPACE, ENTER
from station.supervisor.restart_chord import HELD_S

RETRY_EVERY_S = 1.0

EV_SYN, EV_KEY, SYN_DROPPED = 0, 1, 3
RELEASED, PRESSED = 0, 1
"""Values of a key's event; 2 is a repeat, which nobody needs here."""
_EVENT = struct.Struct("@llHHi")
"""``struct input_event``: ``struct timeval``, type, code, value; in the machine's own sizes."""
_EVIOCGRAB = 0x40044590
"""``_IOW('E', 0x90, int)``: from now on nobody else, the console among them, hears this device."""
_READ_EVENTS = 64

_TOP_ROW = {11: 0} | {1 + digit: digit for digit in range(1, 10)}
_NUMBER_PAD = {82: 0, 79: 1, 80: 2, 81: 3, 75: 4, 76: 5, 77: 6, 71: 7, 72: 8, 73: 9}
_WITHOUT_NUM_LOCK = {110: 0, 107: 1, 108: 2, 109: 3, 105: 4, 355: 5, 106: 6, 102: 7, 103: 8, 104: 9}
"""What pads send that keep their own NumLock, while it is off: KEY_INSERT, KEY_END, KEY_DOWN, ... KEY_PAGEUP."""
_TELEPHONE = {0x200 + digit: digit for digit in range(10)}
DIGITS = _TOP_ROW | _NUMBER_PAD | _WITHOUT_NUM_LOCK | _TELEPHONE
"""Key codes of ``linux/input-event-codes.h``: KEY_0 to KEY_9, KEY_KP0 to KEY_KP9, KEY_NUMERIC_0 to KEY_NUMERIC_9."""
STROKES = {code: str(digit).encode() for code, digit in DIGITS.items()} | {
    28: ENTER,  # KEY_ENTER
    96: ENTER,  # KEY_KPENTER
    14: BACKSPACE,  # KEY_BACKSPACE
    111: BACKSPACE,  # KEY_DELETE
    55: b"*",  # KEY_KPASTERISK
    0x20A: b"*",  # KEY_NUMERIC_STAR
    0x20B: b"#",  # KEY_NUMERIC_POUND
}
_SHIFTS = frozenset({42, 54})
"""KEY_LEFTSHIFT, KEY_RIGHTSHIFT."""
SHIFTED = dict.fromkeys(_TOP_ROW, b"") | {4: b"#", 9: b"*"}
"""Keypads with a `#` and a `*` send them as an American keyboard does: Shift and 3, Shift and 8. Other shifted keys of
that row are no digits."""


class InputEvent(NamedTuple):
    """One event; for a key, ``value`` is 0 released, 1 pressed, 2 repeated."""

    type: int
    code: int
    value: int


class EventDecoder:
    """Puts events together from the bytes of a device."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[InputEvent]:
        """The events that are whole now; less than one is kept."""
        data = self._rest + data
        whole = len(data) // _EVENT.size * _EVENT.size
        self._rest = data[whole:]
        for _seconds, _microseconds, type_, code, value in _EVENT.iter_unpack(data[:whole]):
            yield InputEvent(type_, code, value)


class PressedKeys:
    """Turns presses and releases into the strokes of a terminal, and tells when 0 + 2 have been down for 2 s.

    Reads no clock.
    """

    def __init__(self) -> None:
        self._down: dict[int, int] = {}
        """Code and digit of those keys of the chord that are down."""
        self._shifts: set[int] = set()
        """Those that are down."""
        self._both_since: float | None = None
        self._was_heard = False
        """A chord has been heard, and not all of its keys have been released."""

    def stroke(self, code: int, value: int, now: float) -> bytes:
        """The stroke of this event of a key, or nothing."""
        if code in _SHIFTS:
            (self._shifts.discard if value == RELEASED else self._shifts.add)(code)
        digit = DIGITS.get(code)
        if digit in {0, 2}:
            if value == PRESSED:
                self._down[code] = digit
            elif value == RELEASED:
                self._down.pop(code, None)
            if set(self._down.values()) != {0, 2}:
                self._both_since = None
            elif self._both_since is None and not self._was_heard:
                self._both_since = now
            if self._was_heard:
                self._was_heard = bool(self._down)
                return b""
        if value != PRESSED:
            return b""
        stroke = STROKES.get(code, b"")
        return SHIFTED.get(code, stroke) if self._shifts else stroke

    def forget(self) -> None:
        """Forget which keys are down: the device has dropped events, or is gone."""
        self._down.clear()
        self._shifts.clear()
        self._both_since, self._was_heard = None, False

    @property
    def due_at(self) -> float | None:
        """When `chord` has to be asked again; None while not both keys are down."""
        return None if self._both_since is None else self._both_since + HELD_S

    def chord(self, now: float) -> bool:
        """Whether both keys have been down for 2 s; once for each time that they are pressed."""
        if self.due_at is None or now < self.due_at:
            return False
        self._both_since, self._was_heard = None, True
        return True


class Keypad:
    """The device at ``path``, taken for ourselves alone as soon as it is there."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._decoder = EventDecoder()
        self._keys = PressedKeys()
        self._retry_at = 0.0
        self.descriptor: int | None = None

    def try_to_open(self, now: float) -> bool:
        """Try to open it if it is time; whether it has been opened by this."""
        if self.descriptor is not None or now < self._retry_at:
            return False
        self._retry_at = now + RETRY_EVERY_S
        try:
            self.descriptor = _open_grabbed(self._path)
        except OSError:
            return False
        self._decoder = EventDecoder()
        return True

    def read(self, now: float) -> bytes:
        """Read the strokes that were typed on it. Afterwards ``descriptor`` may be None: it is gone."""
        if self.descriptor is None:
            return b""
        try:
            data = os.read(self.descriptor, _READ_EVENTS * _EVENT.size)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.close()
            return b""
        strokes = b""
        for event in self._decoder.feed(data):
            if event.type == EV_KEY:
                strokes += self._keys.stroke(event.code, event.value, now)
            elif event.type == EV_SYN and event.code == SYN_DROPPED:
                self._keys.forget()
        return strokes

    @property
    def due_at(self) -> float:
        """When to call `try_to_open` or `chord` again."""
        if self.descriptor is None:
            return self._retry_at
        due_at = self._keys.due_at
        return float("inf") if due_at is None else due_at

    def chord(self, now: float) -> bool:
        """Whether 0 + 2 have been held on it for 2 s."""
        return self._keys.chord(now)

    def close(self) -> None:
        """Let go of it; the kernel gives it back to the console."""
        self._keys.forget()
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def _open_grabbed(path: str) -> int:
    """A descriptor of the device, which does not block. Raises OSError, also when another program has grabbed it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _EVIOCGRAB, 1)
    except OSError as error:
        # A pipe of recorded events has nothing to grab.
        if error.errno not in {errno.ENOTTY, errno.EINVAL}:
            os.close(descriptor)
            raise
    return descriptor
