"""Which days are public holidays in the Nordic countries: days on which offices are shut and telephones unanswered.

`holidays` knows them. Two things are ours: which of its categories count, and that it is loaded at the first question:
it takes a tenth of a second and 18 MiB, and is asked only by a screen that says whom to call.
"""

from datetime import date
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

SWEDEN, DENMARK, NORWAY, FINLAND = "Europe/Stockholm", "Europe/Copenhagen", "Europe/Oslo", "Europe/Helsinki"
"""The time zone tells the country. Elsewhere there are no holidays."""
_ALSO_SHUT_IN_DENMARK = frozenset({(6, 5), (12, 24), (12, 31)})
"""Month and day. The library has them as optional, beside 1 May, on which most Danish offices are open."""
_ALSO_SHUT_IN_NORWAY = frozenset({(12, 24), (12, 31)})
"""No holidays by law, and the library has none of them."""


def is_public_holiday(day: date, time_zone: str) -> bool:
    """Whether ``day`` is one where ``time_zone`` is kept."""
    if time_zone == SWEDEN:
        return day in _of("SE", "public", "de_facto")  # de facto: the eves that everybody has off
    if time_zone == DENMARK:
        return (day.month, day.day) in _ALSO_SHUT_IN_DENMARK or day in _of("DK", "public")
    if time_zone == NORWAY:
        return (day.month, day.day) in _ALSO_SHUT_IN_NORWAY or day in _of("NO", "public")
    return time_zone == FINLAND and day in _of("FI", "public")


@cache
def _of(country: str, *categories: str) -> "HolidayBase":
    from holidays import country_holidays  # noqa: PLC0415, late: see above

    return country_holidays(country, categories=categories)
