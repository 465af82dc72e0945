"""Times as people say them: until when, how long still, how old."""

import gettext
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from station.display.screen import Status
from ui.sentences import N_

WEEKDAYS = (
    N_("Monday {time}"),
    N_("Tuesday {time}"),
    N_("Wednesday {time}"),
    N_("Thursday {time}"),
    N_("Friday {time}"),
    N_("Saturday {time}"),
    N_("Sunday {time}"),
)
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


def zone(name: str) -> tzinfo:
    """The site's time zone; UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def time_of_day(unix_s: int, time_zone: str) -> str:
    """``17:55``, local. Says so when the zone is not known and it is UTC."""
    where = zone(time_zone)
    local = datetime.fromtimestamp(unix_s, where)
    return f"{local:%H:%M} UTC" if where is UTC and time_zone != "UTC" else f"{local:%H:%M}"


def clock(status: Status, translation: gettext.NullTranslations) -> str:
    """The station's time of day, if it knows it."""
    return time_of_day(status.unix_s, status.time_zone) if status.clock_trusted else translation.gettext("no time")


def until(unix_s: int, now_s: int, time_zone: str, translation: gettext.NullTranslations) -> str:
    """``17:55``, ``tomorrow 05:55``, ``yesterday 16:40``, ``Sunday 05:55`` or ``2026-11-29 05:55``."""
    where = zone(time_zone)
    day = datetime.fromtimestamp(unix_s, where).date()
    today = datetime.fromtimestamp(now_s, where).date()
    time = time_of_day(unix_s, time_zone)
    if day == today:
        return time
    if day == today + timedelta(days=1):
        return translation.gettext("tomorrow {time}").format(time=time)
    if day == today - timedelta(days=1):
        return translation.gettext("yesterday {time}").format(time=time)
    if today < day < today + timedelta(days=7):
        return translation.gettext(WEEKDAYS[day.weekday()]).format(time=time)
    return f"{day.isoformat()} {time}"


def until_on(status: Status, unix_s: int, translation: gettext.NullTranslations) -> str:
    """`until`, by the station's clock and zone."""
    # A clock that nothing vouches for does not know what day it is: the far past makes the whole date appear.
    return until(unix_s, status.unix_s if status.clock_trusted else 0, status.time_zone, translation)


def date(unix_s: int, time_zone: str) -> str:
    """``2026-11-29``, local."""
    return datetime.fromtimestamp(unix_s, zone(time_zone)).date().isoformat()


def year(unix_s: int, time_zone: str) -> int:
    """``2026``, local."""
    return datetime.fromtimestamp(unix_s, zone(time_zone)).year


def countdown(wait_s: int) -> str:
    """``0:15``, ``4:59``."""
    return f"{max(wait_s, 0) // MINUTE_S}:{max(wait_s, 0) % MINUTE_S:02}"


def age(age_s: int, translation: gettext.NullTranslations) -> str:
    """``under 1 min``, ``12 min``, ``2 h``, ``3 days``: rounded down, as people do."""
    if age_s < MINUTE_S:
        return translation.gettext("under 1 min")
    if age_s < HOUR_S:
        return translation.gettext("{count} min").format(count=age_s // MINUTE_S)
    if age_s < 2 * DAY_S:
        return translation.gettext("{count} h").format(count=age_s // HOUR_S)
    return translation.ngettext("{count} day", "{count} days", age_s // DAY_S).format(count=age_s // DAY_S)
