"""A real supervisor in a real pseudo-terminal, and the hands and eyes in front of it."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from station.supervisor.restart_chord import QUIET_S

ROOT = Path(__file__).parents[2]
FAKE_KIOSK = Path(__file__).with_name("fake_kiosk.py")
RUN_SUPERVISOR = Path(__file__).with_name("run_supervisor.py")
DEADLINE_S = 60.0
REPEAT_S = 0.04
HEARD_WITHIN_S = 1.5
"""What a busy machine may take to hear a hold that is over: thirty times what an idle one does."""
HOLDS = 4
RESTARTING = "Restarting …"


class Terminal:
    """A terminal in which a supervisor runs ``command``, in ``folder`` with its ``station.toml``."""

    def __init__(self, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.master, self.slave = pty.openpty()
        self.resize(80, 24)
        self.before = termios.tcgetattr(self.slave)
        self.output = b""
        self.seen_at = 0
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            list(command),
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env={
                "TERM": "xterm-256color",
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "TEXTUAL": "debug",
                **environment,
            },
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509, no threads here
        )

    # --- eyes ---

    def drain(self, wait_s: float) -> None:
        # A flood must not keep the hands from moving.
        for _ in range(8):
            if not select.select([self.master], [], [], wait_s)[0]:
                return
            try:
                data = os.read(self.master, 65536)
            except OSError:  # every other end is closed
                return
            self.output += data
            wait_s = 0

    def until(self, wanted: Callable[[], Any], limit_s: float = DEADLINE_S) -> Any:
        """Look at the screen until ``wanted`` gives something."""
        deadline = time.monotonic() + limit_s
        while not (found := wanted()):
            assert time.monotonic() < deadline, (self.output[-2000:], self.log())
            self.drain(0.01)
        return found

    def sees(self, text: str | bytes, limit_s: float = DEADLINE_S) -> float:
        """Wait for ``text``, after what was waited for before; the time at which it was there."""
        wanted = text.encode() if isinstance(text, str) else text
        self.until(lambda: wanted in self.output[self.seen_at :], limit_s)
        self.seen_at = self.output.index(wanted, self.seen_at) + len(wanted)
        return time.monotonic()

    # --- hands ---

    def type(self, data: bytes) -> None:
        """Type ``data``; what the terminal cannot take yet waits, while somebody looks at the screen."""
        os.set_blocking(self.master, False)
        deadline = time.monotonic() + DEADLINE_S
        while data:
            assert time.monotonic() < deadline
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self.master, data) :]
            self.drain(0)
            if data:
                select.select([self.master], [self.master], [], 0.05)

    def holds(self, first: bytes, second: bytes, for_s: float) -> None:
        """Hold two keys for so long, as a terminal tells it."""
        end = time.monotonic() + for_s
        self.type(first)
        self.type(second)
        self._wait(0.3)
        while time.monotonic() < end:
            self.type(second)
            self._wait(REPEAT_S)

    def holds_until(self, first: bytes, second: bytes, text: str | bytes) -> float:
        """Hold two keys until ``text`` is to be seen; how long that took after the 2 s of the hold.

        A machine that stands still for a quarter of a second has let the keys go, as a terminal tells it: whoever sees
        nothing come of it holds them once more.
        """
        wanted = text.encode() if isinstance(text, str) else text
        self.drain(0)
        self.seen_at = len(self.output)
        for _ in range(HOLDS):
            self.type(first)
            self.type(second)
            began_at = time.monotonic()
            self._wait(0.3)
            while wanted not in self.output[self.seen_at :] and time.monotonic() - began_at < 2.0 + HEARD_WITHIN_S:
                self.type(second)
                self.drain(REPEAT_S)
            if wanted not in self.output[self.seen_at :]:
                self._wait(QUIET_S + REPEAT_S)
            if wanted in self.output[self.seen_at :]:
                self.seen_at = self.output.index(wanted, self.seen_at) + len(wanted)
                return time.monotonic() - began_at - 2.0
        raise AssertionError(self.output[-2000:], self.log())

    def until_noise_is_over(self) -> None:
        """Wait until all that was typed has been taken, and nothing more has come of it for 2 s."""
        before, since = (-1, b""), time.monotonic()
        deadline = since + DEADLINE_S
        while time.monotonic() < since + 2.0:
            assert time.monotonic() < deadline
            self.drain(0.01)
            waiting = struct.unpack("i", fcntl.ioctl(self.slave, termios.FIONREAD, bytes(4)))[0]
            now = (waiting, self.typed())
            if waiting or now != before:
                before, since = now, time.monotonic()

    def _wait(self, wait_s: float) -> None:
        end = time.monotonic() + wait_s
        while (rest_s := end - time.monotonic()) > 0:
            self.drain(rest_s)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    # --- what there is ---

    @property
    def child(self) -> int | None:
        """The process id of what it supervises now."""
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except FileNotFoundError:
            return None
        return int(children[0]) if children else None

    def until_another_than(self, pid: int | None) -> None:
        """Wait until ``pid`` is no longer what it supervises."""
        self.until(lambda: self.child != pid)

    def log(self) -> str:
        path = self.folder / "station.log"
        return path.read_text() if path.exists() else ""

    def times(self) -> list[float]:
        return [float(line) for line in (self.folder / "times").read_text().splitlines()]

    def starts(self) -> list[str]:
        path = self.folder / "starts"
        return path.read_text().splitlines() if path.exists() else []

    def typed(self) -> bytes:
        path = self.folder / "typed"
        return path.read_bytes() if path.exists() else b""

    def ended(self, limit_s: float = DEADLINE_S) -> int:
        self.until(lambda: self.process.poll() is not None, limit_s)
        self.drain(0.05)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            child = self.child
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            if child is not None:
                # It must not outlive its supervisor; a test that finds it otherwise says so itself.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        for descriptor in (self.master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)
        self.master = self.slave = -1


Open = Callable[..., Terminal]
"""Of the fixture ``open_terminal``."""


def supervised_fake(folder: Path, mode: str = "") -> list[str]:
    """A supervisor with the fake kiosk of that mode."""
    return [
        sys.executable,
        str(RUN_SUPERVISOR),
        str(folder),
        sys.executable,
        str(FAKE_KIOSK),
        str(folder),
        mode,
    ]


def alive(pid: int) -> bool:
    """Whether there is such a process, other than as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
