"""Whom to call at this hour, as a QR code that a telephone dials: as on the kiosk's own page, where there is room.

Loaded only when the station is out of order, and what it needs with it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from station.supervisor.screens import DAYS, Support
from station.supervisor.terminal import Size

MODULES, QUIET = 21, 1
MESSAGE_LIMIT = 25
"""Characters that version 1 holds."""
TEXT_COLUMNS = 50
"""What must be left for the words beside it."""
DARK, LIGHT, END = "\x1b[40m", "\x1b[47m", "\x1b[0m"
_MODULE = "  "


def telephone_code(support: Sequence[Support], time_zone: str, size: Size) -> bytes:
    """The code in the right half of a screen; nothing where there is no room, or nobody to call now."""
    across = len(_MODULE) * (MODULES + 2 * QUIET)
    if size.columns < TEXT_COLUMNS + across or size.rows < MODULES + 2 * QUIET:
        return b""
    try:
        now = datetime.now(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return b""
    line = next((line for line in support if is_answered(line, now)), None)
    message = dialled(line.phone) if line is not None else ""
    if not 0 < len(message) <= MESSAGE_LIMIT:
        return b""
    import segno  # noqa: PLC0415, most stations are never out of order

    matrix = segno.make(message, micro=False, error="L", boost_error=False, version=1).matrix_iter(border=QUIET)
    top, left = (size.rows - MODULES - 2 * QUIET) // 2 + 1, size.columns - across
    screen = ""
    for number, row in enumerate(matrix):
        modules = "".join(f"{DARK if dark else LIGHT}{_MODULE}" for dark in row)
        screen += f"\x1b[{top + number};{left}H{modules}{END}"
    return screen.encode()


def dialled(phone: str) -> str:
    """``TEL:+46100000001``: digits, and the ``+`` before them if there is one; empty without any."""
    digits = "".join(character for character in phone if character in "0123456789")
    return f"TEL:{'+' if phone.lstrip().startswith('+') else ''}{digits}" if digits else ""


def is_answered(line: Support, now: datetime) -> bool:
    """Whether ``line`` is answered at ``now``, on no holiday. Hours that end before they begin end on the next day."""
    begins, _, ends = line.hours.partition("-")
    if not begins or not ends:
        return False
    clock = f"{now:%H:%M}"
    if begins < ends:
        return _has_day(line, now) and begins <= clock < ends
    evening, night = _has_day(line, now) and clock >= begins, _has_day(line, now - timedelta(days=1)) and clock < ends
    return evening or night


def _has_day(line: Support, day: datetime) -> bool:
    """``mon-fri`` or ``mon, wed``."""
    for part in line.days.split(", "):
        first, _, last = part.partition("-")
        known = first in DAYS and (last or first) in DAYS
        if known and DAYS.index(first) <= day.weekday() <= DAYS.index(last or first):
            return True
    return False
