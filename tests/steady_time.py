"""An event loop whose time leaves out when this process was kept from running.

A station's driver gives a key a fraction of a second to answer, and the key and its line are in the test's own process:
when a busy machine lets that stand still for as long, nothing has been late but the machine. What the loop waits for
counts in full, whether for a timer, another process or a thread; and so does what it computes itself. What its own
thread waits for elsewhere (the disk, a lock) looks like standing still and counts next to nothing.
"""

import asyncio
import math
import selectors
import time

UNNOTICED_S = 0.005
"""Of what passes beyond that, so much counts each time at most."""


class SteadyLoop(asyncio.SelectorEventLoop):
    """Its time never runs ahead of the machine's, and never goes back."""

    def __init__(self) -> None:
        self._real_s = self._steady_s = time.monotonic()
        self._computed_s = time.thread_time()
        super().__init__(_SteadySelector(self))

    def time(self) -> float:
        return self.passed(0.0)

    def passed(self, waited_s: float) -> float:
        """What the time is, when up to ``waited_s`` have just been waited."""
        real_s, computed_s = time.monotonic(), time.thread_time()
        accounted_s = waited_s + max(computed_s - self._computed_s, 0.0) + UNNOTICED_S
        self._steady_s += min(real_s - self._real_s, accounted_s)
        self._real_s, self._computed_s = real_s, computed_s
        return self._steady_s


class _SteadySelector(selectors.DefaultSelector):
    def __init__(self, loop: SteadyLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.passed(0.0)
        ready = super().select(timeout)
        self._loop.passed(math.inf if timeout is None else max(timeout, 0.0))
        return ready
