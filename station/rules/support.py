"""Whom to telephone at this hour, and which other stations there are."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple, TypeAlias

IsHoliday: TypeAlias = Callable[[date, str], bool]
"""Whether a day is a public holiday where a time zone (its IANA name) is kept."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class SupportLine:
    """A telephone line and the hours in which it is answered, in local time."""

    days: frozenset[int]
    """On which an answering begins; 0 is Monday."""
    from_min: int
    """Minutes since midnight."""
    to_min: int
    """At or before `from_min`: on the next day."""
    holidays: bool
    """Answered on public holidays, then and at weekends also outside its hours if nobody else is there."""
    phone: str
    texts: tuple[tuple[str, str], ...] = ()
    """What the line is called, by language."""


class Position(NamedTuple):
    """A place, in millionths of a degree."""

    lat: int
    lon: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another station."""

    station: int
    name: str
    address: str
    unit: int | None = None
    position: Position | None = None
    silent: bool = False
    """Central has not heard from it lately. It may work all the same."""


def no_holidays(_day: date, _time_zone: str) -> bool:
    """Where nobody says otherwise, every day is a working day."""
    return False


def answered(line: SupportLine, local: datetime, is_holiday: IsHoliday) -> bool:
    """Whether ``line`` is answered at ``local`` time."""
    minute = local.hour * 60 + local.minute
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    zone = str(local.tzinfo)
    for day, into_min in ((today, minute), (yesterday, minute + MINUTES_PER_DAY)):
        to_min = line.to_min if line.to_min > line.from_min else line.to_min + MINUTES_PER_DAY
        open_that_day = day.weekday() in line.days and (line.holidays or not is_holiday(day, zone))
        if open_that_day and line.from_min <= into_min < to_min:
            return True
    return False


def line_at(lines: Sequence[SupportLine], unix_s: int, zone: tzinfo, is_holiday: IsHoliday) -> SupportLine | None:
    """The line to call at ``unix_s``.

    Where the plan has a gap (a holiday's noon), the one that is there on holidays; where there is none, the first.
    """
    local = datetime.fromtimestamp(unix_s, zone)
    now = [line for line in lines if answered(line, local, is_holiday)]
    return next(iter([*now, *(line for line in lines if line.holidays), *lines]), None)


def others_than(line: SupportLine | None, lines: Sequence[SupportLine]) -> tuple[SupportLine, ...]:
    """Those of ``lines`` that lead to somebody else than ``line``, each once: a plan names one for several hours."""
    told = {(line.phone, line.texts): line} if line is not None else {}
    for other in lines:
        told.setdefault((other.phone, other.texts), other)
    return tuple(other for other in told.values() if other is not line)


def nearest(neighbours: Sequence[Neighbour], unit: int, position: Position | None) -> tuple[Neighbour, ...]:
    """Those that are near to ``position`` first; where places are not known, those of the same unit first."""

    def far(other: Neighbour) -> tuple[bool, float, bool, int]:
        known = position is not None and other.position is not None
        away = _away(position, other.position) if position is not None and other.position is not None else 0.0
        return not known, away, other.unit != unit, other.station

    return tuple(sorted(neighbours, key=far))


def first_of(neighbours: tuple[Neighbour, ...], count: int) -> tuple[Neighbour, ...]:
    """So many of the nearest; were all of them silent, the nearest that is not is the last among them."""
    near, others = neighbours[:count], neighbours[count:]
    heard = next((other for other in others if not other.silent), None)
    return near if heard is None or not all(other.silent for other in near) else (*near[:-1], heard)


def _away(here: Position, there: Position) -> float:
    """How far in millionths of a degree of latitude. Good enough within a municipality."""
    narrower = math.cos(math.radians((here.lat + there.lat) / 2_000_000))
    return math.hypot(there.lat - here.lat, (there.lon - here.lon) * narrower)
