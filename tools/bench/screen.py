"""The kiosk as a program: how soon it paints a key press, how soon it stands there, how much memory it has.

Each against a bare Textual app with one widget, in turn.
"""

import signal
import time
from pathlib import Path

from tools.bench.bare_app import READY_MARK, TYPED_MARK
from tools.bench.figures import Figure, paired
from tools.bench.site import EMPTY_MARK, PROMPT_MARK, BenchSite
from tools.bench.terminal import Terminal, module

BARE = module("tools.bench.bare_app")
GAP_S = 0.03
"""Between two presses."""
FIRST_PRESSES = 6
"""Those pay for what is filled once."""
PIN_DIGITS = 6
SETTLED_S = 1.0
KIB = 1024


def start(site: BenchSite, samples: int) -> Figure:
    """``start``: from the command to the empty screen, against the bare app's from its command to its widget."""
    ours, against = [], []
    for number in range(samples + 1):
        pair = _started_ms(site.command(), EMPTY_MARK), _started_ms(BARE, READY_MARK.encode())
        if number:  # the first one reads the programs from the disk
            ours.append(pair[0])
            against.append(pair[1])
    return paired(ours, against, "ms")


def _started_ms(command: list[str], mark: bytes) -> float:
    with Terminal(command) as terminal:
        took_s = terminal.until(mark) - terminal.began_at
        terminal.end(signal.SIGKILL)
        return 1000 * took_s


def memory(site: BenchSite, samples: int) -> Figure:
    """``memory``: what the supervisor and the kiosk have for themselves, with their share of what they share."""
    ours: list[float] = []
    against: list[float] = []
    with site.kiosk() as kiosk, Terminal(BARE) as bare:
        bare.until(READY_MARK.encode())
        time.sleep(SETTLED_S)
        for _ in range(samples):
            for terminal, sizes_mib in ((kiosk, ours), (bare, against)):
                terminal.forget()
                sizes_mib.append(_memory_mib(terminal.pid))
            time.sleep(GAP_S)
    return paired(ours, against, "MiB")


def _memory_mib(pid: int) -> float:
    """Of a process and its children: resident pages, those that several map divided among them (proc(5), Pss)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / KIB
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return own + sum(_memory_mib(int(child)) for child in children)


BOX_MARK = "│"
"""The side of a box: what fills it is a colour. The boxes are painted anew for a digit, and for nothing else."""


def key_to_paint(site: BenchSite, samples: int) -> Figure:
    """``key_to_paint``: from a digit at the prompt to its box, against the bare app's mark for the same digit."""
    ours: list[float] = []
    against: list[float] = []
    with site.kiosk() as kiosk, Terminal(BARE) as bare:
        bare.until(READY_MARK.encode())
        site.line.insert(site.next_person().key.path)
        kiosk.until(PROMPT_MARK)
        site.line.until_quiet(0.12)
        for number in range(max(samples, 3 * PIN_DIGITS) + FIRST_PRESSES):
            for terminal, mark, took_ms in ((kiosk, BOX_MARK, ours), (bare, TYPED_MARK, against)):
                if number % PIN_DIGITS == 0:  # an entry is full, and begins anew
                    terminal.type(b"*")
                time.sleep(GAP_S)
                pressed = terminal.type(b"5")
                took_ms.append(1000 * (terminal.until(mark.encode()) - pressed))
    return paired(ours[FIRST_PRESSES:], against[FIRST_PRESSES:], "ms")
