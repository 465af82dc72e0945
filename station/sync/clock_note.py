"""What a station remembers of the time, as the one note in its database that outlives the program.

A JSON array, so that all of it is replaced at one stroke: floor, last trusted time, the issue time of the certificate
that has been taken into account (Unix seconds), and the anchor (Unix seconds, seconds of CLOCK_BOOTTIME, the boot's id)
or null.
"""

import json
import math
from dataclasses import dataclass, field
from typing import TypeGuard

from station.records.claims import MAX_UINT64
from station.rules.clock import Anchor, ClockMemory

NOTE = "clock"
_LIMIT_CHARS = 500
_BOOT_ID_CHARS = 64


@dataclass(frozen=True, slots=True)
class ClockNote:
    """What is written down."""

    memory: ClockMemory = field(default_factory=ClockMemory)
    certificate_issued_s: int | None = None
    """Of the certificate whose issue time has raised the floor, or not; None: none has been looked at.

    A central whose clock was wrong may have signed it: once central has said so, a restart must not raise the floor by
    it again.
    """

    def written(self) -> str:
        """As a note for the database; `read` is the inverse."""
        memory, anchor = self.memory, self.memory.anchor
        kept = None if anchor is None else [anchor.unix_s, anchor.boottime_s, anchor.boot_id]
        return json.dumps([memory.floor_s, memory.last_trusted_s, self.certificate_issued_s, kept])


def read(note: str | None) -> ClockNote:
    """What was written down; nothing where that cannot be read: the certificate is then the first floor."""
    if note is None or len(note) > _LIMIT_CHARS:
        return ClockNote()
    try:
        floor_s, last_trusted_s, certificate_s, kept = json.loads(note)
        anchor = None if kept is None else _anchor(*kept)
    except (ValueError, TypeError):
        return ClockNote()
    if not all(map(_is_time, (floor_s, last_trusted_s))) or not (certificate_s is None or _is_time(certificate_s)):
        return ClockNote()
    return ClockNote(ClockMemory(floor_s, last_trusted_s, anchor), certificate_s)


def _anchor(unix_s: object, boottime_s: object, boot_id: object) -> Anchor:
    if not _is_time(unix_s) or type(boottime_s) is not float or not math.isfinite(boottime_s):
        raise ValueError("not an anchor")
    if type(boot_id) is not str or not 0 < len(boot_id) <= _BOOT_ID_CHARS:
        raise ValueError("not an anchor")
    return Anchor(unix_s, boottime_s, boot_id)


def _is_time(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= MAX_UINT64
