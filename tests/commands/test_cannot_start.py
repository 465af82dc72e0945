"""The page of a station that cannot start, as far as a terminal of one's own shows it."""

import fcntl
import os
import pty
import struct
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from station.commands.cannot_start import _drop_typed

WITHIN_S = 10.0


@contextmanager
def as_standard_input(descriptor: int) -> Iterator[None]:
    kept = os.dup(0)
    os.dup2(descriptor, 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def waiting(descriptor: int) -> int:
    """How many typed characters wait to be read."""
    (count,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
    return int(count)


def test_what_was_typed_at_the_page_is_no_pin() -> None:
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        os.write(master, b"*123456#")
        deadline = time.monotonic() + WITHIN_S
        while waiting(slave) < len(b"*123456#"):
            assert time.monotonic() < deadline
        with as_standard_input(slave):
            _drop_typed()
        assert waiting(slave) == 0
    finally:
        os.close(master)
        os.close(slave)


def test_without_a_terminal_nothing_is_dropped_and_nothing_fails() -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, b"1")
        with as_standard_input(reading):
            _drop_typed()
        assert os.read(reading, 1) == b"1"
    finally:
        os.close(reading)
        os.close(writing)
