"""Signals as bytes on a pipe (signal.set_wakeup_fd), so that the supervisor's one wait hears them in order."""

import contextlib
import os
import signal
from collections.abc import Iterator

HEARD = (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGUSR1)
IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU)
"""A station is not ended from its keypad."""
_READ_BYTES = 256


class SignalPipe:
    """Hears the signals that the supervisor acts on, and ignores those of a keyboard, until `close`."""

    def __init__(self) -> None:
        self.descriptor, self._write = os.pipe()
        for end in (self.descriptor, self._write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in HEARD:
            signal.signal(number, lambda _number, _frame: None)
        for number in IGNORED:
            signal.signal(number, signal.SIG_IGN)

    def read(self) -> Iterator[int]:
        """The signals that have come since the last time."""
        with contextlib.suppress(BlockingIOError):
            yield from os.read(self.descriptor, _READ_BYTES)

    def close(self) -> None:
        """Let go of the pipe. What ends us must not come between us and the end any more: endings stay unheard."""
        signal.set_wakeup_fd(-1)
        os.close(self.descriptor)
        os.close(self._write)
