"""The public holidays of Sweden and Denmark, for the hours of a site's support lines.

Sources: Sweden's act on public holidays (lag 1989:253), with the eves on which offices are shut by agreement; Denmark's
church holidays (without Great Prayer Day since 2024), with the days on which public offices are shut.
"""

from datetime import date, timedelta

SWEDEN, DENMARK = "Europe/Stockholm", "Europe/Copenhagen"
"""The time zone tells the country. Elsewhere there are no holidays."""

_FIXED = {
    SWEDEN: ((1, 1), (1, 6), (5, 1), (6, 6), (12, 24), (12, 25), (12, 26), (12, 31)),
    DENMARK: ((1, 1), (6, 5), (12, 24), (12, 25), (12, 26), (12, 31)),
}
_AFTER_EASTER = {SWEDEN: (-2, 0, 1, 39, 49), DENMARK: (-3, -2, 0, 1, 39, 49, 50)}
_FRIDAY, _SATURDAY = 4, 5


def is_holiday(day: date, time_zone: str) -> bool:
    """Whether ``day`` is a public holiday where ``time_zone`` is kept."""
    if time_zone not in _FIXED:
        return False
    if (day.month, day.day) in _FIXED[time_zone]:
        return True
    if day - easter(day.year) in {timedelta(days=days) for days in _AFTER_EASTER[time_zone]}:
        return True
    return time_zone == SWEDEN and _swedish_saturday(day)


def _swedish_saturday(day: date) -> bool:
    """Midsummer (its eve is the Friday of 19 to 25 June) and All Saints' Day (the Saturday from 31 October on)."""
    midsummer = day.month == 6 and (
        (day.weekday() == _FRIDAY and 19 <= day.day <= 25) or (day.weekday() == _SATURDAY and 20 <= day.day <= 26)
    )
    all_saints = day.weekday() == _SATURDAY and (
        (day.month == 10 and day.day == 31) or (day.month == 11 and day.day <= 6)
    )
    return midsummer or all_saints


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Butcher's rule, Nature 1876)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    corrected = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - corrected + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - epact - of_century % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
