"""`make demo` in a real pseudo-terminal, read with a terminal emulator, from its start to `q`."""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 132, 40
DEADLINE_S = 120.0
FIRST_KEY = re.compile(r"(\d{4}) Anna Apelsin +PIN (\d{6})")


class Terminal:
    """`make demo`, and what its terminal shows."""

    def __init__(self, folder: Path) -> None:
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.output = b""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        # As if installing had just been done: that is another test's matter, and takes minutes.
        make = ["make", "--no-print-directory", "--assume-old=install-program", "demo", f"DEMO_ARGS=--state {folder}"]
        self.process = subprocess.Popen(
            make,
            cwd=ROOT,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=kept | {"TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509, no threads here
        )

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def until(self, wanted: Callable[[], object]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not wanted():
            assert time.monotonic() < deadline, self.text
            if select.select([self._master], [], [], 0.05)[0]:
                piece = os.read(self._master, 65536)
                self.output += piece
                self._stream.feed(piece)

    def ended(self) -> int:
        """Its exit code, once everything that it wrote has been read."""
        self.until(lambda: self.process.poll() is not None)
        while select.select([self._master], [], [], 0)[0]:
            self.output += os.read(self._master, 65536)
        return self.process.returncode

    def shows(self, *texts: str) -> None:
        self.until(lambda: all(text in self.text for text in texts))

    def hang_up(self) -> None:
        """As when its window is closed."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        if self._master >= 0:
            os.close(self._master)
        os.close(self.slave)


@pytest.fixture
def terminal(site: Path) -> Iterator[Terminal]:
    if shutil.which("make") is None or not (ROOT / ".venv/bin/station").exists():
        pytest.skip("make, or the environment that it fills, is not here")
    opened = Terminal(site)
    yield opened
    opened.close()


def test_make_demo(terminal: Terminal) -> None:
    terminal.shows("Press the button on the key and put it in.", "Network: up", "updated")
    found = FIRST_KEY.search(terminal.text)
    assert found is not None
    terminal.type("i")
    terminal.shows("Going home: take the key out.", "Starting: PIN and #.")
    terminal.type(f"*{found[2]}#")
    terminal.shows("ON until")
    terminal.type("p")
    terminal.shows(f"Key {found[1]} is out.")
    terminal.type("q")
    assert terminal.ended() == 0
    # The alternate screen is left, and the terminal is as it was.
    assert terminal.output.rfind(b"\x1b[?1049l") > terminal.output.rfind(b"\x1b[?1049h")
    assert termios.tcgetattr(terminal.slave) == terminal.before


def test_a_window_that_is_closed_ends_it(terminal: Terminal) -> None:
    terminal.shows("Press the button on the key and put it in.")
    terminal.hang_up()
    # `make` keeps the hang-up to itself, and waits for what it has started.
    terminal.process.wait(DEADLINE_S)
