"""Hours as people say them: shifts, also over midnight, for the weekly windows that permits have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from station.records.claims import MINUTES_A_DAY

EVERY_DAY, WEEKEND = 127, 96
DAYS = [
    (1, gettext_lazy("Mon")), (2, gettext_lazy("Tue")), (4, gettext_lazy("Wed")), (8, gettext_lazy("Thu")),
    (16, gettext_lazy("Fri")), (32, gettext_lazy("Sat")), (64, gettext_lazy("Sun")),
]  # fmt: skip
"""Bits of a window's days."""


@dataclass(frozen=True)
class Shift:
    """On these days (bits, Monday 1) from ``start`` to ``end`` (minutes); an end not after the start: the next day."""

    days: int
    start: int
    end: int

    def windows(self) -> list[list[int]]:
        """One, or two over midnight."""
        end = self.end or MINUTES_A_DAY
        if end > self.start:
            return [[self.days, self.start, end]]
        return [[self.days, self.start, MINUTES_A_DAY], [_day_after(self.days), 0, end]]


PRESETS: dict[str, tuple[Any, list[Shift]]] = {
    "always": (gettext_lazy("All day, every day"), []),
    "day": (gettext_lazy("Day, every day 07–16"), [Shift(EVERY_DAY, 7 * 60, 16 * 60)]),
    "evening": (gettext_lazy("Evening, every day 15–22"), [Shift(EVERY_DAY, 15 * 60, 22 * 60)]),
    "night": (gettext_lazy("Night, every day 21–07"), [Shift(EVERY_DAY, 21 * 60, 7 * 60)]),
    "weekend": (gettext_lazy("Weekend, Sat–Sun 07–22"), [Shift(WEEKEND, 7 * 60, 22 * 60)]),
}
"""Name, in words, shifts."""
OWN = "own"


def windows_of(shifts: Iterable[Shift]) -> list[list[int]]:
    """As a permission has them."""
    return sorted(window for shift in shifts for window in shift.windows())


def shifts_of(windows: list[list[int]]) -> list[Shift]:
    """Windows that meet at midnight are one shift again."""
    left = sorted(windows)
    found = []
    for window in [each for each in left if each[2] == MINUTES_A_DAY and each[1] > 0]:
        days, start, _end = window
        second = next((w for w in left if w[0] == _day_after(days) and w[1] == 0 and w[2] <= start), None)
        if second is not None:
            left.remove(window)
            left.remove(second)
            found.append(Shift(days, start, second[2]))
    found += [Shift(days, start, end % MINUTES_A_DAY) for days, start, end in left]
    return sorted(found, key=lambda shift: (shift.start, shift.days))


def preset_of(windows: list[list[int]]) -> str:
    """The name of the preset that these windows are; `OWN` for others."""
    return next((name for name, (_text, made) in PRESETS.items() if windows_of(made) == sorted(windows)), OWN)


def in_words(windows: list[list[int]]) -> str:
    """``Mon–Fri 07:00–16:00``; several with semicolons."""
    if not windows:
        return _("all day, every day")
    return "; ".join(
        f"{_days_in_words(shift.days)} {_clock(shift.start)}–{_clock(shift.end or MINUTES_A_DAY)}"
        for shift in shifts_of(windows)
    )


def _days_in_words(days: int) -> str:
    if days == EVERY_DAY:
        return _("every day")
    runs: list[list[str]] = []
    before = False
    for bit, name in DAYS:
        if days & bit and before:
            runs[-1].append(str(name))
        elif days & bit:
            runs.append([str(name)])
        before = bool(days & bit)
    # Two days that follow each other read better apart.
    return ", ".join(", ".join(run) if len(run) < 3 else f"{run[0]}–{run[-1]}" for run in runs)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _day_after(days: int) -> int:
    return (days << 1 | days >> 6) & EVERY_DAY
