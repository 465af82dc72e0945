"""A program in a pseudo-terminal: what it writes, and when."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from typing import Self

ROWS, COLUMNS = 24, 80
READ_BYTES = 65536
LIMIT_S = 20.0
END_LIMIT_S = 6.0
_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours and movements of the cursor: a text may change its style in the middle."""


class Terminal:
    """Runs ``argv`` in a terminal of 80 by 24. A context manager: the program is ended with it."""

    def __init__(self, argv: Sequence[str]) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
        # Else a station whose modules were never compiled would compile them at each start.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env |= {"TERM": "xterm-256color", "TEXTUAL_DISABLE_KITTY_KEY": "1"}
        self.began_at = time.monotonic()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
                os.execve(argv[0], list(argv), env)  # noqa: S606, a fixed command
            finally:
                os._exit(127)
        self._written = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    def end(self, how: signal.Signals) -> None:
        """End the program, with SIGKILL if it does not. A second time does nothing."""
        if self._terminal < 0:
            return
        os.kill(self.pid, how)
        deadline = time.monotonic() + END_LIMIT_S
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self._read(0.02)
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                break
        os.close(self._terminal)
        self._terminal = -1

    def type(self, text: bytes) -> float:
        """Type ``text``, forgetting what was written so far; when it was typed."""
        self.forget()
        now = time.monotonic()
        os.write(self._terminal, text)
        return now

    def forget(self) -> None:
        """Wait for what is written from now on."""
        while self._read(0.0):
            pass
        self._written.clear()

    def until(self, *marks: bytes) -> float:
        """Wait until one of ``marks`` has been written since `forget`; when it was. Raises TimeoutError."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            at = time.monotonic()
            text = _ESCAPE.sub(b"", self._written)
            if any(mark in text for mark in marks):
                self._written.clear()
                return at
            if not self._read(deadline - at):
                raise TimeoutError(f"the screen does not come to say {marks}: {text[-300:]!r}")

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._terminal], [], [], max(0.0, wait_s))[0]:
            return False
        try:
            data = os.read(self._terminal, READ_BYTES)
        except OSError:
            return False
        self._written += data
        return bool(data)


def module(name: str, *words: str) -> list[str]:
    """The command line that runs a module with this interpreter."""
    return [sys.executable, "-m", name, *words]
