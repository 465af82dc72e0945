"""The key's clock as SMP's os group writes it: ``yyyy-MM-dd'T'HH:mm:ss``, UTC, with an optional fraction.

The fraction is passed over: Zephyr writes milliseconds without leading zeros (``.7`` is 7 ms, ``.70`` is 70), and whole
seconds are all that anyone needs. A time zone is passed over too, as Zephyr does: keys keep UTC.
"""

import re
from datetime import UTC, datetime
from typing import Final

_TEXT: Final = re.compile(
    r"\s*(\d{4,5})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)


def parse_datetime(text: str) -> int:
    """Unix seconds. Raises ValueError for anything that is no such time."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError("no datetime")
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def format_datetime(unix_s: int) -> str:
    """19 characters, no fraction: 26 would be refused."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
