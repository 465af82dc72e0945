"""Which telephone line is answered at which hour, on which days, and which station is near."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from station.core.holidays import easter, is_holiday
from station.core.support import Neighbour, SupportLine, line_at, nearest

STOCKHOLM = ZoneInfo("Europe/Stockholm")
DAY = SupportLine(frozenset(range(5)), 480, 990, holidays=False, phone="01")
NIGHT = SupportLine(frozenset(range(7)), 990, 480, holidays=True, phone="02")
WEEKEND = SupportLine(frozenset({5, 6}), 480, 990, holidays=True, phone="03")


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
    found = line_at([DAY, NIGHT, WEEKEND], at(when), STOCKHOLM)
    assert found is not None
    assert found.phone == phone


def test_with_a_gap_any_line_is_better_than_none() -> None:
    found = line_at([DAY], at("2026-03-29 12:00"), STOCKHOLM)
    assert found is DAY
    assert line_at([], at("2026-03-29 12:00"), STOCKHOLM) is None


@pytest.mark.parametrize(
    ("year", "sunday"), [(2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2038, "2038-04-25")]
)
def test_easter(year: int, sunday: str) -> None:
    assert easter(year).isoformat() == sunday


SWEDISH_2026 = {
    *("2026-01-01", "2026-01-06", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-24"),
    *("2026-06-06", "2026-06-19", "2026-06-20", "2026-10-31", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
}
DANISH_2026 = {
    *("2026-01-01", "2026-04-02", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-14", "2026-05-24", "2026-05-25"),
    *("2026-06-05", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
}


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("Europe/Stockholm", SWEDISH_2026), ("Europe/Copenhagen", DANISH_2026), ("Europe/Helsinki", set())],
)
def test_the_holidays_of_a_year(zone: str, expected: set[str]) -> None:
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(365)]
    assert {day.isoformat() for day in days if is_holiday(day, zone)} == expected


def test_all_saints_in_november() -> None:
    assert is_holiday(date(2025, 11, 1), "Europe/Stockholm")


def test_the_own_units_stations_come_first() -> None:
    others = [Neighbour(9, "i", "", 1), Neighbour(2, "b", "", 2), Neighbour(4, "d", "", 1), Neighbour(3, "c", "")]
    assert [other.station for other in nearest(others, unit=1)] == [4, 9, 2, 3]
