"""Reads the station's clocks and keeps what they rest on: the two bounds, and central's signed time in this boot."""

import asyncio
import ctypes
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from station.ports import Store, StoreFault
from station.records.claims import MAX_UINT64, SIGNED_AHEAD_S
from station.rules.clock import (
    UNKNOWN_BOOT,
    ClockDoubt,
    ClockMemory,
    ClockReadings,
    ClockRules,
    SignedTimeTaken,
    after_restart,
    doubt,
    issue_time_seen,
    signed_time_taken,
    trusted_time,
    trusted_time_seen,
)
from station.rules.facts import Now
from station.sync.clock_note import NOTE, ClockNote
from station.sync.clock_note import read as read_note

KEEP_EVERY_S = 300
"""So much of the last trusted time a pulled plug can forget. Who pulls it and sets NTP, or a battery-backed clock, back
by as much has these minutes once more, from the same moment each time and never from an earlier one: a station that is
switched off stands still as well. What central has signed is written at once."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RTC = Path("/sys/class/rtc/rtc0/since_epoch")

_log = logging.getLogger("station.clock")


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
    """The station's clock (`station.ports.Clock`): which time it is, and whether it may be signed with.

    What it remembers outlives the program once `load` has told it where; before, it begins with nothing.
    """

    def __init__(self, clocks: Clocks, rules: ClockRules) -> None:
        self._clocks = clocks
        self._rules = rules
        self._store: Store | None = None
        self._note = ClockNote()
        """With the memory as it is now."""
        self._kept = ClockNote()
        """As it is on the disk."""

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
        trusted = trusted_time(readings, self._rules, self.memory)
        if trusted is None:
            return Now(readings.boottime_s, readings.unix_s, None)
        self._remember(trusted_time_seen(self.memory, trusted))
        return Now(readings.boottime_s, trusted.unix_s, trusted.source)

    def doubt(self) -> ClockDoubt | None:
        """Why no clock is trusted now; None when one is."""
        return doubt(self._clocks(), self._rules, self.memory)

    @property
    def memory(self) -> ClockMemory:
        """The two bounds, and central's signed time."""
        return self._note.memory

    @property
    def floor_s(self) -> int:
        """The newest issue time that central has signed, in Unix seconds; 0: none."""
        return self.memory.floor_s

    def anchor_age_s(self) -> float | None:
        """How long ago central's signed time came; None: not in this boot."""
        anchor = self.memory.anchor
        return None if anchor is None else self._clocks().boottime_s - anchor.boottime_s

    def latest_issue_s(self) -> int:
        """The latest issue time that can be right, in Unix seconds: as for a head, `SIGNED_AHEAD_S` ahead of now.

        Later, and it is of a central whose clock was wrong: on keys such a record would close every lock
        (``clock_behind``). Without a trusted clock nobody can tell.
        """
        now = self.now()
        return MAX_UINT64 if now.trust is None else now.unix_s + SIGNED_AHEAD_S

    async def load(self, store: Store, certificate_issued_s: int) -> None:
        """Take up what ``store`` has, and keep it there from now on. Raises StoreFault when it cannot be read.

        The certificate's issue time raises the floor once: a central whose clock was wrong may have signed it, and
        what its later word has mended must stay so over a restart.
        """
        self._store = store
        self._kept = read_note(await store.note(NOTE))
        readings = self._clocks()
        memory = after_restart(self._kept.memory, readings)
        if self._kept.certificate_issued_s != certificate_issued_s:
            memory = issue_time_seen(memory, certificate_issued_s, readings, self._rules)
        self._note = ClockNote(memory, certificate_issued_s)

    async def take_signed_time(self, issued_s: int, asked_boottime_s: float) -> SignedTimeTaken | None:
        """Take central's verified word for our nonce, asked for at that reading. None: it came too late to be believed.

        It is on the disk when this returns: 0 + 2 may be held the next moment.
        """
        taken = signed_time_taken(self.memory, issued_s, asked_boottime_s, self._clocks())
        if taken is not None:
            self._remember(taken.memory)
            await self.keep()
        return taken

    async def issue_time_seen(self, issued_s: int) -> None:
        """Central's own key has signed something at that time, so it is not earlier now."""
        floor_s = self.floor_s
        self._remember(issue_time_seen(self.memory, issued_s, self._clocks(), self._rules))
        if self.floor_s != floor_s:
            await self.keep()

    async def certificate_renewed(self, issued_s: int) -> None:
        """As `issue_time_seen`, for the certificate that the next `load` will name."""
        self._note = replace(self._note, certificate_issued_s=issued_s)
        await self.issue_time_seen(issued_s)
        await self.keep()

    async def keep(self) -> None:
        """Write down what is remembered, if it is news.

        A disk that does not take it stops no clock: it is tried again at the next occasion, and while the disk fails
        nothing is activated.
        """
        note = self._note
        if self._store is None or note == self._kept:
            return
        try:
            await self._store.note(NOTE, note.written())
        except StoreFault as error:
            _log.warning("clock.not_kept %s", error)
        else:
            self._kept = note

    async def keep_for_ever(self) -> None:
        """Write down the last trusted time every `KEEP_EVERY_S`, and at the end."""
        try:
            while True:
                await asyncio.sleep(KEEP_EVERY_S)
                await self.keep()
        finally:
            await self.keep()

    def _remember(self, memory: ClockMemory) -> None:
        self._note = replace(self._note, memory=memory)


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
