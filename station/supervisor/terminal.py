"""The terminal that the station stands on: raw while we run, as it was before when we end. Writing never blocks."""

import contextlib
import fcntl
import os
import select
import struct
import termios
from typing import Any, NamedTuple, Self

READ_BYTES = 16384
OUTPUT_LIMIT_BYTES = 65536
"""More than one full screen of the largest console; beyond it the kiosk has to wait for the terminal."""
CLOSE_LIMIT_S = 0.5

_CANCEL = b"\x18"
"""Ends a sequence of which the terminal has only the first half."""
_RESTORE = (
    b"\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\x1b[?2048l\x1b[?2026l\x1b[?7h\x1b>\x1b[0m"
)
"""Paste brackets, mouse, focus and size reports, held-back drawing off; line wrap, plain number pad and colours on."""
_OWN_GREEN, _OWN_GREEN_CONSOLE = b"\x1b]104;2\x1b\\", b"\x1b]R\x1b\\"
"""The kiosk has made the palette's green brighter."""
_DARK_SCREEN = b"\x1b[?1049h\x1b[?25l\x1b[2J"
"""The alternate screen, no cursor, dark."""
_MAIN_SCREEN = b"\x1b[?1049l\x1b[?25h"
_MAIN_SCREEN_CONSOLE = b"\x1b[2J\x1b[H" + _MAIN_SCREEN
"""The Linux console has had no alternate screen for most of its life: nothing of ours is to stay on it."""


class Size(NamedTuple):
    """The size of a terminal in characters."""

    columns: int
    rows: int


class Terminal:
    """The controlling terminal. `open` makes it raw; `close` gives it back, whatever happens to it meanwhile."""

    def __init__(self, descriptor: int, *, shared: bool) -> None:
        self.descriptor = descriptor
        self._shared = shared
        self._before: list[Any] = termios.tcgetattr(descriptor)
        self._output = bytearray()
        self.is_gone = False
        """It was hung up."""

    @classmethod
    def open(cls, descriptor: int) -> Self:
        """Open the terminal that ``descriptor`` is. Raises OSError or termios.error when it is none."""
        try:
            # A description of our own: not blocking is nobody else's business.
            own = os.open(os.ttyname(descriptor), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
            shared = False
        except OSError:
            own = os.dup(descriptor)
            os.set_blocking(own, False)
            shared = True
        terminal = cls(own, shared=shared)
        terminal.make_raw()
        return terminal

    def make_raw(self) -> None:
        """Make it give every byte as it is typed, without echo and signals."""
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self.descriptor, termios.TCSANOW, raw(self._before))

    @property
    def size(self) -> Size:
        """Its size now; a serial line does not say, and counts as 80 by 24."""
        try:
            rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.descriptor, termios.TIOCGWINSZ, bytes(8)))
        except OSError:
            rows = columns = 0
        return Size(columns or 80, rows or 24)

    def read(self) -> bytes:
        """Read what was typed; empty when there is nothing, or the terminal is gone."""
        try:
            data = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        self.is_gone = self.is_gone or not data
        return data

    @property
    def is_behind(self) -> bool:
        """Whether it has not taken what it was given."""
        return bool(self._output)

    @property
    def is_full(self) -> bool:
        """Whether it should be given nothing more for now."""
        return len(self._output) >= OUTPUT_LIMIT_BYTES

    def write(self, data: bytes) -> None:
        """Write ``data``, the rest of it when `flush` is called."""
        self._output += data
        self.flush()

    def flush(self) -> None:
        """Write what it takes now."""
        while self._output:
            try:
                del self._output[: os.write(self.descriptor, self._output)]
            except BlockingIOError:
                return
            except OSError:
                self.is_gone = True
                self._output.clear()

    def show(self, screen: bytes) -> None:
        """Undo what a kiosk has set, drop what it still had to write, and show ``screen`` on a dark one."""
        self.make_raw()
        self._output.clear()
        self.write(_CANCEL + _restore() + _DARK_SCREEN + screen)

    def close(self) -> None:
        """Give the terminal back as it was. Never raises, and never waits for long."""
        self._output.clear()
        self.write(_CANCEL + _restore() + (_MAIN_SCREEN_CONSOLE if _is_console() else _MAIN_SCREEN))
        poll = select.poll()
        poll.register(self.descriptor, select.POLLOUT)
        if self._output and not self.is_gone and poll.poll(CLOSE_LIMIT_S * 1000):
            self.flush()
        with contextlib.suppress(termios.error, OSError):
            # What was typed for the kiosk is not for the shell.
            termios.tcflush(self.descriptor, termios.TCIFLUSH)
            termios.tcsetattr(self.descriptor, termios.TCSANOW, self._before)
        if self._shared:
            os.set_blocking(self.descriptor, True)
        os.close(self.descriptor)


def _is_console() -> bool:
    return os.environ.get("TERM") == "linux"


def _restore() -> bytes:
    return _RESTORE + (_OWN_GREEN_CONSOLE if _is_console() else _OWN_GREEN)


def set_size(terminal: int, size: Size) -> None:
    """Make the pseudo-terminal ``terminal`` so large; who runs in it gets SIGWINCH when that is a change."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))


def raw(attributes: list[Any]) -> list[Any]:
    """``attributes`` of termios with everything off that changes bytes or makes signals of them (cfmakeraw)."""
    iflag, oflag, cflag, lflag, ispeed, ospeed, cc = attributes
    iflag &= ~(
        termios.IGNBRK
        | termios.BRKINT
        | termios.PARMRK
        | termios.INPCK
        | termios.ISTRIP
        | termios.INLCR
        | termios.IGNCR
        | termios.ICRNL
        | termios.IXON
    )
    oflag &= ~termios.OPOST
    cflag = (cflag & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
    lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
    cc = list(cc)
    cc[termios.VMIN], cc[termios.VTIME] = 1, 0
    return [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]
