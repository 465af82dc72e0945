"""Which telephone line is answered at which hour, on which days, and which station is near."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from station.rules.support import Neighbour, Position, SupportLine, line_at, nearest, no_holidays, others_than

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DAY = SupportLine(frozenset(range(5)), 480, 990, holidays=False, phone="01")
NIGHT = SupportLine(frozenset(range(7)), 990, 480, holidays=True, phone="02")
WEEKEND = SupportLine(frozenset({5, 6}), 480, 990, holidays=True, phone="03")


def is_holiday(day: date, time_zone: str) -> bool:
    assert time_zone == "Europe/Stockholm"
    return day.isoformat() in {"2026-04-03", "2026-06-19"}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).timestamp())


@pytest.mark.parametrize(
    ("when", "phone"),
    [
        ("2026-03-30 08:00", "01"),
        ("2026-03-30 16:29", "01"),
        ("2026-03-30 16:30", "02"),
        ("2026-03-31 00:30", "02"),
        ("2026-03-31 07:59", "02"),
        ("2026-03-29 12:00", "03"),
        ("2026-04-03 12:00", "02"),  # Good Friday: the day line is shut, a gap in the plan.
        ("2026-04-04 07:00", "02"),
        ("2026-06-19 12:00", "02"),  # Midsummer Eve
        ("2026-10-25 02:30", "02"),  # The hour that comes twice.
    ],
)
def test_the_line_of_the_hour(when: str, phone: str) -> None:
    found = line_at([DAY, NIGHT, WEEKEND], at(when), STOCKHOLM, is_holiday)
    assert found is not None
    assert found.phone == phone


def test_with_a_gap_any_line_is_better_than_none() -> None:
    found = line_at([DAY], at("2026-03-29 12:00"), STOCKHOLM, no_holidays)
    assert found is DAY
    assert line_at([], at("2026-03-29 12:00"), STOCKHOLM, no_holidays) is None


def test_the_other_lines_are_named_once_each() -> None:
    weekend = SupportLine(frozenset({5}), 0, 60, holidays=False, phone="02")
    lines = [DAY, NIGHT, weekend, WEEKEND]
    assert others_than(NIGHT, lines) == (DAY, WEEKEND)
    assert others_than(weekend, lines) == (DAY, WEEKEND), "the same one at another hour"
    assert others_than(None, lines) == (DAY, NIGHT, WEEKEND)


def test_the_own_units_stations_come_first_where_no_place_is_known() -> None:
    others = [Neighbour(9, "i", "", 1), Neighbour(2, "b", "", 2), Neighbour(4, "d", "", 1), Neighbour(3, "c", "")]
    assert [other.station for other in nearest(others, 1, None)] == [4, 9, 2, 3]
    assert [other.station for other in nearest(others, 1, Position(59_000_000, 17_000_000))] == [4, 9, 2, 3]


def test_the_nearest_come_first_whatever_their_unit() -> None:
    """A degree of longitude is half as long there as one of latitude."""
    here = Position(60_000_000, 17_000_000)
    north = Neighbour(2, "north", "", 2, Position(60_010_000, 17_000_000))
    east = Neighbour(3, "east", "", 2, Position(60_000_000, 17_015_000))
    far = Neighbour(4, "far", "", 1, Position(60_900_000, 17_000_000))
    nowhere = Neighbour(5, "nowhere", "", 1)
    assert nearest([nowhere, far, north, east], 1, here) == (east, north, far, nowhere)
    assert [other.station for other in nearest([nowhere, far, north, east], 1, None)] == [4, 5, 2, 3]
