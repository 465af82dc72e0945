"""The header ``Station-Health`` of GET /mirror/changes: how a station says that it is. None is needed, none is refused.

``outbox=3, mirror=42, clock=0, config=3fa2b1c4d5e6`` (see docs/reference/central-api.md). It is a station's word about
itself and decides nothing: it is only shown.
"""

import re
from dataclasses import dataclass
from typing import Self

HEADER_LIMIT_CHARACTERS = 300
CLOCKS = frozenset({0, 1, 2})
_MEMBER = re.compile(r"(?P<name>[a-z]{1,20})=(?P<value>[A-Za-z0-9._-]{1,64})")
_NUMBER = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True)
class SelfReport:
    """What was told; None for what was not, or makes no sense."""

    outbox: int | None = None
    """How many events wait at the station."""
    mirror_age_s: int | None = None
    clock: int | None = None
    config_version: str | None = None

    @classmethod
    def read(cls, header: str) -> Self:
        """The header's value; what cannot be read is passed over."""
        if len(header) > HEADER_LIMIT_CHARACTERS:
            return cls()
        members = (_MEMBER.fullmatch(part.strip()) for part in header.split(","))
        told = {member["name"]: member["value"] for member in members if member}
        clock = _number(told.get("clock"))
        return cls(
            _number(told.get("outbox")),
            _number(told.get("mirror")),
            clock if clock in CLOCKS else None,
            told.get("config"),
        )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None
