"""A program in a pseudo-terminal: what it writes, and when."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

ROWS, COLUMNS = 24, 80
READ_BYTES = 65536
FRAME_GAP_S = 0.003
"""What follows within this belongs to the same frame."""
LIMIT_S = 20.0
END_LIMIT_S = 6.0


class Terminal:
    """Runs ``argv`` in a terminal of 80 by 24. A context manager: the program is ended with it."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")}
        # Else a station whose modules were never compiled would compile them at each start.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        env |= {"TERM": "xterm-256color", "TEXTUAL_DISABLE_KITTY_KEY": "1", **(environment or {})}
        self.began_at = time.monotonic()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
                os.execve(argv[0], list(argv), env)  # noqa: S606, a fixed command
            finally:
                os._exit(127)
        self._seen: list[tuple[float, bytes]] = []

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
        self._seen.clear()

    def until(self, *marks: bytes, limit_s: float = LIMIT_S) -> float:
        """Wait for the frame with one of ``marks`` in it; when its last byte came. What came before it is forgotten.

        Raises TimeoutError.
        """
        deadline = time.monotonic() + limit_s
        while (found := self._found(marks)) is None:
            if not self._read(max(0.0, deadline - time.monotonic())):
                tail = b"".join(data for _, data in self._seen)[-300:]
                raise TimeoutError(f"the screen does not come to say {marks}: {tail!r}")
        while self._seen[-1][0] - self._seen[found][0] < FRAME_GAP_S and self._read(FRAME_GAP_S):
            pass
        last = found
        while last + 1 < len(self._seen) and self._seen[last + 1][0] - self._seen[last][0] < FRAME_GAP_S:
            last += 1
        at = self._seen[last][0]
        del self._seen[: last + 1]
        return at

    def _found(self, marks: Sequence[bytes]) -> int | None:
        """The piece that one of ``marks`` ends in."""
        before = b""
        for number, (_, data) in enumerate(self._seen):
            if any(mark in before + data for mark in marks):
                return number
            before = data[-max(map(len, marks)) :]
        return None

    def _read(self, wait_s: float) -> bool:
        if not select.select([self._terminal], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self._terminal, READ_BYTES)
        except OSError:
            return False
        self._seen.append((time.monotonic(), data))
        return bool(data)


def station_command(*words: str) -> list[str]:
    """The command line of a `station` command, as installed beside this interpreter or as its module."""
    program = Path(sys.executable).with_name("station")
    return [str(program), *words] if program.exists() else [sys.executable, "-m", "station", *words]
