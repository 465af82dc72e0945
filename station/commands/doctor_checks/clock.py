"""Checks whether the time can be trusted, and what it rests on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from config import Settings
from station.app import clock_rules_of
from station.commands.clock_doubts import CLOCK_DOUBTS
from station.commands.command_line import utc_text
from station.commands.doctor_checks.finding import Finding, fail, ok
from station.records.claims import ClockSource
from station.rules.clock import ClockDoubt, ClockMemory, ClockReadings, ClockRules, doubt, trusted_time
from station.sync.timekeeping import Clocks, SystemClocks


def check_clock(
    settings: Settings,
    status: Mapping[str, Any] | None,
    *,
    central_answers: bool,
    memory: ClockMemory,
    clocks: Clocks | None = None,
) -> Finding:
    """Check whether the time can be trusted, and what it rests on.

    ``central_answers``: its signed time was believed just now. ``memory``: what the station remembers of the time.
    """
    if status is not None:
        return _of_kiosk(settings, status.get("clock") or {})
    rules = clock_rules_of(settings)
    readings = (clocks or SystemClocks(read_rtc=rules.trust_rtc))()
    if settings.is_activation_box:
        return _of_box(readings, rules, memory)
    trusted = trusted_time(readings, rules, memory)
    if trusted is not None:
        by = "central's signed time, in this boot"
        if memory.anchor is None:
            by = "a battery-backed clock" if trusted.source is ClockSource.RTC else "the system's, which NTP keeps"
        return ok("clock", f"{by}: {utc_text(trusted.unix_s)}")
    if central_answers:
        return ok("clock", "none is trusted before central is asked, and its signed time is at hand")
    why = doubt(readings, rules, memory) or ClockDoubt.NO_SOURCE
    return fail("clock", f"{CLOCK_DOUBTS[why]}: keys can only be switched off", _MENDS[why])


def _of_kiosk(settings: Settings, said: Mapping[str, Any]) -> Finding:
    if said.get("trusted"):
        return ok("clock", f"trusted by the kiosk ({said.get('source')})")
    try:
        why = ClockDoubt(str(said.get("doubt")))
    except ValueError:
        why = ClockDoubt.NO_SOURCE
    mend = _BOX_MEND if settings.is_activation_box else _MENDS[why]
    return fail("clock", f"the kiosk trusts none ({CLOCK_DOUBTS[why]}): keys can only be switched off", mend)


def _of_box(readings: ClockReadings, rules: ClockRules, memory: ClockMemory) -> Finding:
    """Whatever else the time could rest on now is not there where the box will stand."""
    if readings.rtc_unix_s is None:
        return fail("clock", "no battery-backed clock answers, and a box has no other", _BOX_MEND)
    by_rtc, without_anchor = replace(rules, trust_ntp=False), replace(memory, anchor=None)
    said = utc_text(readings.rtc_unix_s)
    why = doubt(readings, by_rtc, without_anchor)
    if why is None:
        return ok("clock", f"a battery-backed clock answers: {said}")
    return fail("clock", f"the battery-backed clock says {said}: {CLOCK_DOUBTS[why]}", _RTC_MEND)


_CONNECT = "connect it to central, whose signed time mends this whatever this machine's clocks say"

_MENDS = {
    ClockDoubt.NO_SOURCE: (
        "connect it to central, or set up NTP (timedatectl set-ntp true), or fit a clock and set clock.trust_rtc"
    ),
    ClockDoubt.BEFORE_FLOOR: f"{_CONNECT}; or set the clock right (timedatectl; hwclock --systohc)",
    ClockDoubt.SET_BACK: f"{_CONNECT}; if this clock is right, another was ahead before, and nothing else mends it",
    ClockDoubt.TOO_FAR_AHEAD: f"{_CONNECT}; or set the clock right (timedatectl; hwclock --systohc)",
}

_RTC_MEND = "set the system's clock, then hwclock --systohc; if it is wrong again, it needs a new battery"

_BOX_MEND = "fit a battery-backed clock, and set it: hwclock --systohc after station sync"
