"""Until when a permit's windows run: the one place that knows about local time.

A window runs at an instant when the wall clock of the site, read at that instant, is inside it. That one rule settles
daylight saving without cases, and no window is ever longer than its hands on the wall:

* hours that the night skips are not there: 21-07 is nine hours; 01:00-02:30 ends where the clock jumps from 02 to 03;
  a window wholly inside the skipped hour does not run;
* hours that the night repeats are there twice: 21-07 is eleven hours; 01:00-02:30 ends at the first 02:30, and runs
  again from the second 02:00 to the second 02:30; 02:30-04:00 ends where the clock goes back to 02, and runs again from
  the second 02:30.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from station.records.claims import Window

FOREVER = 2**63 - 1
"""The end of no windows at all, which mean always: later than any other time, so that ``min`` does the right thing."""

HORIZON_S = 8 * 24 * 3600
"""How far ahead an end is looked for. Windows that cover the whole week never end, and no activation lasts so long."""


def window_end(windows: Sequence[Window], now_s: int, zone: tzinfo) -> int | None:
    """When the window that is running at ``now_s`` ends (both in Unix seconds); None when none is running.

    Windows that meet or overlap count as one, over midnight too. The end is exclusive. No windows at all: `FOREVER`.
    Windows that are still running after `HORIZON_S`: ``now_s + HORIZON_S``.
    """
    if not windows:
        return FOREVER
    end_s = now_s
    while (left_s := _left_s(windows, datetime.fromtimestamp(end_s, zone))) > 0:
        end_s = _first_change(end_s, end_s + left_s, zone)
        if end_s - now_s >= HORIZON_S:
            return now_s + HORIZON_S
    return end_s if end_s > now_s else None


def _left_s(windows: Sequence[Window], local: datetime) -> int:
    """How long until the last of the windows around this wall-clock time is over; 0 outside of all."""
    minute = local.hour * 60 + local.minute
    around = [w.end_minute for w in windows if w.weekdays >> local.weekday() & 1 and w.start_minute <= minute]
    return max(0, (max(around, default=0) - minute) * 60 - local.second)


def _first_change(start_s: int, end_s: int, zone: tzinfo) -> int:
    """``end_s``, or the instant before it at which the zone's offset changes (once at most: less than a day apart)."""

    def offset(unix_s: int) -> object:
        return datetime.fromtimestamp(unix_s, zone).utcoffset()

    before = offset(start_s)
    if offset(end_s) == before:
        return end_s
    same_s, changed_s = start_s, end_s
    while changed_s - same_s > 1:
        middle_s = (same_s + changed_s) // 2
        if offset(middle_s) == before:
            same_s = middle_s
        else:
            changed_s = middle_s
    return changed_s
