"""When to start again after a death: at once after a good life, later and later in a storm, every minute after ten."""

from collections import deque
from typing import NamedTuple

BACK_OFF_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""A single death costs a queue of people nothing; each further one without a good life in between waits longer."""
GOOD_LIFE_S = 60.0
MANY_DEATHS = 10
WINDOW_S = 600.0
TRY_EVERY_S = 60.0


class Pause(NamedTuple):
    """How long to wait, and whether to say meanwhile that the station is out of order."""

    wait_s: float
    out_of_order: bool


class Storm:
    """Counts deaths that nobody asked for. Reads no clock."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque(maxlen=MANY_DEATHS)
        self._row = 0

    def died(self, now: float, lived_s: float) -> Pause:
        """The pause after a death at ``now``; ``lived_s`` is how long it had been beating (0: it never was)."""
        if lived_s >= GOOD_LIFE_S:
            self._row = 0
        self._deaths.append(now)
        wait_s = BACK_OFF_S[min(self._row, len(BACK_OFF_S) - 1)]
        self._row += 1
        if len(self._deaths) == MANY_DEATHS and now - self._deaths[0] <= WINDOW_S:
            return Pause(TRY_EVERY_S, out_of_order=True)
        return Pause(wait_s, out_of_order=False)
