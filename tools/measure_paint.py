"""How long from a key press to what it paints, in a real pseudo-terminal, while something else moves.

    python -m tools.measure_paint [PRESSES]

Against a bare Textual app that does the same with two plain widgets. Prints median and 99th percentile of each.
"""

import asyncio
import os
import pty
import select
import statistics
import sys
import time
from dataclasses import replace
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.events import Key
from textual.widgets import Static

from station.display.screen import Line, Screen
from tools.pictures.sample_screens import STATUS
from ui.kiosk import Kiosk

ROWS, COLUMNS = 24, 80
MOVES_EVERY_S = 0.25
START_S = 10.0
PAINT_LIMIT_S = 5.0
GAP_S = 0.03
"""Between two presses: no multiple of the other's beat, so that some fall together with it."""
MARKS = {"kiosk": "│".encode(), "bare": "●".encode()}
"""What a press paints: the side of a box, as what fills it is a colour; the bare app's mark."""


def kiosk() -> None:
    """The kiosk, with a box for each digit, and below them a sentence that changes."""
    screen = Screen(Line.PROMPT, STATUS, tries_left=1)

    def press(_stroke: str) -> None:
        nonlocal screen
        screen = replace(screen, digits=screen.digits % 6 + 1)
        app.snapshot = screen

    async def services() -> None:
        nonlocal screen
        app.snapshot = screen
        while True:
            await asyncio.sleep(MOVES_EVERY_S)
            screen = replace(screen, tries_left=(screen.tries_left or 0) % 3 + 1)
            app.snapshot = screen

    app = Kiosk(press, language="en", services=services)
    app.run_until_stopped()


class Bare(App[None]):
    """As little Textual as can do the same."""

    BINDINGS: ClassVar[list[BindingType]] = []
    digits = done = 0

    def compose(self) -> ComposeResult:
        """The bar and the digits."""
        yield Static("", id="bar")
        yield Static("", id="digits")

    def on_mount(self) -> None:
        """Let the bar run."""
        self.set_interval(MOVES_EVERY_S, self.advance)

    def advance(self) -> None:
        """One step of the bar."""
        self.done = (self.done + 1) % 30
        self.query_one("#bar", Static).update("█" * self.done)

    def on_key(self, _event: Key) -> None:
        """A digit more."""
        self.digits = self.digits % 6 + 1
        self.query_one("#digits", Static).update("●" * self.digits)


def measured(which: str, presses: int) -> list[float]:
    """Seconds from each key press to the bytes that paint it."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ |= {"TERM": "xterm-256color", "LINES": str(ROWS), "COLUMNS": str(COLUMNS)}
        os.execv(sys.executable, [sys.executable, "-m", "tools.measure_paint", f"--{which}"])  # noqa: S606
    try:
        _until(terminal, MARKS[which] if which == "kiosk" else "█".encode(), START_S)
        times = []
        for number in range(presses + 20):
            _drain(terminal)
            began = time.perf_counter()
            os.write(terminal, b"5")
            _until(terminal, MARKS[which], PAINT_LIMIT_S)
            if number >= 20:  # the first ones pay for what is filled once
                times.append(time.perf_counter() - began)
            time.sleep(GAP_S)
        return times
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)


def _until(terminal: int, mark: bytes, limit_s: float) -> None:
    seen = b""
    deadline = time.perf_counter() + limit_s
    while mark not in seen:
        if not select.select([terminal], [], [], max(0.0, deadline - time.perf_counter()))[0]:
            raise TimeoutError(seen[-200:])
        seen = seen[-10:] + os.read(terminal, 65536)


def _drain(terminal: int) -> None:
    while select.select([terminal], [], [], 0)[0]:
        os.read(terminal, 65536)


def main() -> None:
    """Measure both, in turn."""
    if sys.argv[1:] == ["--kiosk"]:
        kiosk()
    elif sys.argv[1:] == ["--bare"]:
        Bare().run(mouse=False)
    else:
        presses = int(sys.argv[1]) if len(sys.argv) > 1 else 300
        for which in ("bare", "kiosk", "bare", "kiosk"):
            times = sorted(1000 * seconds for seconds in measured(which, presses))
            p99 = times[int(len(times) * 0.99)]
            sys.stdout.write(f"{which:<6} median {statistics.median(times):.1f} ms, p99 {p99:.1f} ms\n")


if __name__ == "__main__":
    main()
