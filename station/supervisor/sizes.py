"""The size of a terminal."""

import fcntl
import struct
import termios
from typing import NamedTuple


class Size(NamedTuple):
    """In characters."""

    columns: int
    rows: int


def set_size(terminal: int, size: Size) -> None:
    """Make the pseudo-terminal ``terminal`` so large; who runs in it gets SIGWINCH when that is a change."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))
