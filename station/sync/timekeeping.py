"""Reads the station's clocks and keeps what they rest on: central's signed time in this boot, and the floor."""

import ctypes
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from station.ports import Store
from station.records.claims import MAX_UINT64
from station.rules.clock import (
    CEILING_S,
    UNKNOWN_BOOT,
    Anchor,
    ClockMemory,
    ClockReadings,
    ClockRules,
    Trusted,
    signed_time_taken,
    trusted_time,
)
from station.rules.facts import Now

FLOOR_NOTE = "clock_floor"
AHEAD_LIMIT_S = 86400
"""How far past central's own signed time of this boot central may sign. More is a central whose clock has jumped: its
time would be kept as the floor for good, and on keys it would close every lock (``clock_behind``)."""
_FLOOR_DIGITS = 20
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RTC = Path("/sys/class/rtc/rtc0/since_epoch")


class Clocks(Protocol):
    """Reads every clock of the machine once."""

    def __call__(self) -> ClockReadings:
        """All readings of one moment."""
        ...


class SystemClocks:
    """The clocks of this machine."""

    def __init__(self, *, read_rtc: bool) -> None:
        self._read_rtc = read_rtc
        self._boot_id = _text(_BOOT_ID) or UNKNOWN_BOOT
        # Found once: the time is asked for at every step of a visit.
        self._adjtimex = _adjtimex()

    def __call__(self) -> ClockReadings:
        """All readings of one moment."""
        rtc = _text(_RTC) if self._read_rtc else None
        return ClockReadings(
            unix_s=int(time.time()),
            boottime_s=time.clock_gettime(time.CLOCK_BOOTTIME),
            boot_id=self._boot_id,
            ntp_synchronised=self._ntp_synchronised(),
            rtc_unix_s=int(rtc) if rtc and rtc.isdecimal() else None,
        )

    def _ntp_synchronised(self) -> bool:
        """Whether the kernel says that something keeps its clock (any state but TIME_ERROR)."""
        if self._adjtimex is None:
            return False
        return 0 <= self._adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) < _TIME_ERROR


class Timekeeper:
    """The station's clock (`station.ports.Clock`): which time it is, and whether it may be signed with."""

    def __init__(self, clocks: Clocks, rules: ClockRules) -> None:
        self._clocks = clocks
        self._rules = rules
        self._anchor: Anchor | None = None
        self.floor_s = 0

    def adopt(self, rules: ClockRules, clocks: Clocks | None = None) -> None:
        """Trust these sources from now on, and read these clocks where they are given."""
        self._rules = rules
        self._clocks = clocks or self._clocks

    def readings(self) -> ClockReadings:
        """What the machine's clocks say."""
        return self._clocks()

    def now(self) -> Now:
        """Monotonic and wall time, and what the latter rests on."""
        readings = self._clocks()
        trusted = trusted_time(readings, self._rules, ClockMemory(self.floor_s, anchor=self._anchor))
        if trusted is None:
            return Now(readings.boottime_s, readings.unix_s, None)
        return Now(readings.boottime_s, trusted.unix_s, trusted.source)

    def anchor_age_s(self) -> float | None:
        """How long ago central's signed time came; None: not in this boot."""
        return None if self._anchor is None else self._clocks().boottime_s - self._anchor.boottime_s

    def latest_s(self) -> int:
        """The latest issue time (Unix seconds) that is believed, even of what central has signed.

        `AHEAD_LIMIT_S` past signed time where there is some, or else `CEILING_S` past the floor.
        """
        signed = self._signed(self._clocks())
        if signed is not None:
            return signed.unix_s + AHEAD_LIMIT_S
        return self.floor_s + CEILING_S if self.floor_s else MAX_UINT64

    def anchor(self, issued_s: int, asked_boottime_s: float) -> bool:
        """Take central's verified time, asked for at that reading. False when it is not to be believed."""
        readings = self._clocks()
        if issued_s > self.latest_s():
            return False
        taken = signed_time_taken(ClockMemory(self.floor_s), issued_s, asked_boottime_s, readings)
        if taken is not None and taken.lowered_from_s is None:
            self._anchor = taken.memory.anchor
            return True
        return False

    async def load_floor(self, store: Store, issued_s: int) -> None:
        """The floor as it was kept on disk, or the certificate's issue time where that is later.

        A note that cannot be read counts as none.
        """
        kept = await store.note(FLOOR_NOTE)
        noted_s = int(kept) if kept and kept.isdecimal() and len(kept) <= _FLOOR_DIGITS else 0
        self.floor_s = max(noted_s, issued_s)

    async def raise_floor(self, store: Store, issued_s: int) -> None:
        """Raise the clock floor to ``issued_s``, when central signed something: no clock before that is right.

        It is never lowered. Only for what a central key has signed; what comes from the future does nothing. Raises
        StoreFault.
        """
        if self.floor_s < issued_s <= self.latest_s():
            self.floor_s = issued_s
            await store.note(FLOOR_NOTE, str(issued_s))

    def _signed(self, readings: ClockReadings) -> Trusted | None:
        """The time now by central's signed time of this boot alone, whatever other clocks the site trusts."""
        alone = ClockRules(trust_ntp=False, trust_rtc=False, holdover_days=self._rules.holdover_days)
        return trusted_time(readings, alone, ClockMemory(anchor=self._anchor))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


_TIME_ERROR = 5
_TIMEX_BYTES = 256


def _adjtimex() -> Callable[[object], int] | None:
    """adjtimex(2); None where there is none."""
    try:
        found: Callable[[object], int] = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    return found
