"""The Nordic holidays by which a site's telephone lines go, and that a start does not pay for them."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from station.sync.public_holidays import is_public_holiday

ROOT = Path(__file__).parents[2]
SWEDISH_2026 = {
    *("2026-01-01", "2026-01-06", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-24"),
    *("2026-06-06", "2026-06-19", "2026-06-20", "2026-10-31", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
}
DANISH_2026 = {
    *("2026-01-01", "2026-04-02", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-14", "2026-05-24", "2026-05-25"),
    *("2026-06-05", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
}
NORWEGIAN_2026 = {
    *("2026-01-01", "2026-04-02", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-17"),
    *("2026-05-24", "2026-05-25", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"),
}
FINNISH_2026 = {
    *("2026-01-01", "2026-01-06", "2026-04-03", "2026-04-05", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-24"),
    *("2026-06-19", "2026-06-20", "2026-10-31", "2026-12-06", "2026-12-24", "2026-12-25", "2026-12-26"),
}


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Stockholm", SWEDISH_2026),
        ("Europe/Copenhagen", DANISH_2026),
        ("Europe/Oslo", NORWEGIAN_2026),
        ("Europe/Helsinki", FINNISH_2026),
        ("Europe/Tallinn", set()),
    ],
)
def test_the_holidays_of_a_year(zone: str, expected: set[str]) -> None:
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + n) for n in range(365)]
    assert {day.isoformat() for day in days if is_public_holiday(day, zone)} == expected


def test_all_saints_in_november() -> None:
    assert is_public_holiday(date(2025, 11, 1), "Europe/Stockholm")


def test_first_of_may_is_a_working_day_in_denmark_unless_it_is_another_holiday() -> None:
    assert not is_public_holiday(date(2026, 5, 1), "Europe/Copenhagen")
    assert is_public_holiday(date(2008, 5, 1), "Europe/Copenhagen")  # Ascension Day


def test_great_prayer_day_is_over() -> None:
    assert is_public_holiday(date(2023, 5, 5), "Europe/Copenhagen")
    assert not is_public_holiday(date(2024, 4, 26), "Europe/Copenhagen")


def test_a_kiosk_starts_without_loading_them() -> None:
    program = "import sys, station.commands.kiosk, station.commands.run; print('holidays' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
