"""The values that a station goes by, and where each comes from."""

from dataclasses import dataclass
from pathlib import Path

from config.models import Settings
from config.places import KeyPath, find_places
from config.pushed import PushedFile
from config.reach import Reach, keys

NOT_SHOWN: frozenset[KeyPath] = frozenset({("display", "technician_code")})
"""A hash of a short code is soon guessed; that there is one is enough to know."""
HIDDEN = "(set)"


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """One of them."""

    key: str
    """With its table, as ``policy.active_minutes``."""
    value: str | int | bool | None
    line: int | None
    """In the file; None where it is the default."""
    reach: Reach


def effective(pushed: PushedFile) -> list[EffectiveValue]:
    """Every key, in the order of the documentation."""
    places = find_places(pushed.content.decode("utf-8-sig")).by_path
    values = []
    for table, key, reach in keys(Settings):
        value = getattr(getattr(pushed.settings, table), key)
        if isinstance(value, Path):
            value = str(value)
        if value is not None and (table, key) in NOT_SHOWN:
            value = HIDDEN
        place = places.get((table, key))
        values.append(EffectiveValue(f"{table}.{key}", value, None if place is None else place.line, reach))
    return values
