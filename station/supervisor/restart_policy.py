"""When the kiosk is restarted: after how much silence it counts as stuck, and how long to wait after a death."""

from collections import deque
from typing import NamedTuple

SILENCE_LIMIT_S = 5.0
START_LIMIT_S = 120.0
"""The first start on a small board takes 15 s, with a worn card or a disk that is checked some times as long: killed
in the middle of it, it would never be over."""
HANGING_STARTS_LIMIT = 3
"""So many that hang one after the other take six minutes; nobody stands there for ten of them."""

BACKOFF_S = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""A single death costs a queue of people nothing; each further one without a stable run in between waits longer."""
STABLE_AFTER_S = 60.0
DEATHS_LIMIT = 10
DEATHS_WINDOW_S = 600.0
OUT_OF_ORDER_WAIT_S = 60.0


class HeartbeatMonitor:
    """Follows the heartbeat of one run of the kiosk. Reads no clock."""

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self.first_at: float | None = None
        self._last_at: float | None = None

    def beat(self, now: float) -> None:
        """Note that the kiosk has beaten."""
        if self.first_at is None:
            self.first_at = now
        self._last_at = now

    @property
    def stuck_at(self) -> float:
        """When it counts as stuck unless it beats before."""
        return self._started_at + START_LIMIT_S if self._last_at is None else self._last_at + SILENCE_LIMIT_S

    def beating_s(self, now: float) -> float:
        """How long it has been beating; 0 when it never has."""
        return 0.0 if self.first_at is None else now - self.first_at


class Pause(NamedTuple):
    """How long to wait, and whether to say meanwhile that the station is out of order."""

    wait_s: float
    out_of_order: bool


class RestartBackoff:
    """Counts deaths that nobody asked for: restart at once, then later and later; in the end every minute.

    That end comes with ten deaths, or with three kiosks that have hung at their start.

    Reads no clock.
    """

    def __init__(self) -> None:
        self._deaths: deque[float] = deque(maxlen=DEATHS_LIMIT)
        self._in_a_row = 0
        self._never_beat: deque[float] = deque(maxlen=HANGING_STARTS_LIMIT)
        """The latest deaths, one after the other, of kiosks that had never beaten."""

    def pause_after_death(self, now: float, beating_s: float) -> Pause:
        """Count a death at ``now`` of a kiosk that had been beating for ``beating_s``."""
        if beating_s >= STABLE_AFTER_S:
            self._in_a_row = 0
        self._deaths.append(now)
        if beating_s:
            self._never_beat.clear()
        self._never_beat.append(now)
        wait_s = BACKOFF_S[min(self._in_a_row, len(BACKOFF_S) - 1)]
        self._in_a_row += 1
        died_often = len(self._deaths) == DEATHS_LIMIT and now - self._deaths[0] <= DEATHS_WINDOW_S
        hung_often = (
            len(self._never_beat) == HANGING_STARTS_LIMIT
            and now - self._never_beat[0] >= (HANGING_STARTS_LIMIT - 1) * START_LIMIT_S
        )
        if died_often or hung_often:
            return Pause(OUT_OF_ORDER_WAIT_S, out_of_order=True)
        return Pause(wait_s, out_of_order=False)
