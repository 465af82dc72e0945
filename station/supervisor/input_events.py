"""The kernel's input events (``struct input_event`` of ``linux/input.h``), from a device taken for ourselves alone.

Two ioctls and a struct: the packages that wrap them have to be compiled on the station.
"""

import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

_EVENT = struct.Struct("@llHHi")
"""``struct timeval``, type, code, value; in the machine's own sizes."""
EV_SYN, EV_KEY, SYN_DROPPED = 0, 1, 3
_EVIOCGRAB = 0x40044590
"""``_IOW('E', 0x90, int)``: from now on nobody else, the console among them, hears this device."""
_READ_EVENTS = 64


class InputEvent(NamedTuple):
    """One event; for a key, ``value`` is 0 released, 1 pressed, 2 repeated."""

    type: int
    code: int
    value: int


class InputEvents:
    """Puts events together from what a descriptor gives."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[InputEvent]:
        """The events that are whole now; less than one is kept."""
        data = self._rest + data
        whole = len(data) // _EVENT.size * _EVENT.size
        self._rest = data[whole:]
        for _seconds, _microseconds, type_, code, value in _EVENT.iter_unpack(data[:whole]):
            yield InputEvent(type_, code, value)


def open_device(path: str) -> int:
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


def read(descriptor: int) -> bytes:
    """What there is; empty when there is nothing now. Raises OSError when the device is gone, EOFError for a pipe."""
    try:
        data = os.read(descriptor, _READ_EVENTS * _EVENT.size)
    except BlockingIOError:
        return b""
    if not data:
        raise EOFError
    return data
