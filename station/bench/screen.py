"""The kiosk as a program: how soon it paints a key press, how soon it stands there, how much memory it has.

Each against a bare Textual app with one widget, in turn.
"""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from station.bench.bare_app import READY_MARK, TYPED_MARK
from station.bench.figures import Figure, Found, NotMeasured, Say, paired
from station.bench.place import EMPTY_MARK, PROMPT_MARK, BenchPlace
from station.bench.terminal import Terminal, station_command

BARE = (sys.executable, "-m", "station.bench.bare_app")
NO_TIME_MARK = b"no time"
"""On the screen of a station that has no central and no clock to trust."""
GAP_S = 0.03
"""Between two presses."""
FIRST_PRESSES = 6
"""Those pay for what is filled once."""
PIN_DIGITS = 6
SETTLED_S = 1.0
KIB = 1024


def start(config_file: Path, samples: int, say: Say) -> Figure:
    """``start``: from the command to the empty screen, against the bare app's from its command to its widget."""
    say("start")
    ours, against = [], []
    for number in range(samples + 1):
        kiosk_s = _started_s(station_command("run", "--config", str(config_file)), EMPTY_MARK, NO_TIME_MARK)
        bare_s = _started_s(list(BARE), READY_MARK.encode())
        if number:  # the first one reads the programs from the disk
            ours.append(1000 * kiosk_s)
            against.append(1000 * bare_s)
    return paired(ours, against, "ms")


def _started_s(command: list[str], *marks: bytes) -> float:
    with Terminal(command) as terminal:
        took_s = terminal.until(*marks) - terminal.began_at
        terminal.end(signal.SIGKILL)
        return took_s


def memory(config_file: Path, samples: int, say: Say) -> Found:
    """``memory``: what the supervisor and the kiosk have for themselves, with their share of what they share."""
    say("memory")
    if not Path("/proc/self/smaps_rollup").exists():
        return NotMeasured("this system does not tell how much memory a process has (smaps_rollup)")
    ours, against = [], []
    with (
        Terminal(station_command("run", "--config", str(config_file))) as kiosk,
        Terminal(list(BARE)) as bare,
    ):
        kiosk.until(EMPTY_MARK, NO_TIME_MARK)
        bare.until(READY_MARK.encode())
        _let_go_on(SETTLED_S, kiosk, bare)
        for _ in range(samples):
            ours.append(_memory_mib(kiosk.pid))
            against.append(_memory_mib(bare.pid))
            _let_go_on(GAP_S, kiosk, bare)
    return paired(ours, against, "MiB")


def _let_go_on(seconds: float, *terminals: Terminal) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for terminal in terminals:
            terminal.forget()
        time.sleep(GAP_S)


def _memory_mib(pid: int) -> float:
    """Of a process and its children: resident pages, those that several map divided among them (proc(5), Pss)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / KIB
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return own + sum(_memory_mib(int(child)) for child in children)


def key_to_paint(place: BenchPlace, samples: int, say: Say) -> Figure:
    """``key_to_paint``: from a digit at the prompt to its box, against the bare app's mark for the same digit."""
    say("key to paint")
    with place.kiosk() as kiosk, Terminal(list(BARE)) as bare:
        bare.until(READY_MARK.encode())
        place.line.insert(place.next_person().folder)
        kiosk.until(PROMPT_MARK)
        place.line.until_quiet(0.12)
        mark = TYPED_MARK.encode()
        press_kiosk, press_bare = _presser(kiosk, mark), _presser(bare, mark)
        ours, against = [], []
        for number in range(max(samples, 3 * PIN_DIGITS) + FIRST_PRESSES):
            pair = press_kiosk(), press_bare()
            if number >= FIRST_PRESSES:
                ours.append(1000 * pair[0])
                against.append(1000 * pair[1])
    return paired(ours, against, "ms")


def _presser(terminal: Terminal, mark: bytes) -> Callable[[], float]:
    """Presses a digit and waits for its mark; starts over after as many as a PIN has."""
    pressed = 0

    def press() -> float:
        nonlocal pressed
        if pressed == PIN_DIGITS:
            terminal.type(b"*")
            pressed = 0
        pressed += 1
        time.sleep(GAP_S)
        began = terminal.type(b"5")
        return terminal.until(mark) - began

    return press
