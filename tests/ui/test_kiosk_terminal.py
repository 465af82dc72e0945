"""The kiosk in a real pseudo-terminal: nothing typed ends it, SIGTERM does, and a crash shows nothing."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from station.supervisor import terminal as supervisors_terminal
from ui import palette
from ui.kiosk import STOP_LIMIT_S

CHILD = Path(__file__).with_name("kiosk_child.py")
ROOT = CHILD.parents[2]
DEADLINE_S = 60.0
SECRET = "481516"
BRIGHTER_GREEN, OWN_GREEN = b"\x1b]P200b400\x1b\\", b"\x1b]R\x1b\\"
UNFIT = {"TEXTUAL": "debug", "NO_COLOR": ""}
"""What must not reach Textual from the environment."""


class Terminal:
    """A kiosk and the other end of its terminal."""

    def __init__(self, folder: Path, fault: str = "") -> None:
        self.folder = folder
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.output = b""
        self.process = subprocess.Popen(
            [sys.executable, str(CHILD), str(folder), fault],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=UNFIT | {"TERM": "linux", "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509, no threads here
        )
        self.slave = slave

    def until(self, wanted: Callable[[], Any]) -> None:
        """Read what the kiosk draws until ``wanted``."""
        deadline = time.monotonic() + DEADLINE_S
        while not wanted():
            assert time.monotonic() < deadline, self.output[-2000:]
            self.drain(0.02)

    def drain(self, wait_s: float) -> None:
        while select.select([self.master], [], [], wait_s)[0]:
            self.output += os.read(self.master, 65536)
            wait_s = 0

    def up(self) -> None:
        self.until(lambda: b"Starting: PIN and #." in self.output)

    def typed(self) -> bytes:
        return (self.folder / "typed").read_bytes()

    def until_typed(self, expected: bytes) -> None:
        self.until(lambda: len(self.typed()) >= len(expected))
        assert self.typed() == expected

    def type(self, data: bytes) -> None:
        os.write(self.master, data)

    def ended(self) -> int:
        self.until(lambda: self.process.poll() is not None)
        self.drain(0.05)
        return self.process.returncode

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for descriptor in (self.master, self.slave):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def open_kiosk(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_one(fault: str = "") -> Terminal:
        opened.append(Terminal(tmp_path, fault))
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


def test_a_kiosk_that_was_stopped_begins_nothing_anew(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    begun = kiosk.output.count(b"\x1b[?1049h")
    kiosk.process.send_signal(signal.SIGCONT)
    kiosk.type(b"1")
    kiosk.until_typed(b"1")
    assert kiosk.output.count(b"\x1b[?1049h") == begun == 1


def test_keys_of_a_terminal_and_of_its_number_pad(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    for data, stroke in [
        (b"0123456789*#", b"0123456789*#"),
        (b"\r", b"#"),
        (b"\n", b"#"),
        (b"\x1bOM", b"#"),
        (b"\x7f", b"\b"),
        (b"\x08", b"\b"),
        (b"\x1bOj", b"*"),
        (b"\x1bOp\x1bOq\x1bOy", b"019"),
    ]:
        expected = kiosk.typed() + stroke
        kiosk.type(data)
        kiosk.until_typed(expected)


def test_its_colours_are_the_consoles_own_whatever_the_environment(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    assert b"\x1b[97;40m" in kiosk.output, "bright white on black"
    assert b"\x1b[7;97;40m" in kiosk.output, "letters of cells in reverse video, seen without colours too"
    assert not re.search(rb"[34]8;[25];", kiosk.output), "no colours but the palette's"


def test_nothing_that_is_typed_ends_it(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    kiosk.type(bytes(code for code in range(1, 32) if code not in {8, 10, 13, 27}))
    for sequence in (
        b"\x1b[A",
        b"\x1b[15~",
        b"\x1b[1;5P",
        b"\x1bOS",
        b"\x1b[200~12#\x1b[201~",
        b"qQ:q!",
        b"\x1b[I",
        b"\x1b[O",
    ):
        kiosk.type(sequence)
    kiosk.type(b"7")
    kiosk.until(lambda: kiosk.typed().endswith(b"7"))
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
        os.kill(kiosk.process.pid, number)
    kiosk.type(b"8")
    kiosk.until(lambda: kiosk.typed().endswith(b"8"))
    assert kiosk.typed() == b"78"
    assert kiosk.process.poll() is None


def test_sigterm_ends_it_and_gives_the_terminal_back(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    assert termios.tcgetattr(kiosk.slave) != kiosk.before
    began = time.monotonic()
    kiosk.process.terminate()
    assert kiosk.ended() == 0
    assert time.monotonic() - began < STOP_LIMIT_S, "it does not wait for services that have ended"
    assert termios.tcgetattr(kiosk.slave) == kiosk.before
    assert b"\x1b[?1049l" in kiosk.output
    assert kiosk.output.count(BRIGHTER_GREEN) == 1
    assert kiosk.output.endswith(OWN_GREEN)
    assert b"\x1b[?25h" in kiosk.output
    assert "services ended" in kiosk.log()


def test_services_that_do_not_end_do_not_keep_it(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk("slow")
    kiosk.up()
    kiosk.process.terminate()
    assert kiosk.ended() == 0
    assert termios.tcgetattr(kiosk.slave) == kiosk.before
    assert "services ended" not in kiosk.log()


def test_a_terminal_that_goes_away_ends_it(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    os.close(kiosk.slave)
    os.close(kiosk.master)
    kiosk.slave = kiosk.master = -1
    kiosk.process.wait(DEADLINE_S)
    assert "services ended" in kiosk.log()


@pytest.mark.parametrize(
    "fault", ["services", "press", "press-exit", "exit", "callback", "task", "refresh", "thread", "ending"]
)
def test_a_fault_ends_it_at_once_and_shows_nothing(fault: str, open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk(fault)
    if fault.startswith("press"):
        kiosk.up()
        kiosk.type(b"#")
    if fault == "ending":
        kiosk.up()
        kiosk.process.terminate()
    assert kiosk.ended() == 70
    assert termios.tcgetattr(kiosk.slave) == kiosk.before
    assert SECRET.encode() not in kiosk.output
    assert b"Traceback" not in kiosk.output
    assert b"kiosk_child" not in kiosk.output
    assert kiosk.output.rstrip().endswith(b"\x1b[?1049l\x1b[?25h")
    assert kiosk.output.rfind(OWN_GREEN) > kiosk.output.rfind(BRIGHTER_GREEN) >= 0
    assert SECRET not in kiosk.log()
    if fault == "thread":
        assert "kiosk.panicked" in kiosk.log()
    else:
        assert (
            f"kiosk.crashed type={'SystemExit' if fault.endswith('exit') else 'ValueError'} place=kiosk_child.py:"
            in kiosk.log()
        )


def test_bytes_that_are_no_text_crash_it_instead_of_ending_it_quietly(open_kiosk: Callable[..., Terminal]) -> None:
    """The supervisor filters them; without it a wrong exit status would look like a wish to stop."""
    kiosk = open_kiosk()
    kiosk.up()
    kiosk.type(b"\xff")
    assert kiosk.ended() == 70


def test_key_releases_of_other_terminals_type_nothing(open_kiosk: Callable[..., Terminal]) -> None:
    kiosk = open_kiosk()
    kiosk.up()
    kiosk.type(b"\x1b[50;1:3u7")
    kiosk.until(lambda: kiosk.typed().endswith(b"7") or kiosk.process.poll() is not None)
    assert kiosk.process.poll() in {None, 70}
    assert b"2" not in kiosk.typed()


@pytest.mark.parametrize(
    ("term", "brighter", "own"),
    [
        ("linux", BRIGHTER_GREEN, OWN_GREEN),
        ("xterm-256color", b"\x1b]4;2;rgb:00/b4/00\x1b\\", b"\x1b]104;2\x1b\\"),
    ],
)
def test_a_console_and_other_terminals_have_their_own_way_to_a_brighter_green(
    term: str, brighter: bytes, own: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    assert (palette.brighter_green().encode(), palette.own_green().encode()) == (brighter, own)
    assert own in supervisors_terminal._restore(), "the supervisor puts it back as well"
